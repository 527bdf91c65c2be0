"""``reconcile explain-error``: a page for each code, the nearest codes for a wrong one, and a list of all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from reconciler.cli.main import main
from reconciler.config.explanations import PROBLEMS
from reconciler.error_catalogue import CATALOGUE

CODES = [*CATALOGUE, *PROBLEMS]


@pytest.mark.parametrize(
    "code", ["AADSTS700027", "7000215", "GRAPH-UNREACHABLE", "aadsts700213", "locked", "unknown-key", "http-502"]
)
def test_a_page_says_what_happened_when_and_what_to_do(
    code: str, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    assert main(["explain-error", code]) == 0
    assert capsys.readouterr().out == snapshot


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_page(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = {**CATALOGUE, **PROBLEMS}[code]
    assert main(["explain-error", code.upper()]) == 0
    shown = capsys.readouterr().out
    words = " ".join(shown.split())
    assert shown.startswith(f"{code}\n")
    assert all(text in words for text in (row.message, row.when, row.remedy, *(case.remedy for case in row.cases)))
    assert max(len(line) for line in shown.splitlines()) <= 100


def test_without_a_code_all_are_listed_with_their_meaning_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain-error"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert sorted(line[0] for line in lines) == sorted(CODES)
    assert all(len(line) > 1 for line in lines)


def test_json_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain-error", "700027", "--format", "json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert (page["code"], page["source"], page["about"]) == ("AADSTS700027", "Microsoft Entra", "one portal")
    assert len(page["cases"]) == 3
    assert main(["explain-error", "--format", "json"]) == 0
    assert [row["code"] for row in json.loads(capsys.readouterr().out)] == CODES


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("lockd", "Did you mean locked?"),
        ("7000225", "AADSTS7000215"),
        ("7000216x", "Did you mean AADSTS7000216"),
        ("AADSTS50105", "https://login.microsoftonline.com/error?code=50105"),
        ("nothing-like-it-at-all", "Without CODE the command lists all."),
        ("\x1b[31m", "'\\x1b[31m'"),
    ],
)
def test_a_code_that_does_not_exist_is_a_usage_error(code: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain-error", "--", code]) == 64
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "\x1b" not in captured.err


def test_it_needs_no_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain-error", "locked"]) == 0
    assert "Two runs at once" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
