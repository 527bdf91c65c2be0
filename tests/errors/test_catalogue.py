"""The catalogue against the code: nothing is missing in it, nothing in it is made up, and each fact stands once."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.explanations import PROBLEMS
from reconciler.config.problems import CODES
from reconciler.error_catalogue import ANY_STATUS, CATALOGUE, find, reported_remedy
from reconciler.error_catalogue.explanation import UNKNOWN, Explanation, Source
from reconciler.errors import (
    PortalError,
    ReconcileError,
    Refused,
    ReportedError,
    SecretIdPasted,
    Unreachable,
    UntrustedAnswer,
    refuse_secret_id,
)
from tests.docs.docs_errors import Raised, classes, raised
from tests.docs.docs_pages import ROOT

ROWS = [*CATALOGUE.values(), *PROBLEMS.values()]
RAISED = sorted(set(raised()), key=str)
CODELESS = {Refused, PortalError, ReportedError, UntrustedAnswer}
"""Classes without a code of their own: whoever raises them names one."""

ORIGINAL = {
    "graph-unreachable": "Could not connect to GraphAPI server.",
    "success-not-deserialized": "GraphAPI webcall returned success but information could not be deserialized.",
    "failure-not-deserialized": ("GraphAPI webcall returned failure but error information could not be deserialized."),
    "thumbprint-unreadable": "Thumbprint from public key could not be read.",
    "assertion-failed": "JSON Web Token generation for authentication with GraphAPI failed.",
}
"""Five of the original's six messages. The sixth is whatever Entra or Graph itself says."""


@pytest.mark.parametrize("code", ORIGINAL)
def test_the_messages_of_the_original_are_kept_word_for_word(code: str) -> None:
    assert CATALOGUE[code].message == ORIGINAL[code]


@pytest.mark.parametrize("kind", sorted({*classes()} - CODELESS, key=str))
def test_every_class_of_error_has_a_row(kind: type[ReconcileError]) -> None:
    if issubclass(kind, ReportedError):
        return  # its code is the server's
    assert "code" in vars(kind) or kind.__mro__[1] not in CODELESS
    assert kind.code in CATALOGUE


def test_classes_without_a_code_are_raised_with_one() -> None:
    names = "|".join(kind.__name__ for kind in CODELESS if kind is not ReportedError)
    for path in sorted((ROOT / "reconciler").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and re.fullmatch(names, ast.unparse(node.func)):
                assert "code" in {word.arg for word in node.keywords}, f"{path.name}:{node.lineno}"


def _wordings(row: Explanation) -> list[tuple[str, str]]:
    return [(row.message, row.remedy), *((case.message, case.remedy) for case in row.cases)]


def _same(known: str, said: str | None) -> bool:
    """Whether the words of a raise site are the catalogue's, as far as they are known without a run."""
    if said is None:
        return True
    patterns = [".*?".join(re.escape(part) for part in text.split(UNKNOWN)) for text in (known, said)]
    return bool(re.fullmatch(patterns[0], said, re.DOTALL) or re.fullmatch(patterns[1], known, re.DOTALL))


def test_the_look_at_the_code_finds_errors() -> None:
    assert {"locked", "too-many-lost", "page-loop", "proxy-invalid", "no-licenses"} <= {each.code for each in RAISED}


@pytest.mark.parametrize("made", RAISED, ids=lambda made: f"{made.module.removeprefix('reconciler.')}-{made.code}")
def test_every_error_in_the_code_has_a_row_with_its_words(made: Raised) -> None:
    assert made.code in CATALOGUE, "add a row to the catalogue"
    row = CATALOGUE[made.code]
    if made.message is None or any(made.message == message for message, _ in _wordings(row)):
        known = [remedy for message, remedy in _wordings(row) if made.message in (None, message)]
    else:
        assert row.cases or _same(row.message, made.message), f"the catalogue says: {row.message}"
        known = [remedy for _, remedy in _wordings(row)]
    assert any(_same(remedy, made.remedy) for remedy in known), f"the catalogue says: {known}"


def test_every_own_row_is_made_somewhere() -> None:
    made = {each.code for each in RAISED} | {kind.code for kind in classes()} | {ReconcileError.code}
    ours = {row.code for row in CATALOGUE.values() if row.source in (Source.OURS, Source.TRANSPORT)}
    assert ours == made & set(CATALOGUE)
    assert made <= set(CATALOGUE)


def test_a_code_has_one_row_in_whatever_case() -> None:
    codes = [row.code.casefold() for row in ROWS]
    assert len(codes) == len(set(codes))
    assert {row.code for row in PROBLEMS.values()} == set(CODES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_a_row_says_everything_in_whole_sentences(row: Explanation) -> None:
    remedies = [row.remedy, *(case.remedy for case in row.cases)]
    whens = [row.when, *(case.when for case in row.cases)]
    for text in (*remedies, *whens):
        assert "\n" not in text
        assert text[0].isupper() or text[0] == "`" or text.startswith(("tenant_id", "client_id"))
        assert text.rstrip(")`").endswith((".", UNKNOWN)), text
        assert len(text) <= 330


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("AADSTS7000215", "AADSTS7000215"),
        ("aadsts7000215", "AADSTS7000215"),
        (" 7000215 ", "AADSTS7000215"),
        ("Locked", "locked"),
        ("authorization_requestdenied", "Authorization_RequestDenied"),
        ("http-418", ANY_STATUS),
        ("HTTP-503", ANY_STATUS),
    ],
)
def test_a_code_is_found_however_it_is_written(written: str, code: str) -> None:
    row = find(written)
    assert row is not None
    assert row.code == code


