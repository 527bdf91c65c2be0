"""The demo: four tenants that tell a story.

**Contoso** has enough of almost everything, more users than fit a page, and free SKUs that nobody counts. **Fabrikam**
signs in by certificate, has assigned more than it owns, and lives on grace and a trial. **Northwind** is small, let a
subscription lapse, and has a license for the company as a whole. **Contoso Lab** is new, and nobody has consented yet
to what its app needs, so it cannot be read. SKU IDs and part numbers are Microsoft's, except for the one that no
catalogue knows yet.
"""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.emulator.directory import LicenseAssignment, UserGroup
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import (
    Application,
    ClientSecret,
    Credentials,
    Scenario,
    ServicePlan,
    Sku,
    Subscription,
    Tenant,
)
from reconciler.resources import folder

M365_E3 = "05e9a617-0261-4cee-bb44-138d3ef5d965"
M365_E5 = "06ebc4ee-1bb5-47dd-8120-11324bc54e06"
O365_E3 = "6fd2c87f-b296-42f0-b197-1e91e994b900"
EMS_E3 = "efccb6f7-5641-4e0e-bd10-b4976e1bf68e"
POWER_BI_PRO = "f8a1db68-be16-40ed-86d5-cb42ce701560"
FABRIC_FREE = "a403ebcc-fae0-4ca2-8c8c-7a907fd6c235"
FLOW_FREE = "f30db892-07e9-47e9-837c-80727f46fd3d"
VISIO_2 = "c5928f49-12ba-48f7-ada3-0d743a3601d5"
PROJECT_3 = "53818b1b-4a27-454b-8896-0dba576410e6"
COPILOT = "639dec6b-bb19-468b-871c-c5c441c4b0cb"
BUSINESS_STANDARD = "f245ecc8-75af-4f8e-b61f-27d8114de5f3"
EXCHANGE_1 = "4b9405b0-7788-4568-add1-99614e613b69"
TEAMS_EXPLORATORY = "710779e8-3d4a-4c88-adb9-386c958d1fdf"
EXTRA_STORAGE = "99049c9c-6011-4908-bf17-15f496e6519d"
UNKNOWN = "9b1e6a44-2c5d-4f0e-8a37-51d0c9e7b264"

EVERYONE = "2f6a6f0e-0a0e-4a3b-8e57-3f9f4d2b7c11"
"""A group that assigns licenses."""

PROJECT_TEAM = "8d0c4b52-93be-4b1f-a2c5-6e1f7f3a9d20"
"""Another one, for which there are not enough."""

EXCHANGE = ServicePlan("efb87545-963c-4e0d-99df-69c6916d9eb0", "EXCHANGE_S_ENTERPRISE")
SHAREPOINT = ServicePlan("5dbe027f-2339-4123-9542-606e4d348a72", "SHAREPOINTENTERPRISE")
TEAMS = ServicePlan("57ff2da0-773e-42df-b2af-ffb7a2317929", "TEAMS1")
INTUNE = ServicePlan("c1ec4a95-1f05-45b3-a911-aa3fa01094f5", "INTUNE_A")
POWER_BI = ServicePlan("70d33638-9c74-4d01-bfd3-562de28bd4ba", "BI_AZURE_P2")

# They open nothing but the emulator's own tenants.
CONTOSO_SECRET = ClientSecret("the-secret-of-emulated-contoso", "5c0f1a7e-3d29-4b86-9f14-7a2e8c5d6b31")
LAB_SECRET = ClientSecret("the-secret-of-emulated-contoso-lab", "3e8b6d24-90f7-4c15-8a3d-6b2c1f7e9d05")
NORTHWIND_SECRET = ClientSecret("the-secret-of-emulated-northwind", "a90d3f5b-7c12-4e68-b5a4-1d2f8e6c9047")


def by_group(sku_id: str, group_id: str = EVERYONE) -> LicenseAssignment:
    """An assignment that comes from membership in a group."""
    return LicenseAssignment(sku_id, group_id=group_id)


