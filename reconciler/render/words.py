"""Small pieces of English: counts with their noun, times, numbers that may be missing, one side of a change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from reconciler.labels import FINDING_LABELS, REASON_LABELS, STATUS_LABELS
from reconciler.model import Change, Reason, Status
from reconciler.money import spoken

MISSING = "–"

_FIELDS = {
    "applies_to": "applies to",
    "capability_status": "capability",
    "client_id": "client ID",
    "consumed_units": "Graph's count",
    "credential_expires": "end of the credential",
    "emulated": "emulator's scenario",
    "enabled": "enabled units",
    "excluded": "licenses kept out of the import",
    "locked_out": "locked-out units",
    "part_number": "part number",
    "presence": "state",
    "protect": "protection",
    "sign_ins": "sign-ins read",
    "suspended": "suspended units",
    "tenant_id": "tenant ID",
    "users": "users with a license",
    "warning": "units in grace",
}
"""Fields of a change that a glossary reader would not know by the model's name."""


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: ``1 portal``, ``1,300 users``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


def listed(parts: Iterable[str]) -> str:
    """Parts joined as a sentence joins them."""
    items = list(parts)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def number(value: int | None) -> str:
    """A number with thousands separators, or a dash."""
    return MISSING if value is None else f"{value:,}".replace("-", "−")


def money(value: Decimal | None, currency: str) -> str:
    """An amount as people read it, or a dash."""
    return MISSING if value is None else spoken(value, currency)


def percent(basis_points: int | None) -> str:
    """A utilization as people read it, or a dash."""
    return MISSING if basis_points is None else f"{basis_points // 100:,}.{basis_points % 100:02} %"


def moment(value: datetime | None) -> str:
    """A time as people read it, in UTC."""
    return value.strftime("%Y-%m-%d %H:%M UTC") if value else MISSING


def changed_field(change: Change) -> str:
    """The field of a change in words."""
    group, _, name = change.field.partition(".")
    if group == "findings":
        return FINDING_LABELS.get(name, name)
    if group == "errors":
        return f"assignments in error ({name})"
    return _FIELDS.get(change.field, change.field)


def changed_value(change: Change, value: str | int | None) -> str:
    """One side of a change in words: statuses and reasons by their label, other text as it is."""
    if value is None:
        return "none"
    if isinstance(value, int):
        return number(value)
    if change.field in ("status", "product"):
        return STATUS_LABELS[Status(value)]
    if change.field == "reason":
        return REASON_LABELS[Reason(value)]
    return value