@pytest.mark.parametrize("word", ["", "7000", "http-", "http-99", "http-4040", "AADSTS", "lock", "http-…x"])
def test_what_is_no_code_is_not_found(word: str) -> None:
    assert find(word) is None


def test_what_the_server_named_stands_in_the_remedy() -> None:
    text = "No matching federated identity record found for presented assertion subject 'repo:a/b:pull_request'. Check."
    assert "exactly 'repo:a/b:pull_request'" in (reported_remedy("AADSTS700213", 401, text) or "")


@given(st.text(max_size=300), st.sampled_from([row for row in ROWS if row.cases]))
def test_any_text_gets_a_remedy_of_its_row(text: str, row: Explanation) -> None:
    advice = row.advice(text)
    assert any(_same(advice, remedy) for _, remedy in _wordings(row))


@pytest.mark.parametrize(
    ("status", "expected"), [(429, "throttles"), (503, "failing"), (500, "failing"), (403, "consent"), (400, None)]
)
def test_a_code_that_no_row_has_is_judged_by_its_status(status: int, expected: str | None) -> None:
    remedy = reported_remedy("SomethingNew", status)
    assert remedy is None if expected is None else expected in (remedy or "")


def test_an_error_says_more_than_its_class_when_it_knows_more() -> None:
    assert "DNS" in Unreachable(detail="login.microsoftonline.com: name could not be resolved").remedy
    assert "DNS" not in Unreachable(detail="login.microsoftonline.com: no connection").remedy
    assert Unreachable(remedy="Wait.").remedy == "Wait."


def test_an_error_with_a_code_that_no_row_has_is_a_defect_and_says_so() -> None:
    error = ReconcileError("Strange.", code="strange")
    assert (error.code, error.message) == ("strange", "Strange.")
    assert "report" in error.remedy


@pytest.mark.parametrize(
    ("value", "secret_id", "pasted"),
    [
        ("5c0f1a7e-0b5d-4a3e-9b8a-6b1f3d2c4e50", "5c0f1a7e-0b5d-4a3e-9b8a-6b1f3d2c4e50", True),
        (" 5C0F1A7E-0B5D-4A3E-9B8A-6B1F3D2C4E50\n", "5c0f1a7e-0b5d-4a3e-9b8a-6b1f3d2c4e50", True),
        ("5c0f1a7e-0b5d-4a3e-9b8a-6b1f3d2c4e50", None, False),
        ("Abc8Q~something", "5c0f1a7e-0b5d-4a3e-9b8a-6b1f3d2c4e50", False),
        ("", "", False),
    ],
)
def test_a_secret_that_is_its_own_label_is_known_without_asking_entra(
    value: str, secret_id: str | None, pasted: bool
) -> None:
    if not pasted:
        refuse_secret_id(value, secret_id)
        return
    with pytest.raises(SecretIdPasted) as caught:
        refuse_secret_id(value, secret_id)
    assert value.strip() not in str(caught.value) + caught.value.remedy
