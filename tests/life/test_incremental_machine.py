"""Any sequence of rounds, resets, broken rounds and full reads ends in the tables of one full read."""

from __future__ import annotations

import os
import tempfile
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from reconciler.emulator import delta
from reconciler.emulator.directory import LicenseAssignment, User
from reconciler.emulator.faults import Drop, EmptyPage, Fault, Overlap, Reply
from reconciler.model import ImportOutcome
from tests.life.delta_world import E3, E5, FLOW, DeltaWorld, person, read_in_full, removed

DELTA = "/v1.0/users/delta"
PEOPLE = 7

ways = st.one_of(
    st.builds(LicenseAssignment, st.sampled_from([E3, E5, FLOW]), st.sampled_from([None, "group"])),
    st.builds(
        LicenseAssignment,
        st.sampled_from([E3, E5, FLOW]),
        st.just("group"),
        st.sampled_from(["Error", "ActiveWithError"]),
        st.sampled_from(["CountViolation", "DependencyViolation"]),
    ),
)
licenses = st.lists(ways, max_size=3).map(tuple)
edits = st.dictionaries(st.integers(0, PEOPLE - 1), st.one_of(st.none(), licenses), min_size=1)
"""By number: what somebody holds now, or None for who is removed."""

harmless = [Overlap(1), Overlap(2), EmptyPage()]
resets = [
    Reply(410, {"error": {"code": "resyncRequired", "message": ""}}, {"Location": "https://graph.microsoft.com/"}),
    Reply(400, {"error": {"code": "syncStateNotFound", "message": ""}}),
    Reply(400, {"error": {"code": "BadRequest", "message": "Sync must reach steady state within 30 days."}}),
]
broken = [Reply(503), Reply(429), Drop(), Drop(40)]
pages = st.integers(1, 3)


class AnySequence(RuleBasedStateMachine):
    """A tenant whose users come, change, go and come back between imports of every kind."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.people: dict[int, User] = {}
        self.edits = count()
        self.folders = count()
        self.world = DeltaWorld(self._new_folder())

    def teardown(self) -> None:
        """Leave nothing behind."""
        self._folder.cleanup()

    def _new_folder(self) -> Path:
        return Path(self._folder.name) / str(next(self.folders))

    @initialize(found=edits)
    def first(self, found: dict[int, tuple[LicenseAssignment, ...] | None]) -> None:
        """The tenant, read once."""
        self.edit(found)
        self.world.apply()
        self._is_as_a_full_read()

    @rule(found=edits)
    def edit(self, found: dict[int, tuple[LicenseAssignment, ...] | None]) -> None:
        """Users are created, changed, removed, restored. The name changes too: ways alone raise nobody."""
        for number, held in found.items():
            if held is None:
                self.people.pop(number, None)
            else:
                self.world.purged = tuple(id_ for id_ in self.world.purged if id_ != removed(number))
                name = f"Edit {next(self.edits)}"
                self.people[number] = person(number, *held, display_name=name, account_enabled=bool(number % 3))
        self.world.users = tuple(self.people.values())

    @rule(numbers=st.sets(st.integers(0, PEOPLE - 1)))
    def purge(self, numbers: set[int]) -> None:
        """Users are deleted for good."""
        self.world.purged = tuple(sorted(map(removed, numbers)))
        self.edit(dict.fromkeys(numbers))

    @rule(skus=st.sets(st.sampled_from([E3, E5, FLOW]), min_size=1), excluded=st.sets(st.sampled_from([E5, FLOW])))
    def own(self, skus: set[str], excluded: set[str]) -> None:
        """The tenant owns other licenses, and the portal excludes others."""
        self.world.skus, self.world.exclusions = tuple(sorted(skus)), tuple(sorted(excluded))

    @rule(lag=st.integers(0, 2))
    def lag(self, lag: int) -> None:
        """Graph's own count is another one."""
        self.world.lag = lag

    @rule(hours=st.sampled_from([1, 5, 24, 100, 200]))
    def wait(self, hours: int) -> None:
        """Time passes."""
        self.world.after(hours=hours)

    @rule(full=st.booleans(), page=pages, fault=st.sampled_from([None, *harmless]))
    def import_(self, full: bool, page: int, fault: Overlap | EmptyPage | None) -> None:
        """An import that succeeds, of changes or full."""
        self.world.faults = (Fault(fault, DELTA, page=page),) if fault else ()
        assert self.world.import_(full=full).outcome is ImportOutcome.COMPLETE
        self._is_as_a_full_read()

    @rule(page=pages, fault=st.sampled_from(resets))
    def reset(self, page: int, fault: Reply) -> None:
        """Graph drops the token, at once or in the middle of a round."""
        self.world.faults = (Fault(fault, DELTA, page=page),)
        assert self.world.import_().outcome is ImportOutcome.COMPLETE
        self._is_as_a_full_read()

    @rule(page=pages, fault=st.sampled_from(broken))
    def break_off(self, page: int, fault: Reply | Drop) -> None:
        """The network fails in the middle of a round, if it is that long."""
        before, links = self.world.tables(), self.world.links()
        self.world.faults = (Fault(fault, DELTA, page=page, times=99), Fault(fault, "/v1.0/users", times=99))
        if self.world.import_().outcome is ImportOutcome.COMPLETE:
            self._is_as_a_full_read()
            return
        after = self.world.tables()
        if after["products"] == before["products"]:
            assert {**after, "imports": []} == {**before, "imports": []}
            assert self.world.links() == links
        else:  # an exclusion takes effect also where the tenant cannot be read: users are dropped, none is changed
            assert set(after["users"]) <= set(before["users"])

    @rule()
    def lose_the_tokens(self) -> None:
        """Graph does not know any token any more."""
        self.world.forget_tokens()

    def _is_as_a_full_read(self) -> None:
        assert self.world.tables() == read_in_full(self.world, self._new_folder())


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delta, "PAGE", 2)


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(
    max_examples=int(os.environ.get("TEST_SEQUENCES", "40")),
    stateful_step_count=12,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],  # a run writes files, so shrinking takes minutes
    suppress_health_check=list(HealthCheck),
)
