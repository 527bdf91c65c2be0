"""What an emulated world is made of: tenants, what they own, who is in them, which applications may read them.

Everything is a frozen value with defaults for whatever does not matter, so that a test states only what it is about::

    office = Sku("6fd2c87f-b296-42f0-b197-1e91e994b900", "ENTERPRISEPACK", enabled=5)
    Scenario((Tenant("0f0a3a52-…", skus=(office,), users=(UserGroup(7, (office.sku_id,)),)),))

Numbers agree with each other by themselves: ``consumedUnits`` counts the distinct holders, the subscriptions of a SKU
add up to its units. ``overrides`` replace members of the JSON that is sent, to say what no honest tenant says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from reconciler.emulator.directory import Directory, LicenseAssignment, User, UserGroup
from reconciler.emulator.faults import Fault, Json
from reconciler.emulator.keys import KeyPair
from reconciler.model import Cloud

__all__ = [
    "ABSENT",
    "Application",
    "ClientSecret",
    "Credentials",
    "Fault",
    "FederatedCredential",
    "GitHubJob",
    "LicenseAssignment",
    "Scenario",
    "ServicePlan",
    "Sku",
    "Subscription",
    "Tenant",
    "User",
    "UserGroup",
    "Vault",
    "VaultSecret",
]

ABSENT = "\x00absent"
"""As a value in ``overrides``: the member is not sent at all."""

CLIENT_ID = "4d1a7c11-6a0f-4c7e-8f63-8c2b1f0f5a77"
"""Client ID of an application that does not say its own."""

SECRET = "open-sesame"  # noqa: S105 - opens nothing but an emulated tenant
"""Secret of an application that does not say its own."""

AUDIENCE = "api://AzureADTokenExchange"
"""What a token of another identity provider is meant for, when it is to be shown to Entra."""

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
"""Who issues the tokens of GitHub Actions."""

GITHUB_KEY = KeyPair("GitHub Actions")
"""What the emulated GitHub signs with."""


@dataclass(frozen=True)
class ServicePlan:
    """A part of a SKU that can be switched off by itself."""

    id: str
    name: str
    provisioning_status: str = "Success"
    applies_to: str = "User"


@dataclass(frozen=True)
class Subscription:
    """One purchase behind a SKU. ``next_lifecycle`` is when it leaves its status if it is not renewed."""

    status: str
    total_licenses: int
    is_trial: bool = False
    next_lifecycle: datetime | None = None
    created: datetime = datetime(2025, 2, 1, tzinfo=UTC)
    overrides: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Sku:
    """A license that the tenant owns.

    Without ``subscriptions`` there is one for each kind of units. ``capability_status`` follows from the units when
    it is not given. ``overrides`` go over the members of the ``subscribedSku``; a mapping goes over the members of the
    member, as in ``{"prepaidUnits": {"enabled": None}}``.
    """

    sku_id: str
    part_number: str
    enabled: int = 0
    warning: int = 0
    suspended: int = 0
    locked_out: int = 0
    applies_to: str = "User"
    capability_status: str | None = None
    service_plans: tuple[ServicePlan, ...] = ()
    subscriptions: tuple[Subscription, ...] | None = None
    overrides: Mapping[str, Json] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """``capabilityStatus``: the best that any of its units is in."""
        if self.capability_status is not None:
            return self.capability_status
        return next((status for status, units in self._units() if units), "Deleted")

    @property
    def purchases(self) -> tuple[Subscription, ...]:
        """The subscriptions behind it."""
        if self.subscriptions is not None:
            return self.subscriptions
        return tuple(Subscription(status, units) for status, units in self._units() if units)

    def _units(self) -> tuple[tuple[str, int], ...]:
        return (
            ("Enabled", self.enabled),
            ("Warning", self.warning),
            ("Suspended", self.suspended),
            ("LockedOut", self.locked_out),
        )


@dataclass(frozen=True)
class ClientSecret:
    """A secret of an application. ``end`` is compared with the emulator's clock, not with the scenario's."""

    value: str = SECRET
    key_id: str = "5c0f1a7e-0b5d-4a3e-9b8a-6b1f3d2c4e50"
    end: datetime = datetime(2049, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class FederatedCredential:
    """Whose tokens an application may sign in with: those of one issuer, with this subject and this audience.

    ``key`` is what the issuer signs with: a public key as PEM, or the pair. The real Entra asks the issuer for it.
    """

    issuer: str
    subject: str
    key: bytes | KeyPair
    audience: str = AUDIENCE


@dataclass(frozen=True)
class GitHubJob:
    """A job of GitHub Actions that may ask for a token of its own.

    ``bearer`` is what it asks with, ``lifetime`` that of the token, in seconds.
    """

    subject: str = "repo:contoso/licenses:ref:refs/heads/main"
    bearer: str = "let-me-in"
    lifetime: int = 300
    key: KeyPair = GITHUB_KEY

    def credential(self) -> FederatedCredential:
        """The credential of an application that takes this job's tokens."""
        return FederatedCredential(GITHUB_ISSUER, self.subject, self.key)


