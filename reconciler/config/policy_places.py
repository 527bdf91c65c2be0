"""Where the lines stand that are behind a verdict: those of the policy, and those that it is violated by."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.check_page import At, CheckedPolicy
from reconciler.config.loader import Desired
from reconciler.config.source import Source
from reconciler.policies import Verdict, Violation


def located(desired: Desired, verdicts: Iterable[Verdict]) -> tuple[CheckedPolicy, ...]:
    """Each verdict with its lines. ``verdicts`` are those on all policies of ``desired``, in their order."""
    source = desired.settings_source
    return tuple(
        CheckedPolicy(
            verdict,
            _at(source, ("policies", index)),
            tuple((violation, _behind(desired, violation)) for violation in verdict.violations),
        )
        for index, verdict in enumerate(verdicts)
        if source is not None
    )


def _behind(desired: Desired, violation: Violation) -> At:
    """The line that a violation comes from."""
    source = desired.settings_source if violation.portal_id is None else desired.sources[violation.portal_id]
    assert source is not None  # noqa: S101 - without settings there is no policy
    return _at(source, violation.path)


def _at(source: Source, path: tuple[str | int, ...]) -> At:
    """The place of a value, or of the nearest thing around it."""
    return At(*source.place(*path))
