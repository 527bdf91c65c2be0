"""A run as JUnit XML, which CI systems show as tests: a portal is a case, a failed import is its failure.

Source of the form: the XML that the JUnit task of Apache Ant writes; Jenkins, GitLab and Azure DevOps read it.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from reconciler.model import ErrorInfo
from reconciler.render.xml_text import xml_text
from reconciler.run_report import Ending, PortalRun, RunReport


def render(run: RunReport) -> str:
    """The file's text, without times: portals by id, then the entries of removals.yaml that were refused."""
    failed = sum(portal.ending is Ending.FAILED for portal in run.portals) + len(run.left_out)
    skipped = sum(portal.ending is Ending.NOT_READ for portal in run.portals)
    counts = f'tests="{len(run.portals) + len(run.left_out)}" failures="{failed}" errors="0"'
    portals = "".join(_case("portal", portal.state.id, _inside(portal)) for portal in run.portals)
    refused = "".join(_case("removals.yaml", error.message, _failure(error)) for error in run.left_out)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="reconcile apply" {counts}>\n'
        f'  <testsuite name="reconcile apply" {counts} skipped="{skipped}">\n'
        f"{portals}{refused}  </testsuite>\n</testsuites>\n"
    )


def _case(group: str, name: str, inside: str) -> str:
    """One case."""
    return f"    <testcase classname={quoteattr(group)} name={quoteattr(xml_text(name))}>{inside}</testcase>\n"


def _inside(portal: PortalRun) -> str:
    """What a portal's case says; nothing when it was read."""
    if portal.error is not None:
        return _failure(portal.error)
    return f'<skipped message="{portal.state.presence.value}"/>' if portal.ending is Ending.NOT_READ else ""


def _failure(error: ErrorInfo) -> str:
    """An error: its code and message, then what was met and what to do."""
    said = xml_text(f"{error.message} ({error.detail})" if error.detail else error.message)
    remedy = "\n".join(map(xml_text, error.remedy.splitlines()))
    kind, message = quoteattr(xml_text(error.code)), quoteattr(xml_text(error.message))
    text = escape(f"{said}\n{remedy}")
    return f"<failure type={kind} message={message}>{text}</failure>"