@dataclass(frozen=True)
class Application:
    """An app registration with its service principal in the tenant.

    ``roles`` are the application permissions that were consented to. ``certificates`` are PEM bytes or key pairs.
    ``token_lifetime`` is in seconds; MSAL does not cache a token of less than 300. ``managed``: not an app but the
    identity of the machine that the product runs on, its own (system) or one assigned to it (user).
    """

    client_id: str = CLIENT_ID
    display_name: str = "License reader"
    secrets: tuple[ClientSecret, ...] = (ClientSecret(),)
    certificates: tuple[bytes | KeyPair, ...] = ()
    federated_credentials: tuple[FederatedCredential, ...] = ()
    managed: Literal["system", "user"] | None = None
    roles: tuple[str, ...] = ("User.Read.All", "Organization.Read.All")
    token_lifetime: int = 3599
    disabled: bool = False
    has_service_principal: bool = True


@dataclass(frozen=True)
class Tenant:
    """A directory. ``users`` are given one by one or as groups; ``faults`` hit requests about this tenant only.

    ``premium``: whether it has Entra ID P1 or P2, without which Graph tells nobody's sign-ins. ``purged`` are the
    object IDs of those who were deleted for good; who else is missing of the earlier users can be restored.
    """

    tenant_id: str
    display_name: str = "Contoso"
    domain: str = "contoso.example"
    cloud: Cloud = Cloud.GLOBAL
    skus: tuple[Sku, ...] = ()
    users: tuple[User | UserGroup, ...] = ()
    applications: tuple[Application, ...] = (Application(),)
    faults: tuple[Fault, ...] = ()
    premium: bool = True
    purged: tuple[str, ...] = ()

    @cached_property
    def directory(self) -> Directory:
        """Everybody in the tenant, in the order in which pages list them."""
        return Directory(self.users, self.domain)

    def subscription_id(self, sku: Sku, index: int) -> str:
        """The object ID of a SKU's ``index``-th subscription."""
        return str(uuid5(NAMESPACE_URL, f"subscription:{self.tenant_id}/{sku.sku_id}/{index}"))


@dataclass(frozen=True)
class VaultSecret:
    """A secret of a key vault. ``expires`` is only told: Key Vault gives out a secret after its end too."""

    value: str
    content_type: str | None = None
    enabled: bool = True
    expires: datetime | None = None


@dataclass(frozen=True)
class Vault:
    """An Azure key vault, in the cloud of the tenant that it belongs to.

    ``readers`` are the client IDs of those who may read its secrets; None lets every app of the tenant. ``refusal`` is
    the inner code with which others are refused.
    """

    name: str
    tenant: Tenant
    secrets: Mapping[str, VaultSecret] = field(default_factory=dict)
    readers: tuple[str, ...] | None = None
    refusal: str = "ForbiddenByRbac"


class Credentials(Mapping[str, bytes]):
    """Secret values by the name of their reference, each made when it is asked for."""

    def __init__(self, values: Mapping[str, Callable[[], bytes]] | None = None) -> None:
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> bytes:
        return self._values[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Credentials({sorted(self._values)})"


@dataclass(frozen=True)
class Scenario:
    """A world. ``now`` is its fixed present, ``portals`` the folder of portal files that belong to it.

    ``credentials`` maps the name in a secret reference (a variable, or a path as a portal file writes it) to its
    value, so that a run in one process needs neither. ``job`` is the job of GitHub Actions that the product runs in,
    ``vaults`` the key vaults that there are.
    """

    tenants: tuple[Tenant, ...] = ()
    name: str = "test"
    now: datetime = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    portals: Path | None = None
    credentials: Mapping[str, bytes] = field(default_factory=Credentials)
    job: GitHubJob = GitHubJob()
    vaults: tuple[Vault, ...] = ()
