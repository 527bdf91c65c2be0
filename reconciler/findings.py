"""What can be wrong with a consumer, although the license itself may be in order.

Findings are counted (``counting.py``) and never named in a committed file; here are their ids, in the order in which
they are shown, what each means, and the rules that need nothing but one assignment.
"""

from __future__ import annotations

from datetime import date

FINDINGS: dict[str, str] = {
    "disabled_account": "the account is disabled",
    "guest_licensed": "the user is a guest",
    "no_usage_location": "the user has no usage location",
    "direct_and_group": "the license is assigned directly and through a group",
    "assignment_error": "the assignment is in error, with or without effect",
    "overlap": "the user's other licenses contain every service plan that is on, or the settings say that one does",
    "plans_disabled": "every service plan of the license is switched off",
    "inactive": "the user has not signed in for the days that the settings name, and has had the license for as long",
    "never_signed_in": "the user never signed in, and the account is younger than Microsoft's records of sign-ins",
}
"""Finding id to what is so with each user that it counts."""

SAVINGS = ("disabled_account", "guest_licensed", "overlap", "inactive")
"""The findings because of which a consumer does not need the license; each consumer counts under the first that fits.

Of licenses that overlap each other, those that must stay for the user to keep every service plan do not count.
"""

SIGN_INS = ("inactive", "never_signed_in")
"""The findings that are known only when sign-ins were read; see ``Import.sign_ins``."""

OTHER_ERROR = "Other"
"""Graph's own word for an assignment error of no particular kind."""

NONE_LEFT = "CountViolation"
"""Graph's word where licenses ran out. Who holds the license in another way does not wait for one."""

ERRORS: dict[str, str] = {
    NONE_LEFT: "there are not enough licenses",
    "MutuallyExclusiveViolation": "it has a service plan that conflicts with another license of the user",
    "DependencyViolation": "it has a service plan that needs another one, or that another one needs",
    "ProhibitedInUsageLocationViolation": "it is not offered in the user's usage location",
    "UniquenessViolation": "a proxy address of the user is in use elsewhere",
    OTHER_ERROR: "Microsoft does not say why",
}
"""Graph's words for what is wrong with an assignment, and what each means.

Source: Microsoft Learn, "Identify and resolve license assignment problems for a group".
"""

SIGN_INS_BEGIN = date(2023, 12, 1)
"""Since when Graph knows ``lastSuccessfulSignInDateTime``: of an older account nobody can say that it never did."""


def error_kind(word: str) -> str:
    """Under which of ``ERRORS`` an assignment error counts."""
    return word if word in ERRORS else OTHER_ERROR


def idle(last_sign_in: date | None, created: date | None, assigned: date | None, since: date) -> str | None:
    """The finding of a user's sign-ins against one license: ``inactive``, ``never_signed_in``, or None.

    ``since`` is the day after which an active user has signed in; a license that was ``assigned`` later, or nobody
    knows when, is left alone. A user without a known sign-in is no inactive one: when did it end?
    """
    if last_sign_in is not None:
        return "inactive" if last_sign_in <= since and assigned is not None and assigned <= since else None
    return "never_signed_in" if created is not None and created >= SIGN_INS_BEGIN else None


SAME_PERSON = "a contact of the portal is known in a portal of another tenant too, by the e-mail address"
"""What same_person_two_portals means. It needs the contacts of all portals, so it is in the state DB only."""

SUBSCRIPTIONS_DIFFER = "the subscriptions in use and in grace do not add up to enabled + in grace"
"""What a subscription_mismatch means. It counts licenses: how many there are more on one side."""

COUNTED_BY_GRAPH_ONLY = "Graph counts it, but no user holds it: deleted users keep a license for up to 30 days"
HELD_BUT_NOT_COUNTED = "a user holds it, but Graph does not count it"
"""What a count_mismatch means, above zero and below."""


def count_mismatch(applies_to: str, consumed_units: int | None, consumers: int | None) -> int | None:
    """Graph's count minus ours. Deleted users can keep a license for 30 days, so a difference need not be an error.

    None where the two cannot be compared: the license is not for users, or a number is missing or negative.
    """
    if applies_to != "User" or consumed_units is None or consumers is None or min(consumed_units, consumers) < 0:
        return None
    return consumed_units - consumers
