"""Who is in a tenant of the benchmarks: any number of users, each computed from its number alone.

Names have realistic lengths, IDs are random, one user in ten has no license. Nothing is kept, so a page can be made by
any process, and the tenant after a change differs from the one before in exactly the users that changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate

from tests.benchmarks.skus import ASSIGNED, NOTHING, PROFILES, SITE, Profile, licenses_json

_FIRST = """
aaron abigail adrian agnes alexander alice amelia andrea anna anton barbara beatrice benjamin brigitte carl carmen
caroline charlotte christian clara claudia daniel david diana dominik edward elena elizabeth emil emma erik eva
fabian felix fiona florian frank gabriel georg giulia greta hannah hans heinrich helena henry ida ingrid isabel ivan
jacob james jan jennifer joanna johannes john jonas julia karin karl katharina kevin klaus kristina laura leon linda
lisa louise lucas magdalena marco maria marie mark martin mary matthew michael monika natalie nicholas nina noah
olga oliver oscar patricia paul peter philipp quentin rachel ralf rebecca richard robert sabine samuel sandra sarah
sebastian sophie stefan susanne teresa theodor thomas tobias ulrich ursula valentin vera victoria walter wendy
william xenia yannick yvonne zoe
"""
FIRST_NAMES = tuple(_FIRST.split())
_STARTS = "ber gold hart kauf koen lin moel neu rosen schnei schroe stein wag zim"
_ENDS = "berg der feld ger hof mann mer ner son stein tner wald"
LAST_NAMES = tuple(start + end for start in _STARTS.split() for end in _ENDS.split())
COUNTRIES = ("DE", "DE", "DE", "US", "US", "GB", "FR", "PL", "IN", "BR")
TIMES = [
    f"20{21 + number // 60}-{1 + number % 12:02d}-{1 + number % 28:02d}T{number % 24:02d}:17:45Z"
    for number in range(256)
]

SITES = 64
"""How many sites have groups of their own, so that a thousand users or so are alike and not a hundred thousand."""
OTHERS = "_"
"""Stands for the users whose names start with no letter: service accounts."""
SHARES = {letter: sum(name.startswith(letter) for name in FIRST_NAMES) for letter in "abcdefghijklmnopqrstuvwxyz"}
"""How the users of a tenant that is listed by letter spread, beside one in five hundred under ``OTHERS``."""


@dataclass(frozen=True)
class Population:
    """The users of a tenant, ``licensed`` of them with a license before any change.

    ``changed`` is the share that differs from the population with 0 there. ``by_letter``: they are listed in the order
    of the first letter of their principal names, and no page holds two letters, so that pages can be served by range.
    ``page_size`` is how many stand on a page.
    """

    licensed: int
    changed: float = 0.0
    by_letter: bool = False
    page_size: int = 999

    @property
    def size(self) -> int:
        """All users: each tenth has no license."""
        return self.licensed + max(self.licensed - 1, 0) // 9


@dataclass(frozen=True)
class Slice:
    """The users of one page: numbers ``start`` to ``stop``. ``letter`` is that of their names, None for any."""

    start: int
    stop: int
    letter: str | None


@dataclass(frozen=True)
class Person:
    """One user as Graph sends it. ``removed`` is what a delta round says of the one who was there before, if any."""

    json: str
    profile: Profile
    is_changed: bool = False
    removed: str | None = None


def slices(population: Population) -> list[Slice]:
    """The pages of the list. An empty tenant has one, without users."""
    if not population.by_letter:
        return _cut(0, population.size, None, population.page_size) or [Slice(0, 0, None)]
    others = population.size // 500
    named = population.size - others
    ends = [named * total // len(FIRST_NAMES) for total in accumulate(SHARES.values())]
    parts = zip([*SHARES, OTHERS], [0, *ends], [*ends, population.size], strict=True)
    return [page for letter, start, stop in parts for page in _cut(start, stop, letter, population.page_size)]


def _cut(start: int, stop: int, letter: str | None, size: int) -> list[Slice]:
    return [Slice(first, min(first + size, stop), letter) for first in range(start, stop, size)]


def people(population: Population, page: Slice) -> Iterator[Person]:
    """The users of one page. One changed user in four is renamed, moved, stripped of licenses, or replaced."""
    stride = round(1 / population.changed) if population.changed else 0
    names = _names(page.letter)
    for number in range(page.start, page.stop):
        digest = _digest(b"%d", number)
        profile = NOTHING if number % 10 == 9 else _profile(digest)
        if not stride or number % stride != 3 % stride:
            yield Person(_json(number, digest, names, profile), profile)
            continue
        removed = None
        match number // stride % 4:
            case 0:
                text = _json(number, digest, names, profile, "-" + LAST_NAMES[number % len(LAST_NAMES)])
            case 1:
                profile = _profile(digest, 1)
                text = _json(number, digest, names, profile)
            case 2:
                profile = NOTHING
                text = _json(number, digest, names, profile)
            case _:
                removed = f'{{"id":"{_guid(digest)}","@removed":{{"reason":"changed"}}}}'
                text = _json(number, _digest(b"successor %d", number), names, profile)
        yield Person(text, profile, is_changed=True, removed=removed)


def _names(letter: str | None) -> tuple[str, ...]:
    if letter == OTHERS:
        return ("_svc",)
    return FIRST_NAMES if letter is None else tuple(name for name in FIRST_NAMES if name.startswith(letter))


def _digest(text: bytes, number: int) -> bytes:
    return blake2b(text % number, digest_size=24).digest()


def _profile(digest: bytes, shift: int = 0) -> Profile:
    return PROFILES[(digest[19] << 8 | digest[20]) + 331 * shift & 1023]


def _guid(digest: bytes) -> str:
    text = digest[:16].hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _json(number: int, digest: bytes, names: tuple[str, ...], profile: Profile, married: str = "") -> str:
    first = names[digest[16] % len(names)]
    last = LAST_NAMES[(digest[17] << 8 | digest[18]) % len(LAST_NAMES)]
    address = f"{first}.{last}{number}@contoso.example"
    licenses = licenses_json(profile).replace(ASSIGNED, TIMES[digest[22]]).replace(SITE, f"{digest[18] % SITES:02x}")
    return (
        f'{{"id":"{_guid(digest)}","userPrincipalName":"{address}",'
        f'"displayName":"{first.capitalize()} {(last + married).replace("oe", "ö").title()}","mail":"{address}",'
        f'"accountEnabled":{"false" if digest[21] < 8 else "true"},'
        f'"userType":"{"Guest" if digest[22] < 4 else "Member"}","usageLocation":"{COUNTRIES[digest[23] % 10]}",'
        f"{licenses}}}"
    )
