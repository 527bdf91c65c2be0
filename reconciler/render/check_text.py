"""A check for people: the violations as ``file:line:column: rule what``, then a line for each policy."""

from __future__ import annotations

from reconciler.check_page import CheckedPolicy, CheckPage
from reconciler.labels import EMULATED_NOTICE
from reconciler.model import Policy
from reconciler.policies import Violation
from reconciler.render.escape import plain
from reconciler.render.words import count

NOTHING_JUDGED = "there was nothing to judge"
"""What is said of a policy that names no portal or product, or names nothing that is judged."""


def render(page: CheckPage) -> str:
    """The text: violations in the order of the policies, each with what to do; then what became of each policy."""
    lines = [EMULATED_NOTICE] if page.emulated else []
    for _, policy, violation, at in page.findings:
        mark = " (warning)" if policy.verdict.policy.severity == "warning" else ""
        lines += [f"{plain(at.file)}:{at.line}:{at.column}: {policy.verdict.policy.rule} {said(violation)}{mark}"]
        lines += [f"    {plain(violation.remedy)}"]
    lines += [_policy(policy) for policy in page.policies]
    return "\n".join([*lines, summary(page)]) + "\n"


def said(violation: Violation) -> str:
    """What is violated, in one sentence."""
    what = violation.message if violation.message.endswith(".") else f"{violation.message}."
    return plain(f"{violation.subject}: {what}")


def named(policy: Policy) -> str:
    """A policy with its parameters: ``min_utilization percent=80 sku=SPE_*``."""
    members = ("percent", "days", "licenses", "portal", "sku")
    given = [f"{name}={value}" for name in members if (value := getattr(policy, name)) is not None]
    return plain(" ".join([policy.rule.value, *given]))


def _policy(policy: CheckedPolicy) -> str:
    """What became of one policy."""
    found, judged = len(policy.violations), policy.verdict.judged
    if policy.verdict.is_idle:
        return f"⚠ {named(policy.verdict.policy)}: {NOTHING_JUDGED}"
    sign = ("⚠" if policy.verdict.policy.severity == "warning" else "✗") if found else "✓"
    says = f"{count(found, 'violation')}, {judged:,} judged" if found else f"holds, {judged:,} judged"
    return f"{sign} {named(policy.verdict.policy)}: {says}"


def summary(page: CheckPage) -> str:
    """The result in one line."""
    if not page.policies:
        return "There are no policies in reconcile.yaml."
    violated = [policy.verdict for policy in page.policies if policy.violations]
    number = len(page.policies)
    if not violated and page.idle:
        return f"No policy is violated, but {page.idle:,} of {number:,} judged nothing."
    if not violated:
        return "The policy holds." if number == 1 else f"All {number:,} policies hold."
    failing = sum(verdict.fails for verdict in violated)
    outcome = "" if failing else ", by warnings only"
    return f"{count(len(violated), 'policy', 'policies')} of {number:,} violated{outcome}."
