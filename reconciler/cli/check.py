"""``reconcile check``: whether the policies of the repository hold."""

from __future__ import annotations

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.output import format_option

FORMATS = ("text", "json", "sarif", "junit")


@click.command("check")
@format_option("check", "How to print it: SARIF for code scanning, JUnit for test reports.", FORMATS)
@click.pass_obj
def command(invocation: Invocation, *, form: str) -> int:
    """Check the policies of reconcile.yaml against what is known, and name the lines behind each violation.

    Ends with 1 when a policy of severity error is violated. Writes nothing and needs no credential.
    """
    from dataclasses import replace

    from reconciler import __version__
    from reconciler.check_page import CheckPage
    from reconciler.cli.session import load_desired, state_folder, warn
    from reconciler.config.idle_policies import idle_policies
    from reconciler.config.policy_places import located
    from reconciler.git.place import prefix
    from reconciler.model import ReportSettings
    from reconciler.policies import judge
    from reconciler.render import check_json, check_junit, check_sarif, check_text
    from reconciler.report import make_report
    from reconciler.store.state import read

    desired, today = load_desired(invocation), invocation.now().date()
    all_told = replace(desired.settings, report=ReportSettings())
    known = read(state_folder(invocation))
    warn(invocation, idle_policies(desired, known))
    report = make_report(known, all_told, today)
    verdicts = judge(report, desired.portals, desired.settings, today)
    page = CheckPage(located(desired, verdicts), report.emulated, prefix(invocation.root))
    match form:
        case "sarif":
            text = check_sarif.render(page, __version__)
        case "junit":
            text = check_junit.render(page)
        case "json":
            text = check_json.render(page)
        case _:
            text = check_text.render(page)
    click.echo(text, nl=False)
    return 1 if page.fails else 0
