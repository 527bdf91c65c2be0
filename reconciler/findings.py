"""What can be wrong with a consumer, although the license itself may be in order.

Findings are counted in SQL (``store/staging.py``) and never named in a committed file; here are their ids, in the
order in which they are shown, and what each means.
"""

from __future__ import annotations

FINDINGS: dict[str, str] = {
    "disabled_account": "consumers whose account is disabled",
    "guest_licensed": "consumers who are guests",
    "no_usage_location": "consumers without a usage location",
    "direct_and_group": "consumers who have the license both directly and through a group",
    "assignment_error": "users whose assignment is in error, with or without effect",
}
"""Finding id to its meaning."""


def count_mismatch(consumed_units: int | None, consumers: int | None) -> int:
    """Graph's count minus ours. Deleted users can keep a license for 30 days, so a difference need not be an error."""
    return 0 if consumed_units is None or consumers is None else consumed_units - consumers
