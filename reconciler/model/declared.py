"""What people declare about portals: connections, exclusions, removals."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal


class Cloud(StrEnum):
    """A Microsoft cloud. Its hosts stand in ``graph/clouds.py`` and nowhere else."""

    GLOBAL = "global"
    USGOV = "usgov"
    USGOV_DOD = "usgov-dod"
    CHINA = "china"


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret value is kept: a variable, a file, or a secret of an Azure key vault. Never the value.

    ``name`` is the variable's name, the path (a relative one starts at the repository), or ``VAULT/SECRET``.
    """

    kind: Literal["env", "file", "keyvault"]
    name: str

    def __str__(self) -> str:
        if self.kind == "keyvault":
            vault, _, secret = self.name.partition("/")
            return f"{{keyvault: {{vault: {vault}, secret: {secret}}}}}"
        return f"{{{self.kind}: {self.name}}}"


@dataclass(frozen=True, slots=True)
class SecretAuthentication:
    """Sign-in by client secret. ``secret_id`` is only a label, ``expires`` the end of the secret's validity."""

    secret: Reference
    secret_id: str | None = None
    expires: date | None = None
    type: Literal["secret"] = "secret"


@dataclass(frozen=True, slots=True)
class CertificateAuthentication:
    """Sign-in by certificate: a PEM pair (``public_certificate`` and ``private_key``) or one ``pfx``."""

    public_certificate: Reference | None = None
    private_key: Reference | None = None
    pfx: Reference | None = None
    passphrase: Reference | None = None
    type: Literal["certificate"] = "certificate"


@dataclass(frozen=True, slots=True)
class FederatedAuthentication:
    """Sign-in by the token of another identity provider, so that no secret is kept anywhere.

    ``token`` is a file that its owner keeps fresh, as Kubernetes projects it; without it, GitHub Actions is asked.
    """

    token: Reference | None = None
    type: Literal["federated"] = "federated"


@dataclass(frozen=True, slots=True)
class ManagedIdentityAuthentication:
    """Sign-in as the Azure resource that the tool runs on.

    ``assigned`` says whether the identity is the resource's own, or one that the portal's ``client_id`` names.
    """

    assigned: Literal["system", "user"] = "system"
    type: Literal["managed_identity"] = "managed_identity"


Authentication = (
    SecretAuthentication | CertificateAuthentication | FederatedAuthentication | ManagedIdentityAuthentication
)


class ExclusionScope(StrEnum):
    """What an exclusion keeps a license out of: the import, or only the actions that the report asks for."""

    IMPORT = "import"
    ALERTS = "alerts"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A license that is not imported, or that asks for no action (``scope: alerts``).

    ``sku`` is a part number, a SKU ID or a glob; ``until`` is its last day.
    """

    sku: str
    reason: str
    until: date | None = None
    scope: ExclusionScope = ExclusionScope.IMPORT


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A license that a portal keeps although the settings exclude it. ``sku`` as in an exclusion."""

    sku: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Removal:
    """A product that may be deleted from the state, as ``removals.yaml`` declares it.

    ``portal`` is a portal's id, ``sku`` a part number, a SKU ID, or ``*`` for everything of a portal that is deleted.
    ``position`` is where the entry stands, as ``file:line:column``; it says nothing about what is meant.
    """

    portal: str
    sku: str
    reason: str
    ticket: str | None = None
    position: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Price:
    """What one license costs per period, as entered by hand: the portal has no prices."""

    amount: Decimal
    currency: str
    per: Literal["month", "year"]


@dataclass(frozen=True, slots=True)
class DeclaredEntitlement:
    """How many licenses a contract says are owned, and which contract."""

    quantity: int
    contract: str | None = None
    purchase_order: str | None = None


@dataclass(frozen=True, slots=True)
class ProductEntry:
    """What a portal file declares about one product. ``sku`` is a part number or a SKU ID."""

    sku: str
    directory: str | None = None
    price: Price | None = None
    entitlement: DeclaredEntitlement | None = None


@dataclass(frozen=True, slots=True)
class Suspension:
    """A portal that is not imported for now. ``until`` is the last day of the pause."""

    reason: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class PortalLimits:
    """The safety limits that a portal sets for itself; None leaves the one of the settings. See ``SafetyLimits``."""

    max_lost_percent: int | None = None
    max_lost_products: int | None = None
    min_products: int | None = None
    max_removals: int | None = None
    min_reported_percent: int | None = None


@dataclass(frozen=True, slots=True)
class Portal:
    """One tenant connection as its YAML file declares it. ``id`` is the file's stem.

    ``name`` is the prefix of every product name; ``directory`` the output directory of new products.
    ``second_authentication`` is tried when Entra refuses the first, so that a credential can be changed without a gap.
    ``replaces_tenant_id`` is the tenant that the portal read before, where it is meant to read another one now.
    """

    id: str
    name: str
    tenant_id: str
    client_id: str
    authentication: Authentication
    directory: str
    second_authentication: Authentication | None = None
    description: str | None = None
    cloud: Cloud = Cloud.GLOBAL
    exclusions: tuple[Exclusion, ...] = ()
    include: tuple[Inclusion, ...] = ()
    products: tuple[ProductEntry, ...] = ()
    suspend: Suspension | None = None
    protect: bool = False
    safety: PortalLimits | None = None
    replaces_tenant_id: str | None = None
