"""What the global options say, as one value that every command receives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.emulator.scenario import Scenario


@dataclass(frozen=True)
class Invocation:
    """The global options of one run. ``root`` is the repository; ``emulate`` the name of a scenario."""

    root: Path
    emulate: str | None = None
    now_option: datetime | None = None
    jobs: int = 8
    streams: int = 8
    retry_limit: int = 4
    log_format: str = "text"
    verbosity: int = 0
    quiet: bool = False

    def words(self) -> list[str]:
        """The global options that say the same on a command line."""
        given = {"--emulate": self.emulate, "--now": self.now_option and self.now_option.isoformat()}
        always = {"--chdir": self.root, "--jobs": self.jobs, "--streams": self.streams}
        always |= {"--retry-limit": self.retry_limit, "--log-format": self.log_format}
        options = [*always.items(), *((name, value) for name, value in given.items() if value)]
        flags = ["--verbose"] * self.verbosity + ["--quiet"] * self.quiet
        return [*(word for name, value in options for word in (name, str(value))), *flags]

    def scenario(self) -> Scenario | None:
        """The emulator's scenario of ``--emulate``, if any."""
        if self.emulate is None:
            return None
        from reconciler.emulator import scenarios

        return scenarios.load(self.emulate)

    def now(self) -> datetime:
        """The one instant of this run: ``--now``, else the scenario's own clock, else the real one."""
        if self.now_option is not None:
            return self.now_option
        scenario = self.scenario()
        return scenario.now if scenario else datetime.now(UTC).replace(microsecond=0)

    def portals(self) -> Path:
        """The folder of portal files: the scenario's own when the repository has none."""
        own = self.root / "portals.d"
        if own.is_dir() or self.emulate is None:
            return own
        scenario = self.scenario()
        return scenario.portals if scenario and scenario.portals else own
