"""The result of a check as people and programs get it: policies and violations with the lines behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.policies import Verdict, Violation


@dataclass(frozen=True, slots=True)
class At:
    """Where something stands: ``file`` is relative to the repository; ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class CheckedPolicy:
    """One policy, where it stands in reconcile.yaml, and its violations with the lines behind them."""

    verdict: Verdict
    at: At
    violations: tuple[tuple[Violation, At], ...]


@dataclass(frozen=True, slots=True)
class CheckPage:
    """Every policy, in the order of reconcile.yaml. ``emulated``: some of what was judged is the emulator's.

    ``prefix`` leads from the top of the git repository to the folder that files are relative to, and ends in ``/``; it
    is empty where they are the same. Who reads SARIF or JUnit knows the top only.
    """

    policies: tuple[CheckedPolicy, ...]
    emulated: bool = False
    prefix: str = ""

    @property
    def fails(self) -> bool:
        """Whether the check fails."""
        return any(item.verdict.fails for item in self.policies)

    @property
    def idle(self) -> int:
        """How many policies judged nothing."""
        return sum(item.verdict.is_idle for item in self.policies)

    def at_top(self, at: At) -> At:
        """The same place, its file relative to the top of the repository."""
        return replace(at, file=self.prefix + at.file)

    @property
    def findings(self) -> Iterator[tuple[int, CheckedPolicy, Violation, At]]:
        """Every violation with its policy and the policy's index."""
        for index, policy in enumerate(self.policies):
            for violation, at in policy.violations:
                yield index, policy, violation, at
