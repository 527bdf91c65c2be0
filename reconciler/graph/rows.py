"""From the wire's structs to the model: licenses with their subscriptions, users with what they hold.

The part for users runs a million times in a large tenant, so it does nothing twice that many users have in common.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from operator import attrgetter

from reconciler.findings import OTHER_ERROR, SIGN_INS_BEGIN, idle
from reconciler.graph.wire import (
    AssignedLicense,
    CompanySubscription,
    LicenseAssignmentState,
    SubscribedSku,
    Tenant,
    User,
    UserWithSignIns,
    instant,
    whole,
)
from reconciler.model import Contact, Holding, License, Organization, ServicePlans, Subscription, Units, UserPage

NO_UNITS = Units(None, None, None, None)


def organization(tenant: Tenant) -> Organization:
    """Who the tenant says it is, with the domain that is its default."""
    default = next((domain.name for domain in tenant.verified_domains or () if domain.is_default), None)
    return Organization(tenant.id.lower(), tenant.display_name or "", default)


def licenses(skus: Iterable[SubscribedSku], subscriptions: Iterable[CompanySubscription]) -> tuple[License, ...]:
    """Every SKU with its subscriptions, sorted by SKU ID.

    A subscription belongs to the SKU whose ``subscriptionIds`` name it; a SKU of which none is found there gets those
    with its SKU ID. A SKU that is listed twice counts once; if its two entries disagree, nobody can say which numbers
    are right, so it has none.
    """
    by_id = {each.id.lower(): each for each in subscriptions}
    by_sku: defaultdict[str, list[CompanySubscription]] = defaultdict(list)
    for subscription in by_id.values():
        by_sku[subscription.sku_id.lower()].append(subscription)
    found: dict[str, License] = {}
    for sku in skus:
        named = [by_id[each] for each in {each.lower() for each in sku.subscription_ids or ()} if each in by_id]
        new = _license(sku, named or by_sku[sku.sku_id.lower()])
        old = found.setdefault(new.sku_id, new)
        if old != new:
            found[new.sku_id] = min(_without_numbers(old), _without_numbers(new), key=repr)
    return tuple(found[sku_id] for sku_id in sorted(found))


def _license(sku: SubscribedSku, subscriptions: Iterable[CompanySubscription]) -> License:
    prepaid = sku.prepaid_units
    return License(
        sku_id=sku.sku_id.lower(),
        part_number=sku.sku_part_number or sku.sku_id.lower(),
        applies_to=sku.applies_to or "",
        capability_status=sku.capability_status or "",
        units=Units(
            enabled=whole(prepaid.enabled),
            warning=whole(prepaid.warning),
            suspended=whole(prepaid.suspended),
            locked_out=whole(prepaid.locked_out),
        )
        if prepaid
        else NO_UNITS,
        consumed_units=whole(sku.consumed_units),
        subscriptions=tuple(sorted(map(_subscription, subscriptions), key=lambda each: each.id)),
    )


def _without_numbers(known: License) -> License:
    return replace(known, units=NO_UNITS, consumed_units=None)


def _subscription(subscription: CompanySubscription) -> Subscription:
    return Subscription(
        id=subscription.id.lower(),
        status=subscription.status or "",
        total_licenses=whole(subscription.total_licenses),
        is_trial=bool(subscription.is_trial),
        next_lifecycle=instant(subscription.next_lifecycle_date_time),
    )


def service_plans(skus: Iterable[SubscribedSku]) -> dict[str, ServicePlans]:
    """The service plans of each SKU. A SKU whose two entries disagree has none that is sure."""
    found: dict[str, ServicePlans] = {}
    for sku in skus:
        plans = _service_plans(sku)
        sku_id = sku.sku_id.lower()
        found[sku_id] = plans if found.get(sku_id, plans) == plans else ServicePlans(all_known=False)
    return found


def _service_plans(sku: SubscribedSku) -> ServicePlans:
    told = sku.service_plans or ()
    for_users = [plan for plan in told if plan.service_plan_id and plan.applies_to == "User"]
    return ServicePlans(
        frozenset(plan.service_plan_id.lower() for plan in for_users if plan.service_plan_id),
        frozenset(
            plan.service_plan_id.lower()
            for plan in for_users
            if plan.service_plan_id and plan.provisioning_status == "Success"
        ),
        all(plan.service_plan_id and plan.applies_to for plan in told),
    )


def user_page(users: Sequence[User], idle_since: date | None = None) -> UserPage:
    """The users of one page that hold a license or were meant to; the others are counted and dropped.

    Of a user who is on the page twice, the later entry counts. With ``idle_since``, sign-ins count: who has not signed
    in after that day is inactive.
    """
    contacts: list[Contact] = []
    held: list[tuple[Holding, ...]] = []
    for object_id, user in {user.id.lower(): user for user in users}.items():
        if found := holdings(user, idle_since):
            held.append(found)
            contacts.append(
                Contact(
                    object_id,
                    user.user_principal_name,
                    user.display_name,
                    user.mail,
                    user.account_enabled,
                    user.user_type,
                    user.usage_location,
                )
            )
    return UserPage(len(users), contacts, held)


def holdings(user: User, idle_since: date | None = None) -> tuple[Holding, ...]:
    """One entry per SKU that the user holds, or does not hold because of an error, sorted."""
    if not user.assigned_licenses and not user.license_assignment_states:
        return ()
    if isinstance(user, UserWithSignIns):
        found = _holdings(user.assigned_licenses, user.license_assignment_states)
        return _with_idle(found, user, idle_since) if idle_since else found
    return _known_holdings(user.assigned_licenses, user.license_assignment_states)


def _holdings(
    licenses: tuple[AssignedLicense, ...], ways: tuple[LicenseAssignmentState, ...] | None
) -> tuple[Holding, ...]:
    """What a user holds.

    ``assignedLicenses`` alone says what is held; ``licenseAssignmentStates`` has an entry for each way by which it
    came, or failed to come. Of several errors the first by name is kept.
    """
    held = {each.sku_id.lower(): each.disabled_plans for each in licenses}
    direct: set[str] = set()
    group: set[str] = set()
    errors: dict[str, str] = {}
    for entry in ways or ():
        sku_id = entry.sku_id.lower()
        if sku_id in held and entry.state != "Error":
            (group if entry.assigned_by_group else direct).add(sku_id)
        error = entry.error if entry.error != "None" else None
        if entry.state == "Error":
            error = error or OTHER_ERROR
        elif entry.state != "ActiveWithError" or sku_id not in held:
            continue
        if error:
            errors[sku_id] = min(error, errors.get(sku_id, error))
    found = [
        Holding(
            sku_id,
            True,
            sku_id in direct,
            sku_id in group,
            errors.get(sku_id),
            tuple(sorted(map(str.lower, disabled))) if disabled else (),
        )
        for sku_id, disabled in held.items()
    ]
    found += [Holding(sku_id, False, False, False, error) for sku_id, error in errors.items() if sku_id not in held]
    return tuple(sorted(found, key=attrgetter("sku_id")))


_known_holdings = lru_cache(maxsize=4096)(_holdings)
"""What users hold, by what Graph says of it: nearly everybody holds what somebody else holds in the same way."""


def _with_idle(found: tuple[Holding, ...], user: UserWithSignIns, since: date) -> tuple[Holding, ...]:
    """The same with what the user's sign-ins say against each SKU that is held."""
    activity = user.sign_in_activity
    told = activity.last_successful_sign_in_date_time if activity else None
    last = instant(told)
    if told and (last is None or last.date() < SIGN_INS_BEGIN):
        return found  # not a time, or one before there were any, is no knowledge
    if last and last.date() > since:
        return found
    assigned: dict[str, date] = {}
    for entry in user.license_assignment_states or ():
        moment = instant(entry.last_updated_date_time)
        if moment and entry.state != "Error":
            sku_id = entry.sku_id.lower()
            assigned[sku_id] = min(moment.date(), assigned.get(sku_id, date.max))
    created = instant(user.created_date_time)
    days = (last and last.date(), created and created.date())
    return tuple(
        each._replace(idle=idle(*days, assigned.get(each.sku_id), since)) if each.holds else each for each in found
    )
