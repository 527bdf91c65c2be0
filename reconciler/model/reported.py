"""What a tenant reports: licenses, users, and whether it could be read at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Units:
    """``prepaidUnits`` of a SKU. ``warning`` is expired but in grace and usable; the last two are not usable."""

    enabled: int | None
    warning: int | None
    suspended: int | None
    locked_out: int | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """One purchase behind a SKU. ``next_lifecycle`` is when it moves to its next status if it is not renewed."""

    id: str
    status: str
    total_licenses: int | None
    is_trial: bool = False
    next_lifecycle: datetime | None = None


@dataclass(frozen=True, slots=True)
class License:
    """What is owned: one SKU and its quantities, as ``/subscribedSkus`` and ``/directory/subscriptions`` report it."""

    sku_id: str
    part_number: str
    applies_to: str
    capability_status: str
    units: Units
    consumed_units: int | None
    subscriptions: tuple[Subscription, ...] = ()


@dataclass(frozen=True, slots=True)
class Organization:
    """Who the tenant says it is."""

    tenant_id: str
    display_name: str
    default_domain: str | None


class Contact(NamedTuple):
    """A person known because they hold a license. Personal data: kept in the state DB only.

    A tuple, and a row of the state DB as it is: there are a million of them.
    """

    object_id: str
    user_principal_name: str | None
    display_name: str | None
    mail: str | None
    account_enabled: bool | None
    user_type: str | None
    usage_location: str | None


class Holding(NamedTuple):
    """One SKU that a user holds, or was meant to hold. Many users hold alike, so it does not say who.

    ``holds`` is False when the assignment is in state ``Error`` and the user got nothing. ``direct`` and ``group``
    say by which ways it was assigned; both can be true. ``error`` is Graph's word for what is wrong, or None.
    ``disabled_plans`` are the service plans that are switched off for this user, sorted. ``idle`` is the finding
    ``inactive`` or ``never_signed_in`` where it is so, as far as sign-ins were read.
    """

    sku_id: str
    holds: bool
    direct: bool
    group: bool
    error: str | None
    disabled_plans: tuple[str, ...] = ()
    idle: str | None = None


@dataclass(frozen=True, slots=True)
class UserPage:
    """One page of ``/users``: who holds something and what. ``received`` counts all users on the page.

    ``held`` is what each of the ``contacts`` holds, in their order: one entry or more, sorted.
    """

    received: int
    contacts: list[Contact]
    held: list[tuple[Holding, ...]]


@dataclass(frozen=True, slots=True)
class ChangedPage:
    """One page of ``/users/delta``: who changed since a link was taken.

    A user is in one of the three at most, but for who is told clearly first and then not: that one is among the
    ``present`` and the ``unclear``.

    ``present`` hold something now, with all that they hold; ``gone`` are the object IDs of those who were removed or
    hold nothing; of the ``unclear`` Graph did not say what they hold. ``link`` is on the last page: behind it is what
    changes from now on.
    """

    present: UserPage
    gone: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    link: str | None = None


@dataclass(frozen=True, slots=True)
class ServicePlans:
    """The service plans of a SKU that are for users, by ID; ``working`` are those that are provisioned.

    ``all_known`` is False when there is one of which nobody knows what it is or whether it is for users.
    """

    for_users: frozenset[str] = frozenset()
    working: frozenset[str] = frozenset()
    all_known: bool = True


@dataclass(frozen=True, slots=True)
class Consumption:
    """Counts over the users of one SKU, without zeros.

    ``findings`` maps a finding's id to its number of users; ``errors`` Graph's word for what is wrong with an
    assignment to the number of users with it; ``CountViolation`` only those who did not get the license by another way
    either. ``reclaimable`` maps a finding's id to the consumers who do not need the
    license because of it: each consumer counts once, under the first of ``findings.SAVINGS`` that fits.
    """

    consumers: int
    findings: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)
    reclaimable: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An error as reports keep it: nothing in it moves while the failure lasts (no request id, no time)."""

    code: str
    message: str
    remedy: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    """A tenant that was read to its end. Only this may change what is known.

    ``consumption`` holds a value for each license somebody consumes; ``users`` counts the distinct users with at
    least one license that is imported; ``emulated`` names the emulator's scenario when no real tenant answered.
    ``sign_ins``: the users' sign-ins were read too. If not, the findings about them are unknown, and not zero.
    ``credential_end`` is the last day of the portal's first credential, None when signing in did not show it.
    ``paths_as_of`` is when ways and errors of assignments, and sign-ins, were read, where that was in an earlier import
    that this one went on from; None when all users were read now.
    """

    portal_id: str
    organization: Organization
    licenses: tuple[License, ...]
    consumption: Mapping[str, Consumption]
    users: int
    emulated: str | None = None
    sign_ins: bool = False
    credential_end: date | None = None
    paths_as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A tenant that could not be read, or not to its end. It changes nothing but the outcome of the import."""

    portal_id: str
    error: ErrorInfo


Observation = Complete | Failed
