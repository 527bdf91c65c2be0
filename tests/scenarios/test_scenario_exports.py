"""What other programs read: each form against its own schema, and in a spreadsheet that opens it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf.json_format import Parse, ParseError
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from reconciler.resources import folder
from tests.cli.cli_world import PACKAGE, reconcile
from tests.cli.test_check import validate_sarif
from tests.scenarios.scenario_run import Played
from tests.scenarios.worlds import PORTALS, WORLDS

Play = Callable[[str], Played]
Cells = list[list[Any]]

POLICIES = """\
policies:
  - rule: no_product_short
  - {rule: min_utilization, percent: 99, severity: warning}
  - rule: no_ended_exclusion
  - rule: import_complete
report: {consumers: names}
"""


def in_toto(text: str) -> None:
    """Read a statement as in-toto's own library does. Raises ParseError for a member it does not know, ValueError."""
    Statement.copy_from_pb(Parse(text, statement_pb2.Statement())).validate()


@pytest.fixture(scope="module")
def judged(played: Play, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A copy of what was played, with policies, and consumers that may be exported."""

    def copy(name: str) -> Path:
        root = tmp_path_factory.mktemp(name) / "repository"
        shutil.copytree(played(name).root, root)
        if name == "demo":
            shutil.copytree(PACKAGE / "portals.d", root / "portals.d", dirs_exist_ok=True)
        with (root / "reconcile.yaml").open("a", encoding="utf-8") as settings:
            settings.write(POLICIES)
        return root

    return copy


# --- schemas ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize(("file", "schema"), [("status.json", "report"), ("evidence.json", "evidence")])
def test_a_report_is_as_its_schema_says(name: str, file: str, schema: str, played: Play) -> None:
    rules = json.loads((folder("schemas") / f"{schema}.schema.json").read_text())
    jsonschema.Draft7Validator(rules).validate(json.loads(played(name).report(file)))


@pytest.mark.parametrize("name", WORLDS)
def test_the_evidence_is_a_statement_to_in_toto_itself(name: str, played: Play) -> None:
    text = played(name).report("evidence.json")
    in_toto(text)
    for broken in (
        text.replace('"subject"', '"subjects"', 1),
        text.replace("Statement/v1", "Statement/v0", 1),
        text.replace('"predicateType"', '"predicate_kind"', 1),
    ):
        with pytest.raises((ParseError, ValueError)):
            in_toto(broken)


@pytest.mark.parametrize("name", WORLDS)
def test_the_sarif_of_a_world_is_as_its_schema_says(name: str, judged: Callable[[str], Path]) -> None:
    root = judged(name)
    ended = reconcile("check", "--format", "sarif", cwd=root)
    assert ended.code == (0 if name == "empty" else 1), ended.err
    document = json.loads(ended.out)
    validate_sarif(document)
    results = document["runs"][0]["results"]
    assert bool(results) == (name != "empty")
    for result in results:
        (place,) = result["locations"]
        file, line = place["physicalLocation"]["artifactLocation"]["uri"], place["physicalLocation"]["region"]
        assert len((root / file).read_text().splitlines()) >= line["startLine"] > 0
    document["runs"][0]["surprise"] = True
    with pytest.raises(jsonschema.ValidationError):
        validate_sarif(document)


@pytest.mark.parametrize("name", WORLDS)
def test_the_bill_of_materials_of_a_world_is_as_its_schema_says(name: str, played: Play) -> None:
    ended = reconcile("report", "--format", "cyclonedx", cwd=played(name).root)
    assert ended.code == 0, ended.err
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(ended.out) is None


# --- spreadsheets ----------------------------------------------------------------------------------------------------

FORMS = {
    "products": ["--format", "csv"],
    "purchases": ["--format", "focus"],
    "consumers": ["--format", "csv", "--consumers", "--names"],
    "book": ["--format", "xlsx"],
}

LOGICAL = {"=TRUE()": True, "=FALSE()": False}
"""How LibreOffice saves a cell that is true or false."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Path]]:
    """LibreOffice, which opens files and saves them as workbooks."""
    if shutil.which("soffice") is None:
        pytest.skip("needs LibreOffice: see CONTRIBUTING.md")
    profile = tmp_path_factory.mktemp("office")

    def saved(files: list[Path], out: Path, *options: str) -> dict[str, Path]:
        command = ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless", *options]
        done = subprocess.run(
            [*command, "--convert-to", "xlsx", "--outdir", str(out), *map(str, files)],
            capture_output=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return {path.stem: path for path in out.iterdir()}

    return saved


@pytest.fixture(scope="module", params=["one", "hostile"])
def exported(
    request: pytest.FixtureRequest, judged: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Every export for spreadsheets of a world."""
    root, out = judged(request.param), tmp_path_factory.mktemp("exports")
    files = {name: out / f"{name}.{'xlsx' if name == 'book' else 'csv'}" for name in FORMS}
    for name, path in files.items():
        ended = reconcile("report", *FORMS[name], "--out", str(path), cwd=root)
        assert ended.code == 0, ended.err
    return files


def cells(path: Path) -> Iterator[Any]:
    """Every cell of every sheet."""
    for sheet in openpyxl.load_workbook(path):
        for row in sheet.iter_rows():
            yield from row


@pytest.mark.parametrize("options", [(), ("--infilter=CSV:59,34,76",)], ids=["comma", "semicolon"])
def test_no_cell_of_a_csv_is_a_formula_once_it_is_open(
    exported: dict[str, Path], office: Callable[..., dict[str, Path]], tmp_path: Path, options: tuple[str, ...]
) -> None:
    tables = [path for path in exported.values() if path.suffix == ".csv"]
    control = tmp_path / "control.csv"
    control.write_text("=1+1\n")
    found = office([*tables, control], tmp_path / "out", *options)
    assert [cell.data_type for cell in cells(found.pop("control"))] == ["f"], "formulas are read as such"
    assert len(found) == len(tables) == 3
    for name, path in found.items():
        shown = list(cells(path))
        assert len(shown) > 1, f"{name} is a table"
        assert not [cell.value for cell in shown if cell.data_type in ("f", "e") or cell.hyperlink], name


def test_libreoffice_shows_the_workbook_as_it_was_written(
    exported: dict[str, Path], office: Callable[..., dict[str, Path]], tmp_path: Path
) -> None:
    written = openpyxl.load_workbook(exported["book"])
    shown = openpyxl.load_workbook(office([exported["book"]], tmp_path / "out")["book"])
    assert shown.sheetnames == written.sheetnames == ["Products", "Portals", "Next steps", "Exclusions"]
    for sheet in written:
        there = shown[sheet.title]
        assert [[LOGICAL.get(cell.value, cell.value) for cell in row] for row in there.iter_rows()] == [
            [None if cell.value == "" else cell.value for cell in row] for row in sheet.iter_rows()
        ]
        formulas = {cell.value for row in there for cell in row if cell.data_type == "f"}
        assert formulas <= LOGICAL.keys()
        assert not [cell for row in there for cell in row if cell.data_type == "e" or cell.hyperlink]


def test_the_hostile_tables_hold_the_hostile_names(judged: Callable[[str], Path]) -> None:
    """What opens without a formula is not just empty."""
    ended = reconcile("report", *FORMS["consumers"], cwd=judged("hostile"))
    assert ended.out.count("'=HYPERLINK") >= 2
    assert ended.out.count("@evil.example") == PORTALS
