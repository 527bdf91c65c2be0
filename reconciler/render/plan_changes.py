"""Changes of a plan in words that a license manager reads: of a portal's own settings, of one product.

The words are raw: whoever prints them makes them harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconciler.labels import CREDENTIAL_LABELS, REASON_LABELS
from reconciler.model import (
    Authentication,
    CertificateAuthentication,
    Change,
    FederatedAuthentication,
    ImportOutcome,
    Portal,
    PortalState,
    Presence,
    Reason,
    SecretAuthentication,
    Status,
)
from reconciler.plan_page import Standing
from reconciler.render.words import changed_field, changed_value, count, number

_LISTS = {"exclusions.": "exclusion", "include.": "inclusion", "products.": "product entry"}
"""What the entries of a portal's lists are called."""

_UNTOLD = ("file", "presence", "suspend.reason", "suspend.until", "name", "tenant_id", "directory", "protect")
"""Own fields that have a sentence of their own."""

_FIELDS = {
    "client_id": "application (client) ID",
    "credential_expires": "last day of the credential",
    "replaces_tenant_id": "tenant that it may turn from",
    "cloud": "Microsoft cloud",
}

_IMPORT_FIELDS = ("import", "users", "organization", "emulated", "excluded", "error")
"""Own fields that only an import changes."""


def portal_words(before: PortalState, after: PortalState, changes: Sequence[Change]) -> Iterator[str]:
    """What changes of a portal itself, most important first."""
    own = {change.field: change for change in changes if change.sku_id is None}
    products = len(after.products)
    if "name" in own:
        prefix = f"; the new name becomes the prefix of {count(products, 'product')}" if products else ""
        yield f"name: {_sides(own['name'])}{prefix}"
    if before.id != after.id:
        yield f"file renamed from {before.id}.yaml to {after.id}.yaml"
    yield from _presence(before, after, own)
    if "tenant_id" in own:
        old = f"; {count(products, 'product')} came from the former one" if products else ""
        yield f"reads another tenant: {_sides(own['tenant_id'])}{old}"
    if any(_is_authentication(name) for name in own):
        yield f"signs in by {_sign_in(after.portal)}; was by {_sign_in(before.portal)}"
    if "protect" in own:
        yield "protected from deletion" if after.portal.protect else "not protected from deletion any more"
    if "directory" in own:
        stay = "; the others stay where they are" if products else ""
        yield f"new products go to {after.portal.directory}, not to {before.portal.directory}{stay}"
    for name, change in own.items():
        if name not in (*_UNTOLD, *_IMPORT_FIELDS) and not _is_authentication(name):
            yield _own(name, change)


def _is_authentication(name: str) -> bool:
    """Whether a field says how a portal signs in."""
    return name.startswith(("authentication.", "second_authentication."))


def _presence(before: PortalState, after: PortalState, own: Mapping[str, Change]) -> Iterator[str]:
    """Whether the portal is imported, as a sentence."""
    pause = after.portal.suspend
    if before.presence is Presence.DELETED and after.presence is not Presence.DELETED:
        yield "declared again; it was deleted before"
    if after.presence is Presence.SUSPENDED and pause:
        if own.keys() & {"presence", "suspend.reason", "suspend.until"}:
            until = f" until {pause.until}" if pause.until else ""
            yield f"imports are suspended{until}: {pause.reason}"
    elif before.presence is Presence.SUSPENDED and after.presence is Presence.PRESENT:
        over = f"; the suspension ended on {pause.until}" if pause and pause.until else ""
        yield f"imports go on{over}"
    elif own.keys() & {"suspend.reason", "suspend.until"}:
        yield "the entry `suspend`, which is over, changes" if pause else "the entry `suspend`, which is over, goes"


def _sign_in(portal: Portal) -> str:
    """How a portal signs in, in words."""
    second = portal.second_authentication
    return _credential(portal.authentication) + (f", else by {_credential(second)}" if second else "")


def _credential(authentication: Authentication) -> str:
    """One way to sign in, by where its secrets are kept."""
    words = CREDENTIAL_LABELS[authentication.type]
    if isinstance(authentication, SecretAuthentication):
        end = f", valid until {authentication.expires}" if authentication.expires else ""
        return f"{words} {authentication.secret}{end}"
    if isinstance(authentication, CertificateAuthentication):
        parts = (authentication.pfx, authentication.public_certificate, authentication.private_key)
        return f"{words} {' '.join(str(part) for part in parts if part)}"
    if isinstance(authentication, FederatedAuthentication):
        return f"{words} {authentication.token}" if authentication.token else f"{words} (GitHub Actions)"
    return f"{words} ({authentication.assigned}-assigned)"


def _own(name: str, change: Change) -> str:
    """One change of a portal's own settings that has no sentence of its own."""
    for prefix, noun in _LISTS.items():
        if name.startswith(prefix):
            subject = f"{noun} {name.removeprefix(prefix)}"
            if change.before is None:
                return f"{subject} added: {change.after}"
            if change.after is None:
                return f"{subject} taken out; it was: {change.before}"
            return f"{subject} changed: {change.before} → {change.after}"
    if name.startswith("safety."):
        return f"own limit {name.removeprefix('safety.')}: {_sides(change, 'that of the settings')}"
    return f"{_FIELDS.get(name, name.replace('_', ' '))}: {_sides(change)}"


