"""The users of an emulated tenant: a few by name, or many from a short description.

A group of a million users costs nothing until a page of it is asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from reconciler.emulator.faults import Json

ASSIGNED = datetime(2026, 3, 14, 9, 20, tzinfo=UTC)
"""When an assignment was last touched that does not say so."""

CREATED = datetime(2022, 5, 2, 8, 0, tzinfo=UTC)
"""When a user was created who does not say so."""

SIGNED_IN = datetime(2026, 11, 20, 7, 45, tzinfo=UTC)
"""When a user last signed in who does not say so: three days before the present of a scenario."""


@dataclass(frozen=True)
class LicenseAssignment:
    """One way in which a user got, or was meant to get, a SKU.

    ``group_id`` is None for a direct assignment. A user in state ``Error`` does not hold the SKU; one in
    ``ActiveWithError`` does.
    """

    sku_id: str
    group_id: str | None = None
    state: str = "Active"
    error: str | None = None
    disabled_plans: tuple[str, ...] = ()
    updated: datetime = ASSIGNED

    @property
    def holds(self) -> bool:
        """Whether the user has the license through this assignment."""
        return self.state in ("Active", "ActiveWithError")


@dataclass(frozen=True)
class User:
    """A user. In ``licenses`` a bare SKU ID stands for a direct, active assignment.

    ``id`` follows from the user principal name when it is empty. ``signed_in`` is the last successful sign-in, None for
    a user who never did. ``overrides`` go over the members of the JSON.
    """

    user_principal_name: str
    licenses: tuple[str | LicenseAssignment, ...] = ()
    id: str = ""
    display_name: str | None = "A user"
    mail: str | None = None
    account_enabled: bool | None = True
    user_type: str | None = "Member"
    usage_location: str | None = "DE"
    created: datetime = CREATED
    signed_in: datetime | None = SIGNED_IN
    overrides: Mapping[str, Json] = field(default_factory=dict)

    @property
    def object_id(self) -> str:
        """The object ID."""
        return self.id or str(uuid5(NAMESPACE_URL, f"user:{self.user_principal_name.casefold()}"))

    @property
    def assignments(self) -> tuple[LicenseAssignment, ...]:
        """Every assignment, also those in error."""
        return tuple(LicenseAssignment(way) if isinstance(way, str) else way for way in self.licenses)

    @property
    def held(self) -> tuple[str, ...]:
        """The SKU IDs that the user holds, each once, in the order of assignment."""
        return tuple(dict.fromkeys(way.sku_id for way in self.assignments if way.holds))


@dataclass(frozen=True)
class UserGroup:
    """``count`` users alike, numbered within the tenant: user0001@contoso.example and so on.

    A guest's name is written the way Entra writes it: guest0001_partner.example#EXT#@contoso.example.
    """

    count: int
    licenses: tuple[str | LicenseAssignment, ...] = ()
    account_enabled: bool | None = True
    user_type: str | None = "Member"
    usage_location: str | None = "DE"
    created: datetime = CREATED
    signed_in: datetime | None = SIGNED_IN

    @property
    def stem(self) -> str:
        """The first part of each name."""
        return "guest" if self.user_type == "Guest" else "user"

    def user(self, number: int, domain: str) -> User:
        """The user of this number."""
        local = f"{self.stem}{number:04d}"
        guest = self.user_type == "Guest"
        return User(
            user_principal_name=f"{local}_partner.example#EXT#@{domain}" if guest else f"{local}@{domain}",
            licenses=self.licenses,
            display_name=f"{self.stem.capitalize()} {number:04d}",
            mail=f"{local}@partner.example" if guest else f"{local}@{domain}",
            account_enabled=self.account_enabled,
            user_type=self.user_type,
            usage_location=self.usage_location,
            created=self.created,
            signed_in=self.signed_in,
        )


class Directory:
    """All users of a tenant, by index, without holding them."""

    def __init__(self, entries: tuple[User | UserGroup, ...], domain: str) -> None:
        self._domain = domain
        self._entries = entries
        self._starts: list[int] = []
        self._numbers: list[int] = []
        used: dict[str, int] = {}
        total = 0
        for entry in entries:
            self._starts.append(total)
            if isinstance(entry, User):
                self._numbers.append(0)
                total += 1
            else:
                self._numbers.append(used.get(entry.stem, 0) + 1)
                used[entry.stem] = used.get(entry.stem, 0) + entry.count
                total += entry.count
        self._total = total

    def __len__(self) -> int:
        return self._total

    def __iter__(self) -> Iterator[User]:
        return self.scan(0)

    def scan(self, start: int) -> Iterator[User]:
        """The users from index ``start`` on."""
        first = bisect_right(self._starts, start) - 1
        for position in range(max(first, 0), len(self._entries)):
            entry = self._entries[position]
            skipped = max(start - self._starts[position], 0)
            if isinstance(entry, User):
                if not skipped:
                    yield entry
                continue
            for offset in range(skipped, entry.count):
                yield entry.user(self._numbers[position] + offset, self._domain)

    def holders(self, sku_id: str) -> int:
        """How many distinct users hold a SKU."""
        count = 0
        for entry in self._entries:
            if isinstance(entry, User):
                count += sku_id in entry.held
            else:
                count += entry.count * (sku_id in User("", entry.licenses).held)
        return count

    def find(self, key: str) -> User | None:
        """The user of an object ID or a user principal name."""
        wanted = key.casefold()
        return next((user for user in self if wanted in (user.object_id, user.user_principal_name.casefold())), None)
