"""What people and pipelines see of a plan: plain data, from which text, Markdown and JSON are made.

The same values are read back from a plan file, so that ``show`` prints what ``plan`` printed. Text in them is as it was
declared or reported; whoever renders it makes it harmless for its output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from reconciler.model import ErrorInfo, Presence, Reason, Status
from reconciler.plan import Action
from reconciler.removals import RemovalOutcome
from reconciler.safety import Override, is_left_out


class Effect(StrEnum):
    """What happens to a thing, at one look. A product that several things happen to has the first that fits."""

    STOPPED = "stopped"
    REMOVED = "removed"
    LOST = "lost"
    NEW = "new"
    RECOVERS = "recovers"
    MOVED = "moved"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


SYMBOLS: Mapping[Effect, str] = {
    Effect.NEW: "+",
    Effect.CHANGED: "~",
    Effect.LOST: "-",
    Effect.RECOVERS: "↺",
    Effect.MOVED: "→",
    Effect.REMOVED: "✕",
    Effect.STOPPED: "!",
    Effect.UNCHANGED: ".",
}
"""The sign before a line, in the order of the legend."""

MEANINGS: Mapping[Effect, str] = {
    Effect.NEW: "new",
    Effect.CHANGED: "changes",
    Effect.LOST: "lost: cannot be synchronized any more",
    Effect.RECOVERS: "recovers",
    Effect.MOVED: "moves",
    Effect.REMOVED: "removed from the state",
    Effect.STOPPED: "refused or failed",
    Effect.UNCHANGED: "nothing to do",
}
"""What a sign means, for the legend."""

PORTAL_EFFECTS: Mapping[Action, Effect] = {
    Action.CREATE: Effect.NEW,
    Action.UPDATE: Effect.CHANGED,
    Action.DELETE: Effect.LOST,
    Action.NONE: Effect.UNCHANGED,
}
"""What happens to a portal, as a sign."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a product stands before or after. Numbers are those of the report, None where they are unusable."""

    status: Status
    reason: Reason | None
    entitled: int | None
    consumed: int | None
    consumers: int | None
    balance: int | None


@dataclass(frozen=True, slots=True)
class ProductPage:
    """What happens to one product, in words. ``before`` is None for one that is new, ``after`` for one that goes."""

    sku_id: str
    sku_part_number: str
    title: str
    effect: Effect
    before: Standing | None
    after: Standing | None
    words: tuple[str, ...]
    moves: bool = False


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """What the import of a portal would bring, or why it could not be read."""

    words: tuple[str, ...]
    products: tuple[ProductPage, ...]
    error: ErrorInfo | None

    @property
    def changes(self) -> bool:
        """Whether the import would change anything."""
        return bool(self.words or self.products)


@dataclass(frozen=True, slots=True)
class PortalPage:
    """What happens to one portal: as a whole in ``headline``, to its own settings in ``words``, to its products.

    ``former_id`` is set when its file was renamed. ``imports``: apply reads the tenant.
    """

    id: str
    name: str
    action: Action
    presence: Presence
    imports: bool
    headline: str
    former_id: str | None = None
    words: tuple[str, ...] = ()
    products: tuple[ProductPage, ...] = ()
    preview: PreviewPage | None = None

    @property
    def effect(self) -> Effect:
        """The portal's sign. One that is deleted with everything of it is removed."""
        if self.action is Action.DELETE and self.products and all(item.after is None for item in self.products):
            return Effect.REMOVED
        return PORTAL_EFFECTS[self.action]

    @property
    def is_shown(self) -> bool:
        """Whether there is anything to say about it."""
        return self.action is not Action.NONE or (
            self.preview is not None and (self.preview.changes or self.preview.error is not None)
        )


