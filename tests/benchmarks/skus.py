"""What a tenant of the benchmarks owns, and the ways in which its users hold it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

SKUS = {
    "05e9a617-0261-4cee-bb44-138d3ef5d965": "SPE_E3",
    "06ebc4ee-1bb5-47dd-8120-11324bc54e06": "SPE_E5",
    "6fd2c87f-b296-42f0-b197-1e91e994b900": "ENTERPRISEPACK",
    "66b55226-6b4f-492c-910c-a3b7a3c9d993": "SPE_F1",
    "f8a1db68-be16-40ed-86d5-cb42ce701560": "POWER_BI_PRO",
    "f30db892-07e9-47e9-837c-80727f46fd3d": "FLOW_FREE",
    "c5928f49-12ba-48f7-ada3-0d743a3601d5": "VISIOCLIENT",
    "53818b1b-4a27-454b-8896-0dba576410e6": "PROJECTPROFESSIONAL",
    "efccb6f7-5641-4e0e-bd10-b4976e1bf68e": "EMS",
    "4ef96642-f096-40de-a3e9-d83fb2f90211": "ATP_ENTERPRISE",
}
"""Part number by SKU ID, as Microsoft publishes them."""

E3, E5, OFFICE, F3, POWER_BI, FLOW, VISIO, PROJECT, EMS, DEFENDER = SKUS

PLANS_PER_SKU = 12


@dataclass(frozen=True)
class Way:
    """How a user got a SKU. ``group`` is the number of a group, 0 for a direct assignment."""

    sku_id: str
    group: int = 0
    state: str = "Active"
    error: str = "None"
    disabled: int = 0

    @property
    def holds(self) -> bool:
        """Whether the user has the license."""
        return self.state != "Error"


Profile = tuple[Way, ...]
"""What one user was assigned."""

NOTHING: Profile = ()

WEIGHTED: tuple[tuple[int, Profile], ...] = (
    (240, (Way(E3, 1),)),
    (130, (Way(E3, 1), Way(POWER_BI, 2))),
    (90, (Way(E3, 1, disabled=2), Way(FLOW))),
    (150, (Way(E5, 3),)),
    (60, (Way(E5, 3), Way(FLOW), Way(VISIO, 4))),
    (40, (Way(E5, 3), Way(PROJECT))),
    (110, (Way(F3, 5),)),
    (50, (Way(F3, 5, disabled=3), Way(POWER_BI))),
    (40, (Way(OFFICE), Way(EMS, 6), Way(DEFENDER, 6))),
    (30, (Way(OFFICE, 7), Way(OFFICE), Way(EMS, 6))),
    (30, (Way(E3), Way(VISIO), Way(PROJECT))),
    (20, (Way(E3, 1), Way(E3, 8), Way(POWER_BI, 2), Way(FLOW))),
    (14, (Way(E3, 1), Way(POWER_BI, 2, "Error", "CountViolation"))),
    (10, (Way(E5, 3, "ActiveWithError", "DependencyViolation"),)),
    (6, (Way(OFFICE, 7), Way(E5, 3, "Error", "MutuallyExclusiveViolation"))),
    (4, (Way(EMS, 6, disabled=PLANS_PER_SKU),)),
)
"""Of 1,024 licensed users, how many hold what."""

PROFILES: tuple[Profile, ...] = tuple(profile for weight, profile in WEIGHTED for _ in range(weight))

ASSIGNED = "@assigned"
"""Stands in a profile's JSON for the time of the assignments."""
SITE = "@@"
"""Stands there for two digits of each group's ID: every site has groups of its own."""


def held(profile: Profile) -> tuple[str, ...]:
    """The SKU IDs that a user with this profile holds, each once."""
    return tuple(dict.fromkeys(way.sku_id for way in profile if way.holds))


@cache
def licenses_json(profile: Profile) -> str:
    """The two members of a user that say what is held and how it came, with ``ASSIGNED`` and ``SITE`` in it."""
    assigned = [{"disabledPlans": _disabled(profile, sku_id), "skuId": sku_id} for sku_id in held(profile)]
    states = [
        {
            "skuId": way.sku_id,
            "disabledPlans": _plan_ids(way.sku_id)[: way.disabled],
            "assignedByGroup": str(uuid5(NAMESPACE_URL, f"group:{way.group}"))[:-2] + SITE if way.group else None,
            "state": way.state,
            "error": way.error,
            "lastUpdatedDateTime": ASSIGNED,
        }
        for way in profile
    ]
    return f'"assignedLicenses":{_compact(assigned)},"licenseAssignmentStates":{_compact(states)}'


def skus_json(consumers: dict[str, int]) -> bytes:
    """``/subscribedSkus``: what is consumed as counted, and a tenth more of it owned."""
    rows = [
        {
            "skuId": sku_id,
            "skuPartNumber": part_number,
            "appliesTo": "User",
            "capabilityStatus": "Enabled",
            "consumedUnits": consumers.get(sku_id, 0),
            "prepaidUnits": {"enabled": owned(consumers, sku_id), "suspended": 0, "warning": 0, "lockedOut": 0},
            "subscriptionIds": [_subscription_id(sku_id)],
            "servicePlans": [
                {
                    "servicePlanId": plan,
                    "servicePlanName": f"PLAN_{number}",
                    "provisioningStatus": "Success",
                    "appliesTo": "User",
                }
                for number, plan in enumerate(_plan_ids(sku_id))
            ],
        }
        for sku_id, part_number in SKUS.items()
    ]
    return _listed(rows)


def subscriptions_json(consumers: dict[str, int]) -> bytes:
    """``/directory/subscriptions``: one purchase for each SKU."""
    rows = [
        {
            "id": _subscription_id(sku_id),
            "skuId": sku_id,
            "status": "Enabled",
            "totalLicenses": owned(consumers, sku_id),
            "isTrial": False,
            "nextLifecycleDateTime": "2049-02-01T00:00:00Z",
        }
        for sku_id in SKUS
    ]
    return _listed(rows)


def owned(consumers: dict[str, int], sku_id: str) -> int:
    """How many units of a SKU the tenant owns."""
    return consumers.get(sku_id, 0) * 11 // 10 + 1


def organization_json(tenant_id: str) -> bytes:
    """``/organization``."""
    domain = {"name": "contoso.example", "isDefault": True, "isInitial": False, "type": "Managed", "capabilities": ""}
    return _listed([{"id": tenant_id, "displayName": "Contoso", "verifiedDomains": [domain]}])


def _listed(rows: list[dict[str, Any]]) -> bytes:
    return f'{{"value":{_compact(rows)}}}'.encode()


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _disabled(profile: Profile, sku_id: str) -> list[str]:
    """A plan is off when every assignment that counts turns it off: these come in the same order, so the fewest do."""
    return _plan_ids(sku_id)[: min(way.disabled for way in profile if way.holds and way.sku_id == sku_id)]


@cache
def _plan_ids(sku_id: str) -> list[str]:
    return sorted(str(uuid5(NAMESPACE_URL, f"plan:{sku_id}/{number}")) for number in range(PLANS_PER_SKU))


@cache
def _subscription_id(sku_id: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"subscription:{sku_id}"))
