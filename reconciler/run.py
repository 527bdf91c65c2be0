"""What one run is over, and what it would do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from reconciler import safety
from reconciler.model import ErrorInfo, Portal, Removal, Settings, State
from reconciler.plan import Declared, Plan, make_plan
from reconciler.safety import Override
from reconciler.shards import Shard
from reconciler.transition import Title


@dataclass(frozen=True)
class Run:
    """What one run works with. ``now`` is its one instant; ``only`` selects portals by id, empty means all.

    With ``shard`` it applies that part of the portals, and writes their files but no overview.

    ``credential_ends`` are the last days of the portals' certificates, as far as they can be read here. ``files`` are
    the digests of the files of configuration, by path in the repository.
    """

    portals: Mapping[str, Portal]
    settings: Settings
    title: Title
    now: datetime
    new_lineage: str
    removals: Sequence[Removal] = ()
    only: Collection[str] = ()
    shard: Shard | None = None
    allowed: Collection[Override] = ()
    emulate: bool = False
    credential_ends: Mapping[str, date] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The day of this run."""
        return self.now.date()

    @property
    def declared(self) -> Declared:
        """What the plan is made from."""
        return Declared(self.portals, self.settings, self.title, self.today, self.removals, self.credential_ends)


def preview(run: Run, known: State) -> tuple[Plan, list[ErrorInfo]]:
    """What apply would do, and why it would refuse to. A shard is refused whenever the run over all portals is."""
    whole = make_plan(run.declared, known, run.only)
    plan = run.shard.part(whole) if run.shard else whole
    stops = [*safety.check_plan(whole, run.settings, run.allowed), *safety.refused_removals(plan)]
    return plan, [*safety.check_emulation(known, emulate=run.emulate), *stops]