@dataclass(frozen=True, slots=True)
class CredentialPage:
    """A credential that ends: how near that is, in words, and what to do."""

    portal: str
    type: str
    reason: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class WarningPage:
    """Something in the configuration that is probably not meant, and where it stands."""

    position: str
    code: str
    message: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class EntryPage:
    """What becomes of one entry of ``removals.yaml``, and where it stands. ``sku_ids`` are the products it removes."""

    position: str
    portal: str
    sku: str
    reason: str
    ticket: str | None
    outcome: RemovalOutcome
    why: str
    sku_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many products something happens to."""

    new: int
    lost: int
    recover: int
    move: int
    removed: int
    otherwise: int


@dataclass(frozen=True, slots=True)
class PlanPage:
    """A whole plan. ``portals`` are all that were selected, by id, also those to which nothing happens.

    ``refreshed``: tenants were read for it. ``warnings`` are about the configuration; where text is printed, they go to
    stderr.
    """

    portals: tuple[PortalPage, ...]
    credentials: tuple[CredentialPage, ...] = ()
    removals: tuple[EntryPage, ...] = ()
    refusals: tuple[ErrorInfo, ...] = ()
    warnings: tuple[WarningPage, ...] = ()
    refreshed: bool = False

    @property
    def pending(self) -> tuple[PortalPage, ...]:
        """The portals that change."""
        return tuple(portal for portal in self.portals if portal.action is not Action.NONE)

    @property
    def brings(self) -> bool:
        """Whether apply would change anything, as far as it is known."""
        return bool(self.pending) or any(preview.changes for preview in self.previews)

    @property
    def stops(self) -> tuple[ErrorInfo, ...]:
        """Why apply would stop, and do nothing."""
        return tuple(refusal for refusal in self.refusals if not is_left_out(refusal))

    @property
    def left_out(self) -> tuple[ErrorInfo, ...]:
        """The entries of ``removals.yaml`` that apply would leave out, doing all else."""
        return tuple(refusal for refusal in self.refusals if is_left_out(refusal))

    @property
    def previews(self) -> tuple[PreviewPage, ...]:
        """What was read of the tenants."""
        return tuple(portal.preview for portal in self.portals if portal.preview)

    @property
    def reading(self) -> tuple[str, ...]:
        """The ids of the portals whose tenants apply reads."""
        return tuple(portal.id for portal in self.portals if portal.imports)

    @property
    def effects(self) -> frozenset[Effect]:
        """Every sign in it."""
        return frozenset(_effects(self))

    def portals_with(self, action: Action) -> int:
        """To how many portals this happens."""
        return sum(portal.action is action for portal in self.portals)

    @property
    def counts(self) -> Counts:
        """What happens to products before any tenant is read."""
        return _counted(product for portal in self.portals for product in portal.products)

    @property
    def import_counts(self) -> Counts:
        """What the imports bring."""
        return _counted(product for preview in self.previews for product in preview.products)


@dataclass(frozen=True, slots=True)
class KnownAs:
    """The state of a portal when the plan was made: its serial, and the digest of its ledger text."""

    serial: int
    digest: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan was made from, so that it can be told whether that is still so.

    ``tool`` is the version of this program. ``state`` and ``portals`` are about the selected portals: what was known,
    and the digest of what is declared. ``settings`` and ``removals`` are digests too. ``credential_ends`` are the last
    days of certificates that could be read when the plan was made.
    """

    tool: str
    emulated: bool
    only: tuple[str, ...]
    allowed: tuple[Override, ...]
    state: Mapping[str, KnownAs]
    portals: Mapping[str, str]
    settings: str
    removals: str
    credential_ends: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan with what it was made from, as a plan file holds it."""

    basis: Basis
    page: PlanPage


def _counted(products: Iterable[ProductPage]) -> Counts:
    """Products by what happens to them. One that moves counts as such whatever else happens."""
    found = list(products)
    told = {effect: sum(product.effect is effect for product in found) for effect in Effect}
    return Counts(
        new=told[Effect.NEW],
        lost=told[Effect.LOST],
        recover=told[Effect.RECOVERS],
        move=sum(product.moves for product in found),
        removed=told[Effect.REMOVED],
        otherwise=told[Effect.CHANGED],
    )


def _effects(page: PlanPage) -> Iterator[Effect]:
    for portal in page.portals:
        if portal.is_shown:
            yield portal.effect
        preview = portal.preview
        for product in (*portal.products, *(preview.products if preview else ())):
            yield product.effect
        if preview and preview.error:
            yield Effect.STOPPED
    if page.refusals:
        yield Effect.STOPPED
