"""A check as JUnit XML, which CI systems show as tests: a suite for each policy, a case for each violation.

A policy that holds is one case that passes. A violation that only warns passes too, with its text as output. Source of
the form: the XML that the JUnit task of Apache Ant writes; GitLab and Jenkins read ``file`` and ``line`` of a case.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from reconciler.check_page import At, CheckedPolicy, CheckPage
from reconciler.policies import MEANINGS, Violation
from reconciler.render.check_text import named, said
from reconciler.render.xml_text import xml_text


def render(page: CheckPage) -> str:
    """The document's text, without times: a check takes none that counts."""
    suites = [_suite(policy) for policy in page.policies]
    failures = sum(len(item.violations) for item in page.policies if item.verdict.fails)
    tests = sum(max(1, len(item.violations)) for item in page.policies)
    head = f'<testsuites name="reconcile check" tests="{tests}" failures="{failures}" errors="0">\n'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{"".join(suites)}</testsuites>\n'


def _suite(item: CheckedPolicy) -> str:
    """One policy."""
    name = quoteattr(xml_text(named(item.verdict.policy)))
    failures = len(item.violations) if item.verdict.fails else 0
    cases = "".join(_case(item, violation, at) for violation, at in item.violations) or _passed(item)
    tests = max(1, len(item.violations))
    return (
        f'  <testsuite name={name} tests="{tests}" failures="{failures}" errors="0" skipped="0">\n'
        f"{cases}  </testsuite>\n"
    )


def _passed(item: CheckedPolicy) -> str:
    """The one case of a policy that holds."""
    return f"    <testcase classname={_class(item)} name={quoteattr(MEANINGS[item.verdict.policy.rule])}/>\n"


def _case(item: CheckedPolicy, violation: Violation, at: At) -> str:
    """One violation."""
    text = escape(f"{at}: {xml_text(said(violation))}\n{xml_text(violation.remedy)}")
    place = f'file={quoteattr(xml_text(at.file))} line="{at.line}"'
    name = quoteattr(xml_text(f"{violation.portal_id or 'reconcile.yaml'}: {violation.subject}"))
    if item.verdict.fails:
        kind = quoteattr(item.verdict.policy.rule.value)
        inside = f"<failure message={quoteattr(xml_text(said(violation)))} type={kind}>{text}</failure>"
    else:
        inside = f"<system-out>{text}</system-out>"
    return f"    <testcase classname={_class(item)} name={name} {place}>{inside}</testcase>\n"


def _class(item: CheckedPolicy) -> str:
    """What the cases of a policy are listed under."""
    return quoteattr(item.verdict.policy.rule.value)
