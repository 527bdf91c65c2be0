"""What changed in a portal, as sentences that its people would write: one for each thing that changed.

The sentences are plain text with whatever names the tenant has: who shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.model import Change, Presence, Status
from reconciler.render.words import changed_field, changed_value, count

_COUNTED = ("findings", "errors")
"""Groups of counts of which zero is left out."""

_UNTOLD = "reclaimable"
"""Counts that follow from the findings, which are told."""

_NAMED = {"exclusions": "exclusion of", "include": "inclusion of", "products": "declaration of"}
"""Lists of the portal's file of which each entry is one change, and what an entry is called."""

_GROUPS = {
    "authentication": "the way it signs in",
    "directory": "output directory of new products",
    "second_authentication": "the second way it signs in",
    "organization": "the tenant's own name",
    "safety": "safety limits",
    "suspend": "suspension",
}
"""Parts of a portal that are told as one thing, and what each is called."""

_MEMBERS = {
    "default_domain": "domain",
    "display_name": "name",
    "is_trial": "trial",
    "next_lifecycle": "next change of state",
    "purchase_order": "purchase order",
    "tenant_id": "tenant ID",
    "total_licenses": "licenses",
}
"""Members of such parts that have another name than in the model."""


def is_new(changes: Iterable[Change]) -> bool:
    """Whether the changes are those of a new portal."""
    return any(change.field == "portal" for change in changes)


def arrival(changes: Sequence[Change], *, unread: bool) -> str:
    """What a new portal brings, behind the word "new"; ``unread`` while nobody knows."""
    products = {change.sku_id for change in changes if change.sku_id}
    return "not read yet" if unread and not products else f"with {count(len(products), 'product')}"


def sentences(changes: Sequence[Change]) -> list[str]:
    """The changes of one portal, its own first, then one sentence a product.

    What a new portal brings is in its table and not said again.
    """
    if is_new(changes):
        return []
    own = _own([change for change in changes if change.sku_id is None])
    products: dict[str, list[Change]] = {}
    for change in changes:
        if change.sku_id:
            products.setdefault(change.sku_id, []).append(change)
    return own + [words for found in products.values() if (words := _product(found))]


# --- the portal itself -----------------------------------------------------------------------------------------------


def _own(changes: list[Change]) -> list[str]:
    """One sentence for each thing of the portal that changed."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(_subject(change), []).append(change)
    told = (_thing(subject, found) for subject, found in groups.items())
    return [words for words in told if words]


def _subject(change: Change) -> str:
    """What of the portal a change is about."""
    head, _, rest = change.field.partition(".")
    if head in _NAMED:
        return f"{_NAMED[head]} {rest}"
    return "import" if change.field == "error" else _GROUPS.get(head, changed_field(change))


def _thing(subject: str, found: list[Change]) -> str:
    """One sentence about one thing."""
    first = found[0]
    if subject == "import":
        return _import(found)
    if first.field == "file":
        return f"its file was {first.before}.yaml and is {first.after}.yaml now"
    if first.field == "name":
        return f"renamed from {first.before} to {first.after}"
    if first.field == "presence":
        return _presence(first)
    if first.field == "excluded":
        return _kept_out(first)
    return _added_or_changed(subject, found)


def _kept_out(change: Change) -> str:
    """Which licenses exclusions keep out of the import now, and which no longer."""
    before, after = (str(side).split(", ") if side else [] for side in (change.before, change.after))
    more, fewer = (
        [name for name in these if name not in others] for these, others in ((after, before), (before, after))
    )
    parts = [f"now kept out of the import: {', '.join(more)}"] if more else []
    parts += [f"no longer kept out of the import: {', '.join(fewer)}"] if fewer else []
    return "; ".join(parts)


def _presence(change: Change) -> str:
    """That a portal is deleted, suspended or back."""
    if change.after == Presence.DELETED.value:
        return "no longer declared"
    if change.after == Presence.SUSPENDED.value:
        return "suspended"
    return "declared again" if change.before == Presence.DELETED.value else "no longer suspended"


def _import(found: list[Change]) -> str:
    """How the import ended, with its error."""
    outcome = next((change for change in found if change.field == "import"), None)
    error = next((change for change in found if change.field == "error"), None)
    said = f": {error.after}" if error and error.after else ""
    if outcome is None:
        return f"the import fails for another reason{said}" if said else ""
    if outcome.after == "complete" and outcome.before == "failed":
        return "the import is complete again"
    return "the import has failed" + said if outcome.after == "failed" else f"the import is {outcome.after}"


def _added_or_changed(subject: str, found: list[Change]) -> str:
    """That a thing is new, is no more, or has changed."""
    shown = [change for change in found if not change.field.endswith(".kind")]
    if all(change.before is None for change in found):
        said = [f"{_member_of(change)}{changed_value(change, change.after)}" for change in shown or found]
        return f"{subject} added: {', '.join(said)}"
    if all(change.after is None for change in found):
        return f"{subject} taken out"
    colon = ":" if "." in found[0].field else ""
    return f"{subject}{colon} {', '.join(_difference(change) for change in shown or found)}"


def _difference(change: Change) -> str:
    """Before and after, with the member's name where a thing has several."""
    return f"{_member_of(change)}{changed_value(change, change.before)} → {changed_value(change, change.after)}"