def bought(units: int, until: datetime, *, status: str = "Enabled", trial: bool = False) -> Subscription:
    """A purchase that runs to ``until``."""
    return Subscription(status, units, is_trial=trial, next_lifecycle=until)


def day(year: int, month: int, number: int) -> datetime:
    """Midnight of a day, in UTC."""
    return datetime(year, month, number, tzinfo=UTC)


def contoso() -> Tenant:
    """1,300 users: two pages. Enough licenses, with some hygiene to do. Its app may read sign-ins too."""
    return Tenant(
        tenant_id="0f0a3a52-4b38-4f0e-9d5c-0d5f6b1c2a10",
        display_name="Contoso",
        domain="contoso.example",
        applications=(
            Application(
                client_id="4d1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77",
                secrets=(CONTOSO_SECRET,),
                roles=("User.Read.All", "Organization.Read.All", "AuditLog.Read.All"),
            ),
        ),
        skus=(
            Sku(
                M365_E3,
                "SPE_E3",
                enabled=900,
                service_plans=(EXCHANGE, SHAREPOINT, TEAMS, INTUNE),
                subscriptions=(bought(800, day(2027, 7, 1)), bought(100, day(2027, 2, 1))),
            ),
            Sku(M365_E5, "SPE_E5", enabled=150, service_plans=(EXCHANGE, SHAREPOINT, TEAMS, INTUNE, POWER_BI)),
            Sku(POWER_BI_PRO, "POWER_BI_PRO", enabled=60, service_plans=(POWER_BI,)),
            Sku(VISIO_2, "VISIOCLIENT", enabled=20),
            Sku(FLOW_FREE, "FLOW_FREE", enabled=10_000),
            Sku(FABRIC_FREE, "POWER_BI_STANDARD", enabled=1_000_000),
            Sku(UNKNOWN, "MEETING_NOTES_ADDON_PREVIEW", enabled=25),
        ),
        users=(
            UserGroup(648, (by_group(M365_E3),)),
            UserGroup(14, (by_group(M365_E3),), signed_in=day(2026, 5, 1)),
            UserGroup(38, (by_group(M365_E3), POWER_BI_PRO)),
            UserGroup(95, (by_group(M365_E3), M365_E3)),
            UserGroup(38, (M365_E5, FLOW_FREE)),
            UserGroup(22, (M365_E5, POWER_BI_PRO, FLOW_FREE)),
            UserGroup(70, (by_group(M365_E5), FABRIC_FREE)),
            UserGroup(12, (by_group(M365_E3), UNKNOWN)),
            UserGroup(8, (by_group(M365_E3), VISIO_2)),
            UserGroup(18, (M365_E3,), account_enabled=False),
            UserGroup(6, (M365_E3,), usage_location=None),
            UserGroup(302),
            UserGroup(4, (M365_E3,), user_type="Guest"),
            UserGroup(25, user_type="Guest", usage_location=None),
        ),
    )


def contoso_lab() -> Tenant:
    """A tenant whose app may read the organization, and no users."""
    return Tenant(
        tenant_id="6b2e9f17-8c40-4d7a-a5e1-3f9d0c7b8e62",
        display_name="Contoso Lab",
        domain="lab.contoso.example",
        applications=(
            Application(
                client_id="1c7f4e90-2b6d-4a83-9e05-d8a3b5c6f714",
                secrets=(LAB_SECRET,),
                roles=("Organization.Read.All",),
            ),
        ),
        skus=(Sku(M365_E5, "SPE_E5", enabled=25, service_plans=(EXCHANGE, SHAREPOINT, TEAMS, INTUNE, POWER_BI)),),
        users=(UserGroup(12, (M365_E5,)),),
    )


