"""A check as JUnit XML, which CI systems show as tests: a suite for each policy, a case for each violation.

A policy that holds is one case that passes, and one that judged nothing is one that was skipped. A violation that only
warns passes too, with its text as output. Source of the form: the XML that the JUnit task of Apache Ant writes; GitLab
and Jenkins read ``file`` and ``line`` of a case.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from reconciler.check_page import At, CheckedPolicy, CheckPage
from reconciler.labels import EMULATED_NOTICE
from reconciler.policies import MEANINGS, Violation
from reconciler.render.check_text import NOTHING_JUDGED, named, said
from reconciler.render.xml_text import xml_text


def render(page: CheckPage) -> str:
    """The document's text, without times: a check takes none that counts."""
    suites = [_suite(policy, page) for policy in page.policies]
    failures = sum(len(item.violations) for item in page.policies if item.verdict.fails)
    tests = sum(max(1, len(item.violations)) for item in page.policies)
    head = (
        f'<testsuites name="reconcile check" tests="{tests}" failures="{failures}" errors="0" skipped="{page.idle}">\n'
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{"".join(suites)}</testsuites>\n'


def _suite(item: CheckedPolicy, page: CheckPage) -> str:
    """One policy. A reader of the file sees each suite by itself: each says that its numbers are emulated."""
    name = quoteattr(xml_text(named(item.verdict.policy)))
    failures = len(item.violations) if item.verdict.fails else 0
    cases = "".join(_case(item, violation, page.at_top(at)) for violation, at in item.violations) or _passed(item)
    tests, skipped = max(1, len(item.violations)), int(item.verdict.is_idle)
    notice = f"    <system-out>{escape(EMULATED_NOTICE)}</system-out>\n" if page.emulated else ""
    return (
        f'  <testsuite name={name} tests="{tests}" failures="{failures}" errors="0" skipped="{skipped}">\n'
        f"{cases}{notice}  </testsuite>\n"
    )


def _passed(item: CheckedPolicy) -> str:
    """The one case of a policy that holds, or had nothing to judge."""
    case = f"    <testcase classname={_class(item)} name={quoteattr(MEANINGS[item.verdict.policy.rule])}"
    return (
        f"{case}><skipped message={quoteattr(NOTHING_JUDGED)}/></testcase>\n" if item.verdict.is_idle else f"{case}/>\n"
    )


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