def _member_of(change: Change) -> str:
    """The name of a member with a blank, for a thing that has several; else nothing."""
    head, _, path = change.field.partition(".")
    name = path.rpartition(".")[2]
    return f"{_MEMBERS.get(name, name).replace('_', ' ')} " if head in _GROUPS and name else ""


# --- products --------------------------------------------------------------------------------------------------------


def _product(found: list[Change]) -> str:
    """One sentence about one product; empty when there is nothing to say."""
    title = found[0].subject
    whole = next((change for change in found if change.field == "product"), None)
    if whole:
        return f"{title}: {_whole(whole)}"
    subscriptions: dict[str, list[Change]] = {}
    parts = []
    status = next((change for change in found if change.field == "status"), None)
    for change in found:
        group, _, rest = change.field.partition(".")
        if group == "subscriptions":
            subscriptions.setdefault(rest.rpartition(".")[0], []).append(change)
        elif group != _UNTOLD and not (change.field == "reason" and status):
            parts.append(_fact(change, found))
    parts += [_subscription(members) for members in subscriptions.values()]
    return f"{title}: {'; '.join(parts)}" if parts else ""


def _whole(change: Change) -> str:
    """That a product is new or removed."""
    if change.before is None:
        return f"new, {changed_value(change, change.after)}"
    return "removed from the state" + _why(change)


def _fact(change: Change, found: list[Change]) -> str:
    """One fact of a product. The reason of a lost synchronization stands beside its status."""
    before, after = changed_value(change, change.before), changed_value(change, change.after)
    if change.field == "status" and change.after == Status.CANNOT_BE_SYNCHRONISED.value:
        reason = next((other for other in found if other.field == "reason"), None)
        after += f": {changed_value(reason, reason.after)}{_why(reason)}" if reason else ""
    if change.field == "directory":
        return f"moved from {before} to {after}"
    if change.field == "title":
        return f"was called {before}"
    if change.field.partition(".")[0] in _COUNTED:
        before, after = ("0" if side is None else changed_value(change, side) for side in (change.before, change.after))
    why = _why(change) if change.field == "reason" else ""
    return f"{changed_field(change)} {before} → {after}{why}"


def _why(change: Change) -> str:
    """What the configuration gives as the reason."""
    return f" ({change.why})" if change.why else ""


def _subscription(members: list[Change]) -> str:
    """That a subscription is new, has ended, or has changed."""
    if all(change.before is None for change in members):
        return f"new subscription, {', '.join(_said(change, change.after) for change in members)}"
    if all(change.after is None for change in members):
        licenses = next((change.before for change in members if change.field.endswith(".total_licenses")), None)
        return "a subscription is gone" + (f", {count(licenses, 'license')}" if isinstance(licenses, int) else "")
    return f"a subscription: {', '.join(_member(change) for change in members)}"


def _said(change: Change, value: str | int | None) -> str:
    """One member of a subscription, alone."""
    name = change.field.rpartition(".")[2]
    if name == "total_licenses" and isinstance(value, int):
        return count(value, "license")
    if name == "is_trial":
        return "a trial" if value == "yes" else "no trial"
    return f"until {_day(value)}" if name == "next_lifecycle" else str(value)


def _member(change: Change) -> str:
    """One member of a subscription, before and after."""
    name = change.field.rpartition(".")[2]
    sides = (change.before, change.after)
    before, after = (_day(side) if name == "next_lifecycle" else changed_value(change, side) for side in sides)
    return f"{_MEMBERS.get(name, name)} {before} → {after}"


def _day(value: str | int | None) -> str:
    """The day of a time."""
    return str(value).partition("T")[0] if value else "none"