def fabrikam(key_pair: KeyPair) -> Tenant:
    """Too few of one license, grace on another, a trial, and a group that ran out."""
    without_intune = LicenseAssignment(EMS_E3, disabled_plans=(INTUNE.id,))
    ran_out = LicenseAssignment(PROJECT_3, group_id=PROJECT_TEAM, state="Error", error="CountViolation")
    return Tenant(
        tenant_id="7c9d2e64-1f3b-4a58-b0c7-2e5a9f8d4b13",
        display_name="Fabrikam",
        domain="fabrikam.example",
        applications=(
            Application(client_id="b83f5d0a-6e24-4c91-8a7d-0f1c3e5b7d92", secrets=(), certificates=(key_pair,)),
        ),
        skus=(
            Sku(O365_E3, "ENTERPRISEPACK", enabled=80, service_plans=(EXCHANGE, SHAREPOINT, TEAMS)),
            Sku(
                EMS_E3,
                "EMS",
                enabled=60,
                warning=40,
                service_plans=(INTUNE,),
                subscriptions=(bought(60, day(2027, 5, 1)), bought(40, day(2026, 12, 8), status="Warning")),
            ),
            Sku(
                COPILOT,
                "Microsoft_365_Copilot",
                enabled=25,
                subscriptions=(bought(25, day(2026, 12, 14), trial=True),),
            ),
            Sku(PROJECT_3, "PROJECTPROFESSIONAL", enabled=10),
        ),
        users=(
            UserGroup(60, (by_group(O365_E3), by_group(EMS_E3))),
            UserGroup(18, (by_group(O365_E3), by_group(EMS_E3), COPILOT)),
            UserGroup(6, (O365_E3, EMS_E3, by_group(PROJECT_3, PROJECT_TEAM))),
            UserGroup(4, (O365_E3, without_intune, by_group(PROJECT_3, PROJECT_TEAM))),
            UserGroup(3, (O365_E3, ran_out)),
            UserGroup(1, (O365_E3,), account_enabled=False),
            UserGroup(20),
        ),
    )


def northwind() -> Tenant:
    """A lapsed subscription whose users are still there, and a license that no user holds by its nature."""
    return Tenant(
        tenant_id="c41b8f37-5d62-4e0a-93f8-6b7d2a1c0e59",
        display_name="Northwind",
        domain="northwind.example",
        applications=(
            Application(
                client_id="e2a7c06d-9b15-4f83-a4de-5c8b1d7f3062",
                secrets=(NORTHWIND_SECRET,),
            ),
        ),
        skus=(
            Sku(BUSINESS_STANDARD, "O365_BUSINESS_PREMIUM", enabled=15, service_plans=(SHAREPOINT, TEAMS)),
            Sku(
                EXCHANGE_1,
                "EXCHANGESTANDARD",
                suspended=10,
                subscriptions=(bought(10, day(2026, 12, 20), status="Suspended"),),
            ),
            Sku(TEAMS_EXPLORATORY, "TEAMS_EXPLORATORY", locked_out=5),
            Sku(EXTRA_STORAGE, "SHAREPOINTSTORAGE", enabled=20, applies_to="Company"),
            Sku(FABRIC_FREE, "POWER_BI_STANDARD", enabled=1_000_000),
        ),
        users=(
            UserGroup(9, (BUSINESS_STANDARD,)),
            UserGroup(3, (BUSINESS_STANDARD, FABRIC_FREE)),
            UserGroup(2, (BUSINESS_STANDARD,), account_enabled=False),
            UserGroup(4, (EXCHANGE_1,)),
            UserGroup(5),
            UserGroup(1, (BUSINESS_STANDARD,), user_type="Guest", usage_location=None),
        ),
    )


def scenario() -> Scenario:
    """The world of the demo, with the portal files of this repository."""
    key_pair = KeyPair("fabrikam.example")
    return Scenario(
        name="demo",
        tenants=(contoso(), contoso_lab(), fabrikam(key_pair), northwind()),
        portals=folder("portals.d"),
        credentials=Credentials(
            {
                ".emulator/contoso.secret": lambda: CONTOSO_SECRET.value.encode(),
                ".emulator/contoso-lab.secret": lambda: LAB_SECRET.value.encode(),
                ".emulator/fabrikam.crt": lambda: key_pair.certificate_pem,
                ".emulator/fabrikam.key": lambda: key_pair.private_key_pem,
                ".emulator/northwind.secret": lambda: NORTHWIND_SECRET.value.encode(),
            }
        ),
    )