def _sides(change: Change, nothing: str = "none") -> str:
    """Both sides of a change."""
    before, after = (
        nothing if value is None else number(value) if isinstance(value, int) else value
        for value in (change.before, change.after)
    )
    return f"{before} → {after}"


def import_words(before: PortalState, after: PortalState, changes: Sequence[Change]) -> Iterator[str]:
    """What an import changes of a portal itself."""
    own = {change.field: change for change in changes if change.sku_id is None}
    was = before.last_import.outcome
    if "import" in own:
        again = f"{before.last_import.error.code}" if before.last_import.error else ""
        yield "first import" if was is ImportOutcome.NEVER else f"can be read again; the last import failed: {again}"
    if "users" in own and was is ImportOutcome.NEVER:
        yield f"{count(after.last_import.users, 'user')} with a license"
    elif "users" in own:
        yield f"users with a license: {_sides(own['users'])}"
    if any(name.startswith("organization.") for name in own) and after.last_import.organization:
        tenant = after.last_import.organization
        domain = f" ({tenant.default_domain})" if tenant.default_domain else ""
        yield f"the tenant calls itself {tenant.display_name}{domain}"
    if "emulated" in own:
        yield f"emulated by: {_sides(own['emulated'], 'nobody')}"
    if "excluded" in own:
        yield f"licenses that exclusions keep out: {_sides(own['excluded'])}"


def product_words(changes: Sequence[Change], before: Standing | None, after: Standing | None) -> Iterator[str]:
    """What changes of one product, most important first. ``changes`` are all of this product."""
    fields = {change.field: change for change in changes}
    if "product" in fields:
        yield from _appearance(fields["product"], before, after)
        return
    if "status" in fields:
        status, reason = fields["status"], fields.get("reason")
        yield f"status: {changed_value(status, status.before)} → {changed_value(status, status.after)}"
        if status.after == Status.CANNOT_BE_SYNCHRONISED.value and reason:
            yield f"because {changed_value(reason, reason.after)}{_why(reason)}"
    elif "reason" in fields:
        reason = fields["reason"]
        was, now = changed_value(reason, reason.before), changed_value(reason, reason.after)
        yield f"still cannot be synchronized: {was} → {now}{_why(reason)}"
    if "recovery" in fields:
        reason = fields["recovery"]
        yield f"recovers with the next complete import (was: {REASON_LABELS[Reason(str(reason.before))]})"
    if "directory" in fields:
        yield f"moves from {fields['directory'].before} to {fields['directory'].after}"
    yield from _numbers(fields, before, after)
    yield from _details(fields)


def _appearance(change: Change, before: Standing | None, after: Standing | None) -> Iterator[str]:
    """A product that is new, or is removed."""
    if after is not None:
        yield f"new: {changed_value(change, change.after)}; {_said(after)}"
        return
    yield f"removed: {change.why}"
    if before and before.reason:
        yield f"it could not be synchronized: {REASON_LABELS[before.reason]}"


def _said(standing: Standing) -> str:
    """The numbers of a product."""
    numbers = (("entitled", standing.entitled), ("consumed", standing.consumed), ("balance", standing.balance))
    return ", ".join(f"{name} {number(value)}" for name, value in numbers)


def _numbers(fields: Mapping[str, Change], before: Standing | None, after: Standing | None) -> Iterator[str]:
    """The numbers of a product that change."""
    if before is None or after is None:
        return
    sides = (
        ("entitled", before.entitled, after.entitled),
        ("consumed", before.consumed, after.consumed),
        ("balance", before.balance, after.balance),
        ("consumers", before.consumers, after.consumers),
    )
    moved = [f"{name} {number(was)} → {number(now)}" for name, was, now in sides if was != now]
    if moved:
        yield ", ".join(moved)
    for name in ("warning", "suspended", "locked_out"):
        if change := fields.get(name):
            yield f"{changed_field(change)}: {_sides(change)}"
    if not moved and (hidden := [name for name in ("enabled", "consumed_units") if name in fields]):
        yield ", ".join(f"{changed_field(fields[name])}: {_sides(fields[name])}" for name in hidden)


_TOLD = frozenset(
    {"product", "status", "reason", "recovery", "directory"}
    | {"consumers", "enabled", "consumed_units", "warning", "suspended", "locked_out"}
)
"""Fields of a product that have a sentence of their own."""


def _details(fields: Mapping[str, Change]) -> Iterator[str]:
    """What else changes of a product. Of assignments and subscriptions only that they do: the report has them."""
    shown, assignments, subscriptions = [], False, False
    for name, change in fields.items():
        if name.startswith(("errors.", "reclaimable.")):
            assignments = True
        elif name.startswith("subscriptions."):
            subscriptions = True
        elif name not in _TOLD:
            shown.append(change)
    for change in shown:
        yield f"{changed_field(change)}: {_sides(change, '0' if change.field.startswith('findings.') else 'none')}"
    if subscriptions:
        yield "its subscriptions change"
    if assignments:
        yield "details of its assignments change"


def _why(reason: Change) -> str:
    """The words of the exclusion behind a reason, where there is one."""
    return f" ({reason.why})" if reason.why else ""
