"""What can be wrong with a consumer, although the license itself may be in order.

Findings are counted in SQL (``store/staging.py``) and never named in a committed file; here are their ids, in the
order in which they are shown, and what each means.
"""

from __future__ import annotations

FINDINGS: dict[str, str] = {
    "disabled_account": "the account is disabled",
    "guest_licensed": "the user is a guest",
    "no_usage_location": "the user has no usage location",
    "direct_and_group": "the license is assigned directly and through a group",
    "assignment_error": "the assignment is in error, with or without effect",
}
"""Finding id to what is so with each user that it counts."""


COUNTED_BY_GRAPH_ONLY = "Graph counts it, but no user holds it: deleted users keep a license for up to 30 days"
HELD_BUT_NOT_COUNTED = "a user holds it, but Graph does not count it"
"""What a count_mismatch means, above zero and below."""


def count_mismatch(consumed_units: int | None, consumers: int | None) -> int:
    """Graph's count minus ours. Deleted users can keep a license for 30 days, so a difference need not be an error."""
    return 0 if consumed_units is None or consumers is None else consumed_units - consumers
