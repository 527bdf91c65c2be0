"""Writes what ``report --format`` makes: to stdout, or to a file that is not of the tool's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.logs import say
from reconciler.cli.targets import refuse_target, writing

if TYPE_CHECKING:
    from reconciler.model import ReportSettings, Settings
    from reconciler.pseudonyms import Pseudonyms
    from reconciler.report import Report

FORMATS = ("csv", "json", "xlsx", "focus", "cyclonedx")


def export(invocation: Invocation, form: str, out: Path | None) -> None:
    """Write the report in one of ``FORMATS``. Raises ConfigurationError or StateError."""
    if out is not None:
        refuse_target(invocation, out, "an export")
    elif form == "xlsx" and sys.stdout.isatty():
        raise click.UsageError("--format xlsx makes a file that no terminal shows: give --out FILE.")
    write(out, [_made(invocation, form)])


def export_consumers(invocation: Invocation, out: Path | None, *, names: bool) -> None:
    """Write who consumes what as CSV, as far as the settings allow it.

    Raises ConfigurationError, StateError, or SecretUnresolved when the key of the pseudonyms cannot be had.
    """
    from reconciler.cli.session import load_desired, state_folder
    from reconciler.render import consumers_csv
    from reconciler.store.consumers import consumers, lacking

    if out is not None:
        refuse_target(invocation, out, "an export")
    settings = load_desired(invocation).settings
    _refuse_persons(settings.report, names=names)
    folder = state_folder(invocation)
    if names:
        chunks = consumers_csv.by_name(consumers(folder))
    else:
        made = _pseudonyms(invocation, settings)
        chunks = consumers_csv.by_pseudonym(consumers(folder, made.of), made.of, made.key_id)
        _say(invocation, f"Pseudonyms under the key {made.key_id}.")
    write(out, (chunk.encode() for chunk in chunks))
    if missing := lacking(folder):
        _say(invocation, f"The state DB has no consumers of {', '.join(missing)}: an import is needed.")
    if out is not None:
        _say(invocation, f"{out.name} holds personal data: keep it out of git, and delete it when it is used.")


def write(out: Path | None, chunks: Iterable[bytes]) -> None:
    """Write to stdout, or to a file that is there only when it is whole, and that nobody else may read."""
    if out is None:
        _print(chunks)
        return
    from reconciler.store.files import write_privately

    target = out.resolve()
    with writing(out.name):
        if target.exists() and not target.is_file():  # a device or pipe is written to, and not replaced
            with target.open("wb") as device:
                device.writelines(chunks)
        else:
            write_privately(target, chunks)


def _print(chunks: Iterable[bytes]) -> None:
    """Write to stdout, as far as somebody reads it: ``| head`` is no failure."""
    stdout = sys.stdout.buffer
    try:
        for chunk in chunks:
            stdout.write(chunk)
        stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())  # Python would complain again at its end


def _made(invocation: Invocation, form: str) -> bytes:
    """The report in one form."""
    from reconciler import __version__
    from reconciler.cli.session import load_desired, state_folder
    from reconciler.render import cyclonedx_json, focus_csv, products_csv, status_json
    from reconciler.report import make_report
    from reconciler.store.state import read

    settings = load_desired(invocation).settings
    report = make_report(read(state_folder(invocation)), settings, invocation.now().date())
    match form:
        case "xlsx":
            return _workbook(report)
        case "cyclonedx":
            text = cyclonedx_json.render(report, __version__)
        case "focus":
            text = focus_csv.render(report)
        case "json":
            text = status_json.render(report)
        case _:
            text = products_csv.render(report)
    return text.encode()


def _workbook(report: Report) -> bytes:
    """The report as a workbook, when what makes workbooks is installed."""
    try:
        from reconciler.render import workbook
    except ImportError:
        raise click.UsageError(
            "--format xlsx needs more: install it with pip install 'm365-license-reconciler[xlsx]'."
        ) from None
    return workbook.render(report)


def _refuse_persons(settings: ReportSettings, *, names: bool) -> None:
    """Refuse to show more of persons than reconcile.yaml allows."""
    from reconciler.model import Consumers

    if settings.consumers is Consumers.COUNTS:
        raise click.UsageError(
            "--consumers: reconcile.yaml allows counts only. Set `report.consumers` there to pseudonyms or names."
        )
    if names and settings.consumers is not Consumers.NAMES:
        raise click.UsageError("--names: reconcile.yaml allows pseudonyms only. Set `report.consumers` there to names.")
    if not names and settings.pseudonym_key is None:
        raise click.UsageError("--consumers: there is no `report.pseudonym_key`. Name one, or ask for --names.")


def _pseudonyms(invocation: Invocation, settings: Settings) -> Pseudonyms:
    """Pseudonyms under the key of the settings. A pull request that anybody may have written gets none."""
    from reconciler.cli.session import local_resolver
    from reconciler.cli.trusted import refuse_untrusted
    from reconciler.errors import SecretUnresolved
    from reconciler.pseudonyms import KEY_BYTES, Pseudonyms, is_long_enough

    refuse_untrusted()
    reference = settings.report.pseudonym_key
    assert reference is not None  # noqa: S101 - it was asked for before
    key = local_resolver(invocation)(reference)
    if not is_long_enough(key):
        raise SecretUnresolved(
            f"The key of pseudonyms {reference} is shorter than {KEY_BYTES} characters.",
            remedy="Make one with `openssl rand -hex 32`, and keep it where reconcile.yaml points.",
        )
    return Pseudonyms(key)


def _say(invocation: Invocation, words: str) -> None:
    """A note on stderr."""
    if not invocation.quiet:
        say(words)
