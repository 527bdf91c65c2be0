"""Random lives of portals against a simple model: what a status is, why, and that nothing is lost on the way."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from reconciler.errors import Refused
from reconciler.model import (
    Exclusion,
    Portal,
    PortalState,
    ProductEntry,
    Reason,
    Reference,
    Removal,
    SecretAuthentication,
    Status,
    Suspension,
)
from reconciler.store.state import read
from tests.life.life_world import PARTS, Directory, Life, sku_id

TENANTS = tuple(f"10000000-0000-4000-8000-00000000000{number}" for number in range(3))
SKUS = ("ALPHA_FREE", "GAMMA", "*_FREE", "*")
PLACES = ("organization", "licenses", "users")

parts = st.sampled_from(PARTS)
owned = st.dictionaries(parts, st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1)


SEEN: Counter[str] = Counter()
"""What happened in all lives of a run, so that a test can tell that they were not all dull."""

HAPPENINGS = (
    "a product was excluded",
    "an excluded product recovered",
    "a product went",
    "a product that had gone came back",
    "a portal was deleted",
    "a deleted portal came back",
    "a failed read kept a value",
    "a failed read of another tenant kept the former one",
    "a portal turned to another tenant",
    "a product was removed",
    "a done entry met its product again",
    "a portal was paused",
    "a run was refused",
    "the database was lost",
)


@dataclass
class Known:
    """What the model knows of one product: units, consumers, its place, and why it cannot be synchronised."""

    numbers: tuple[int, int]
    directory: str
    reason: Reason | None = None

    @property
    def status(self) -> Status:
        """The rules of DESIGN section 7, once more and in short."""
        enabled, consumed = self.numbers
        if self.reason:
            return Status.CANNOT_BE_SYNCHRONISED
        if enabled == consumed == 0:
            return Status.CLEAR
        return Status.NOT_ENOUGH_LICENSES if consumed > enabled else Status.FULLY_LICENSED


@dataclass
class KnownPortal:
    """What the model knows of one portal."""

    portal: Portal
    products: dict[str, Known] = field(default_factory=dict)
    deleted: bool = False
    removed: list[Removal] = field(default_factory=list)


def excludes(portal: Portal, part: str, today: date) -> bool:
    """Whether a portal excludes a part number."""
    return any(fnmatchcase(part, item.sku) and (not item.until or today <= item.until) for item in portal.exclusions)


class LifeOfPortals(RuleBasedStateMachine):
    """Edits of the repository and of the tenants between runs; every run is compared with the model."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        now = datetime(2026, 11, 23, 6, tzinfo=UTC)
        self.life = Life(Path(self._folder.name), {tenant: Directory() for tenant in TENANTS}, now)
        self.declared: dict[str, Portal] = {}
        self.removals: list[Removal] = []
        self.known: dict[str, KnownPortal] = {}
        self.tickets = 0
        self.names = 0
        self.renamed: set[str] = set()
        self.records: dict[str, list[Removal]] = {}

    def teardown(self) -> None:
        """Leave nothing behind."""
        self._folder.cleanup()

    # --- people and tenants ------------------------------------------------------------------------------------------

    @initialize(first=owned, second=owned)
    def begin(self, first: dict[str, tuple[int, int]], second: dict[str, tuple[int, int]]) -> None:
        """Two portals, and a third tenant that a portal may turn to."""
        for number, tenant in enumerate(TENANTS):
            self.life.directories[tenant].owned = [first, second, {"DELTA": (2, 1)}][number]
        for number in range(2):
            self.names += 1
            self.declared[f"p{number}"] = Portal(
                id=f"p{number}",
                name=f"Portal {number}",
                tenant_id=TENANTS[number],
                client_id=f"20000000-0000-4000-8000-00000000000{number}",
                authentication=SecretAuthentication(Reference("env", "SECRET")),
                directory=f"Microsoft 365/Portal {number}",
            )
        self.apply(5)

    @rule(
        tenant=st.sampled_from(TENANTS),
        now_owned=st.dictionaries(parts, st.tuples(st.integers(0, 3), st.integers(0, 3))),
    )
    def tenant_changes(self, tenant: str, now_owned: dict[str, tuple[int, int]]) -> None:
        self.life.directories[tenant].owned = now_owned

    @rule(tenant=st.sampled_from(TENANTS), place=st.none() | st.sampled_from(PLACES))
    def tenant_breaks_or_heals(self, tenant: str, place: str | None) -> None:
        self.life.directories[tenant].fails = place

    @precondition(lambda self: self.declared)
    @rule(data=st.data(), sku=st.sampled_from(SKUS), days=st.none() | st.integers(0, 2))
    def exclude(self, data: st.DataObject, sku: str, days: int | None) -> None:
        until = None if days is None else self.life.now.date() + timedelta(days=days)
        self._edit(data, exclusions=(Exclusion(sku, "tried", until),))

    @precondition(lambda self: self.declared)
    @rule(data=st.data())
    def include_again(self, data: st.DataObject) -> None:
        self._edit(data, exclusions=())

    @precondition(lambda self: self.declared)
    @rule(data=st.data(), part=parts, place=st.sampled_from(["Office", "Other/Place"]))
    def move(self, data: st.DataObject, part: str, place: str) -> None:
        self._edit(data, products=(ProductEntry(part, directory=place),))

    @precondition(lambda self: self.declared)
    @rule(data=st.data())
    def move_no_more(self, data: st.DataObject) -> None:
        self._edit(data, products=())

    @precondition(lambda self: self.declared)
    @rule(data=st.data(), tenant=st.sampled_from(TENANTS), said=st.booleans())
    def turn_to_a_tenant(self, data: st.DataObject, tenant: str, said: bool) -> None:
        portal_id = data.draw(st.sampled_from(sorted(self.declared)))
        if portal_id in self.renamed:
            return  # with another tenant nobody can tell a renamed file from a new one
        before = self.known.get(portal_id)
        replaces = before.portal.tenant_id if before and said else None
        self.declared[portal_id] = replace(self.declared[portal_id], tenant_id=tenant, replaces_tenant_id=replaces)

    @precondition(lambda self: self.declared)
    @rule(data=st.data())
    def delete_a_file(self, data: st.DataObject) -> None:
        portal_id = data.draw(st.sampled_from(sorted(self.declared)))
        if portal_id not in self.renamed:  # nobody would ever learn that it was a rename
            del self.declared[portal_id]

    @precondition(lambda self: self.known.keys() - self.declared.keys())
    @rule(data=st.data())
    def restore_a_file(self, data: st.DataObject) -> None:
        portal_id = data.draw(st.sampled_from(sorted(self.known.keys() - self.declared.keys())))
        self.declared[portal_id] = self.known[portal_id].portal

    @precondition(lambda self: self._renamable())
    @rule(data=st.data())
    def rename_a_file(self, data: st.DataObject) -> None:
        former = data.draw(st.sampled_from(self._renamable()))
        new = f"q{self.names}"
        self.names += 1
        self.declared[new] = replace(self.declared.pop(former), id=new)
        self.known[new] = self.known.pop(former)  # nothing else may change by it
        self.renamed.add(new)

    @precondition(lambda self: self.known)
    @rule(data=st.data(), sku=st.sampled_from([*PARTS, "*"]))
    def order_a_removal(self, data: st.DataObject, sku: str) -> None:
        self.tickets += 1
        portal_id = data.draw(st.sampled_from(sorted(self.known)))
        self.removals.append(Removal(portal_id, sku, "unused", f"LIC-{self.tickets}", "portals.d/removals.yaml:2:5"))

    @rule()
    def lose_the_database(self) -> None:
        SEEN["the database was lost"] += 1
        for path in self.life.folder.glob("reconciler.db*"):
            path.unlink()

    @precondition(lambda self: self.declared)
    @rule(data=st.data(), paused=st.booleans())
    def pause(self, data: st.DataObject, paused: bool) -> None:
        self._edit(data, suspend=Suspension("Migration") if paused else None)

    # --- edits that are applied at once, because what they lead to takes two runs ------------------------------------

    @precondition(lambda self: self.declared and not self.renamed)
    @rule(data=st.data())
    def exclude_a_known_product(self, data: st.DataObject) -> None:
        if found := self._draw_product(data, None):
            self._replace(found[0], exclusions=(Exclusion(found[1], "tried"),), suspend=None)
            self.apply(5)

    @precondition(lambda self: self.declared and not self.renamed)
    @rule(data=st.data())
    def include_what_is_excluded(self, data: st.DataObject) -> None:
        if found := self._draw_product(data, Reason.EXCLUDED):
            self._heal(found[0])
            self._replace(found[0], exclusions=(), suspend=None)
            self.apply(5)

    @precondition(lambda self: self.declared and not self.renamed)
    @rule(data=st.data())
    def take_a_license_away(self, data: st.DataObject) -> None:
        if found := self._draw_product(data, None):
            self._heal(found[0]).pop(found[1], None)
            self._replace(found[0], suspend=None)
            self.apply(5)

    @precondition(lambda self: self.declared and not self.renamed)
    @rule(data=st.data())
    def give_a_license_back(self, data: st.DataObject) -> None:
        if found := self._draw_product(data, Reason.GONE_FROM_PORTAL):
            self._heal(found[0])[found[1]] = (3, 2)
            self._replace(found[0], exclusions=(), suspend=None)
            self.apply(5)

    @precondition(lambda self: self.declared and not self.renamed)
    @rule(data=st.data())
    def remove_what_is_gone(self, data: st.DataObject) -> None:
        if found := self._draw_product(data, Reason.GONE_FROM_PORTAL):
            self.tickets += 1
            self.removals.append(Removal(*found, "unused", f"LIC-{self.tickets}", "portals.d/removals.yaml:2:5"))
            self.apply(5)
            self._heal(found[0])[found[1]] = (1, 1)
            self.apply(5)

    @precondition(lambda self: len(self.declared) > 1 and not self.renamed)
    @rule(data=st.data())
    def delete_and_restore_a_file(self, data: st.DataObject) -> None:
        portal_id = data.draw(st.sampled_from(sorted(self.declared)))
        portal = self.declared.pop(portal_id)
        self.apply(5)
        self.declared[portal_id] = portal
        self._heal(portal_id)
        self.apply(5)

    @precondition(lambda self: self.declared and not self.renamed)
    @rule(data=st.data())
    def pause_and_go_on(self, data: st.DataObject) -> None:
        portal_id = data.draw(st.sampled_from(sorted(self.declared)))
        for pause in (Suspension("Migration"), None):
            self._replace(portal_id, suspend=pause)
            self.apply(5)

    @precondition(lambda self: self.declared and not self.renamed)
    @rule(data=st.data(), tenant=st.sampled_from(TENANTS), place=st.none() | st.sampled_from(PLACES))
    def turn_and_read(self, data: st.DataObject, tenant: str, place: str | None) -> None:
        portal_id = data.draw(st.sampled_from(sorted(self.declared)))
        if known := self.known.get(portal_id):
            self._replace(portal_id, tenant_id=tenant, replaces_tenant_id=known.portal.tenant_id, suspend=None)
            self.life.directories[tenant].fails = place
            self.apply(5)

    @precondition(lambda self: self.declared and not self.renamed)
    @rule(data=st.data())
    def turn_without_a_word(self, data: st.DataObject) -> None:
        portal_id = data.draw(st.sampled_from(sorted(self.declared)))
        elsewhere = next(tenant for tenant in TENANTS if tenant != self.declared[portal_id].tenant_id)
        self._replace(portal_id, tenant_id=elsewhere, replaces_tenant_id=None)
        self.apply(5)

    # --- runs --------------------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([5, 24]))
    def apply(self, hours: int) -> None:
        """A run does what the model says, or refuses and changes nothing."""
        self.life.now += timedelta(hours=hours)
        before = self.life.committed()
        if not self._is_refused():
            self._model_apply()
            self.life.apply(self.declared, self.removals)
            self._compare()
            return
        SEEN["a run was refused"] += 1
        with pytest.raises(Refused):
            self.life.apply(self.declared, self.removals)
        assert self.life.committed() == before
        self._mend()

    @rule()
    def apply_again(self) -> None:
        """A second run at once writes nothing."""
        if self._is_refused():
            return
        self._model_apply()
        self.life.apply(self.declared, self.removals)
        self._compare()
        before = self.life.committed()
        outcome = self.life.apply(self.declared, self.removals)
        assert not outcome.written
        assert self.life.committed() == before

    @invariant()
    def what_is_known_is_what_the_model_knows(self) -> None:
        """Edits alone change nothing, nor does the loss of the database: the ledger says the same."""
        if self.known and not self.renamed:
            self._compare()

    # --- the model ---------------------------------------------------------------------------------------------------

    def _draw_product(self, data: st.DataObject, reason: Reason | None) -> tuple[str, str] | None:
        """A product with this reason, of a portal that is declared, as portal and part number."""
        found = sorted(
            (portal_id, part)
            for portal_id in self.declared.keys() & self.known.keys()
            for part, product in self.known[portal_id].products.items()
            if product.reason is reason
        )
        return data.draw(st.sampled_from(found)) if found else None

    def _heal(self, portal_id: str) -> dict[str, tuple[int, int]]:
        """Let the tenant of a portal answer; return what it owns."""
        directory = self.life.directories[self.declared[portal_id].tenant_id]
        directory.fails = None
        return directory.owned

    def _replace(self, portal_id: str, **members: object) -> None:
        self.declared[portal_id] = replace(self.declared[portal_id], **members)  # type: ignore[arg-type]

    def _edit(self, data: st.DataObject, **members: object) -> None:
        self._replace(data.draw(st.sampled_from(sorted(self.declared))), **members)

    def _renamable(self) -> list[str]:
        """Portals whose file can be renamed without looking like another portal."""
        return [
            portal_id
            for portal_id, portal in sorted(self.declared.items())
            if portal_id in self.known
            and not self.known[portal_id].deleted
            and self.known[portal_id].portal.tenant_id == portal.tenant_id
            and not any(entry.portal == portal_id for entry in self.removals)
        ]

    def _is_refused(self) -> bool:
        """Whether the next run must refuse: an unannounced tenant, or no portal at all."""
        for portal_id, portal in self.declared.items():
            known = self.known.get(portal_id)
            former = known.portal.tenant_id if known and known.products else portal.tenant_id
            if former not in (portal.tenant_id, portal.replaces_tenant_id):
                return True
        return not self.declared and any(not item.deleted for item in self.known.values())

    def _is_refused_removal(self, entry: Removal) -> bool:
        known = self.known.get(entry.portal)
        if known is None or entry in known.removed:
            return False
        portal = self.declared.get(entry.portal)
        if entry.sku == "*":
            return portal is not None
        product = known.products.get(entry.sku)
        if product is None or portal is None:
            return False
        if excludes(portal, entry.sku, self.life.now.date()):
            return False
        return product.reason is not Reason.GONE_FROM_PORTAL

    def _mend(self) -> None:
        """People correct what was refused."""
        for portal_id, portal in self.declared.items():
            if known := self.known.get(portal_id):
                self.declared[portal_id] = replace(portal, replaces_tenant_id=known.portal.tenant_id)
        if not self.declared and self.known:
            portal_id = sorted(self.known)[0]
            self.declared[portal_id] = self.known[portal_id].portal

    def _model_apply(self) -> None:
        for portal_id in sorted(self.known.keys() | self.declared.keys()):
            portal = self.declared.get(portal_id)
            if portal is None:
                self._model_delete(self.known[portal_id])
                self._model_remove(portal_id)
            else:
                self._model_import(portal_id, portal)
        self.renamed.clear()
        self.records |= {portal_id: item.removed for portal_id, item in self.known.items()}
        self.known = {portal_id: item for portal_id, item in self.known.items() if item.products or not item.deleted}

    def _model_delete(self, known: KnownPortal) -> None:
        SEEN["a portal was deleted"] += not known.deleted
        known.deleted = True
        for product in known.products.values():
            product.reason = Reason.PORTAL_DELETED

    def _model_remove(self, portal_id: str) -> None:
        known = self.known[portal_id]
        for entry in self.removals:
            gone = list(known.products) if entry.sku == "*" else [entry.sku] if entry.sku in known.products else []
            done = entry.portal == portal_id and entry in known.removed
            SEEN["a done entry met its product again"] += done and bool(gone)
            if entry.portal == portal_id and not done and gone and not self._is_refused_removal(entry):
                SEEN["a product was removed"] += 1
                for part in gone:
                    del known.products[part]
                known.removed.append(entry)

    def _model_import(self, portal_id: str, portal: Portal) -> None:
        known = self.known.get(portal_id) or KnownPortal(portal, removed=self.records.get(portal_id, []))
        today = self.life.now.date()
        turned = known.portal.tenant_id != portal.tenant_id
        SEEN["a deleted portal came back"] += known.deleted
        after = KnownPortal(
            portal, {part: replace(item) for part, item in known.products.items()}, False, known.removed
        )
        for part, product in after.products.items():
            product.directory = next((e.directory or "" for e in portal.products if e.sku == part), product.directory)
            if excludes(portal, part, today):
                SEEN["a product was excluded"] += product.reason is None
                product.reason = Reason.EXCLUDED
        self.known[portal_id] = after
        self._model_remove(portal_id)
        seen = self.life.directories[portal.tenant_id]
        SEEN["a portal was paused"] += portal.suspend is not None
        if portal.suspend:
            self._keep_former(after, known)
        elif not seen.fails and (seen.owned or turned or not self._is_expecting(after, today)):
            SEEN["a portal turned to another tenant"] += turned
            self._model_complete(after, seen.owned, today)
        else:
            SEEN["a failed read kept a value"] += bool(after.products)
            SEEN["a failed read of another tenant kept the former one"] += turned and bool(known.products)
            self._keep_former(after, known)

    def _keep_former(self, after: KnownPortal, known: KnownPortal) -> None:
        """Until another tenant is read, the portal is that of the former one; the rest of its file counts."""
        after.portal = replace(after.portal, tenant_id=known.portal.tenant_id)

    def _is_expecting(self, known: KnownPortal, today: date) -> bool:
        """Whether nothing at all would be a surprise."""
        return any(
            item.reason in (None, Reason.PORTAL_DELETED)
            or (item.reason is Reason.EXCLUDED and not excludes(known.portal, part, today))
            for part, item in known.products.items()
        )

    def _model_complete(self, known: KnownPortal, owned: dict[str, tuple[int, int]], today: date) -> None:
        for part in PARTS:
            excluded, product = excludes(known.portal, part, today), known.products.get(part)
            if part in owned and not excluded:
                entry = next((e.directory for e in known.portal.products if e.sku == part), None)
                directory = entry or (product.directory if product else known.portal.directory)
                SEEN["an excluded product recovered"] += bool(product and product.reason is Reason.EXCLUDED)
                SEEN["a product that had gone came back"] += bool(product and product.reason is Reason.GONE_FROM_PORTAL)
                known.products[part] = Known(owned[part], directory)
            elif product and not excluded:
                SEEN["a product went"] += product.reason is None
                product.reason = Reason.GONE_FROM_PORTAL

    def _compare(self) -> None:
        found = {portal_id: state for portal_id, state in read(self.life.folder).items() if not state.is_forgotten}
        assert {portal_id: _of(state) for portal_id, state in found.items()} == {
            portal_id: {part: (k.numbers, k.directory, k.reason, k.status) for part, k in item.products.items()}
            for portal_id, item in self.known.items()
        }


def _of(state: PortalState) -> dict[str, tuple[object, ...]]:
    """A stored portal in the words of the model."""
    return {
        item.license.part_number: (
            (item.license.units.enabled, item.consumers),
            item.directory,
            item.reason,
            item.status,
        )
        for item in state.products
    }


def test_every_part_number_has_a_sku_id_of_its_own() -> None:
    assert len({sku_id(part) for part in PARTS}) == len(PARTS)


MANY = int(os.environ.get("TEST_LIVES", "0"))
"""How many lives to try at random. Without it, the same 60 are tried at every run, so that all happens in them."""

LIVES = settings(
    max_examples=MANY or 60,
    derandomize=not MANY,
    database=None,
    stateful_step_count=25,
    deadline=None,
    phases=[Phase.generate],  # a run writes files, so shrinking takes minutes
    suppress_health_check=list(HealthCheck),
)


def test_random_lives_of_portals_go_as_the_model_says() -> None:
    SEEN.clear()
    run_state_machine_as_test(LifeOfPortals, settings=LIVES)
    assert not [happening for happening in HAPPENINGS if not SEEN[happening]], SEEN
