"""Many runners for one repository: which of them applies which portal.

The shard of a portal follows from its id alone, so it stays the same whatever other portals come and go. A file that
was renamed belongs to the shard of its new id, which handles both: the old id is in no plan any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256

from reconciler.plan import Plan

MOST = 256
"""The highest number of shards: the jobs that a matrix of GitHub may have."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Part ``number`` of ``count``, counted from 1."""

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST:
            raise ValueError(f"{self} is no shard: there are 1 to {MOST} of them")
        if not 1 <= self.number <= self.count:
            raise ValueError(f"{self} is no shard: the first is 1/{self.count}, the last {self.count}/{self.count}")

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def __contains__(self, portal_id: object) -> bool:
        return isinstance(portal_id, str) and shard_of(portal_id, self.count) == self.number

    def part(self, plan: Plan) -> Plan:
        """What this shard does of a plan over all portals. Entries about portals that nobody knows are the first's."""
        portals = tuple(portal for portal in plan.portals if portal.id in self)
        return replace(plan, portals=portals, stray_removals=plan.stray_removals if self.number == 1 else ())


def parse(text: str) -> Shard:
    """The shard that ``3/16`` means. Raises ValueError."""
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal() and text.isascii() and len(text) <= len("256/256")):
        raise ValueError(f"{text!r} is no shard such as 3/16")
    return Shard(int(number), int(count))


def shard_of(portal_id: str, count: int) -> int:
    """The number of a portal's shard, from 1 to ``count``."""
    return int.from_bytes(sha256(portal_id.encode()).digest()[:8], "big") % count + 1


def shards_with_work(portal_ids: Iterable[str], count: int) -> tuple[Shard, ...]:
    """The shards that have a portal, in order."""
    return tuple(Shard(number, count) for number in sorted({shard_of(portal_id, count) for portal_id in portal_ids}))
