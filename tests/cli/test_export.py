"""``reconcile report --format``: exports that other programs read, and what may leave the state DB about persons."""

from __future__ import annotations

import csv
import io
import json
import stat
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from reconciler.cli import export as exporting
from reconciler.consumer import Consumer
from reconciler.emulator.scenario import UserGroup
from reconciler.model import DeclaredEntitlement, Price, ProductEntry, Settings
from reconciler.pseudonyms import Pseudonyms
from reconciler.render import cyclonedx_json, focus_csv, products_csv, workbook
from reconciler.render.escape import plain
from reconciler.report import make_report
from reconciler.secret import Secret
from reconciler.store import consumers as stored
from tests.cli.cli_world import E3, POWER_BI, World, office, portal_yaml, power_bi, tenant
from tests.core.core_world import TODAY, exclusion, known, license_, portal, portal_state, product, subscription
from tests.core.report_story import HOSTILE, SETTINGS, story, story_report

KEY = "0123456789abcdef0123456789abcdef"
PSEUDONYMS = "report: {consumers: pseudonyms, pseudonym_key: {env: PSEUDONYM_KEY}}\n"
NAMES = "report: {consumers: names, pseudonym_key: {env: PSEUDONYM_KEY}}\n"


@pytest.fixture
def read(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A portal with seven users, three of whom hold a second license."""
    monkeypatch.setenv("PSEUDONYM_KEY", KEY)
    world.portals(one=portal_yaml())
    world.tenants(tenant(skus=(office(), power_bi()), users=(UserGroup(4, (E3,)), UserGroup(3, (E3, POWER_BI)))))
    assert world.run("apply").code == 0
    return world


def settings(world: World, text: str) -> None:
    (world.root / "reconcile.yaml").write_text(text)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def sheets(content: bytes) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


# --- the report in other forms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "file"), [("csv", "products.csv"), ("json", "status.json")])
def test_an_export_is_the_committed_file(form: str, file: str, read: World) -> None:
    ended = read.run("report", "--format", form)
    assert ended.out == (read.root / "state/reports" / file).read_text()


@pytest.mark.parametrize("form", exporting.FORMATS)
def test_an_export_writes_its_file_and_nothing_else(form: str, read: World) -> None:
    before = read.written()
    out = read.root / "export"
    assert read.run("report", "--format", form, "--out", str(out)).code == 0
    first = out.read_bytes()
    assert read.run("report", "--format", form, "--out", str(out)).code == 0
    assert out.read_bytes() == first != b""
    assert read.written() == before
    assert sorted(path.name for path in read.root.iterdir()) == ["export", "portals.d", "state"]


@pytest.mark.parametrize("name", ["state/reports/x.csv", "state/x", "portals.d/x.yaml", "reconcile.yaml", ".git/x"])
def test_an_export_does_not_go_where_the_tool_or_people_keep_what_counts(name: str, read: World) -> None:
    ended = read.run("report", "--format", "csv", "--out", str(read.root / name))
    assert ended.code == 64
    assert "--out:" in ended.err
    assert not (read.root / name).exists()


def test_an_export_that_fails_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    out = tmp_path / "export.csv"
    out.write_text("old")

    def broken() -> Any:
        yield b"new"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        exporting.write(out, broken())
    assert [path.name for path in tmp_path.iterdir()] == ["export.csv"]
    assert out.read_text() == "old"


def test_a_device_is_written_to_and_not_replaced() -> None:
    exporting.write(Path("/dev/null"), [b"x"])
    assert Path("/dev/null").is_char_device()


def test_a_reader_that_stops_early_is_no_failure(read: World) -> None:
    program = "import sys; from reconciler.cli.main import run; run()"
    command = [sys.executable, "-c", program, "--chdir", str(read.root), "report", "--format", "csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", "x"], "give --format"),
        (["--consumers"], "give --format"),
        (["--names"], "give --format"),
        (["--format", "csv", "--names"], "belongs to --consumers"),
        (["--format", "xlsx", "--consumers"], "give --format csv"),
    ],
)
def test_options_that_do_not_go_together_are_a_usage_error(arguments: list[str], says: str, read: World) -> None:
    ended = read.run("report", *arguments)
    assert ended.code == 64
    assert says in ended.err


# --- FOCUS -----------------------------------------------------------------------------------------------------------


def test_focus_has_a_row_for_each_purchase() -> None:
    bought = (
        subscription(id="a", total_licenses=60, next_lifecycle=datetime(2027, 5, 1, tzinfo=UTC)),
        subscription("Warning", id="b", total_licenses=40, next_lifecycle=datetime(2026, 12, 8, tzinfo=UTC)),
        subscription("LockedOut", id="c", total_licenses=1, is_trial=True),
        subscription("Novel", id="d", total_licenses=None),
    )
    declared = portal(
        products=(
            ProductEntry(
                "ENTERPRISEPACK",
                price=Price(Decimal("34.40"), "EUR", "month"),
                entitlement=DeclaredEntitlement(100, "EA-77", "PO-1"),
            ),
        )
    )
    state = portal_state(product(license_(subscriptions=bought)), declared=declared)
    rows = table(focus_csv.render(make_report(known(state), Settings(), TODAY)))
    assert [(row["ContractCommitmentId"], row["ContractCommitmentLifecycleStatus"]) for row in rows] == [
        ("a", "Active"),
        ("b", "Expired"),
        ("c", "Canceled"),
        ("d", ""),
    ]
    assert [row["ContractCommitmentPeriodEnd"] for row in rows] == ["2027-05-01T00:00:00Z", "", "", ""]
    assert [row["ContractCommitmentQuantity"] for row in rows] == ["60", "40", "1", ""]
    assert [row["ContractCommitmentType"] for row in rows] == ["Subscription", "Subscription", "Trial", "Subscription"]
    assert {(row["ContractId"], row["BillingCurrency"], row["x_UnitPrice"]) for row in rows} == {
        ("EA-77", "EUR", "34.40")
    }


def test_focus_has_a_row_for_the_units_of_a_license_without_purchases() -> None:
    (row,) = table(focus_csv.render(make_report(known(portal_state(product())), Settings(), TODAY)))
    assert row["ContractCommitmentId"] == f"{row['x_TenantId']}/{row['x_SkuId']}"
    assert row["ContractCommitmentQuantity"] == "100"


def test_focus_leaves_out_what_is_not_synchronized_and_names_its_own_columns() -> None:
    rows = table(focus_csv.render(story_report()))
    synchronized = {
        (each.state.id, item.product.sku_id)
        for each in story_report().portals
        for item in each.products
        if item.product.reason is None
    }
    assert {(row["x_Portal"], row["x_SkuId"]) for row in rows} == synchronized
    assert all(name.startswith(("ContractC", "ContractI", "ContractP", "Billing", "x_")) for name in focus_csv.COLUMNS)


# --- CycloneDX -------------------------------------------------------------------------------------------------------


def cyclonedx(text: str) -> dict[str, Any]:
    """The document, after the schema of CycloneDX has been asked."""
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert error is None
    document: dict[str, Any] = json.loads(text)
    return document


def test_the_story_is_a_valid_bill_of_materials() -> None:
    report = story_report()
    document = cyclonedx(cyclonedx_json.render(report, "1.0"))
    references = [component["bom-ref"] for component in document["components"]]
    assert len(set(references)) == len(references) == report.products


def test_the_license_of_a_component_says_who_owns_it_until_when() -> None:
    bought = (
        subscription(id="a", next_lifecycle=datetime(2027, 5, 1, tzinfo=UTC), is_trial=True),
        subscription("Deleted", id="b", next_lifecycle=datetime(2030, 5, 1, tzinfo=UTC)),
    )
    entry = ProductEntry("ENTERPRISEPACK", entitlement=DeclaredEntitlement(100, purchase_order="PO-1"))
    state = portal_state(product(license_(subscriptions=bought)), declared=portal(products=(entry,)))
    text = cyclonedx_json.render(make_report(known(state), Settings(), TODAY), "1.0")
    (component,) = cyclonedx(text)["components"]
    assert component["licenses"][0]["license"] == {
        "name": "ENTERPRISEPACK",
        "licensing": {
            "altIds": ["a", "b"],
            "licensor": {"organization": {"name": "Microsoft"}},
            "licensee": {"organization": {"name": "Contoso"}},
            "purchaseOrder": "PO-1",
            "licenseTypes": ["subscription", "named-user", "evaluation"],
            "expiration": "2027-05-01T00:00:00Z",
        },
    }
    values = {each["name"]: each["value"] for each in component["properties"]}
    assert values["m365-license-reconciler:quantity"] == "100"
    assert values["m365-license-reconciler:balance"] == "3"


def test_a_license_with_a_purchase_without_end_does_not_end() -> None:
    bought = (subscription(id="a"), subscription(id="b", next_lifecycle=datetime(2027, 5, 1, tzinfo=UTC)))
    state = portal_state(product(license_(subscriptions=bought)))
    (component,) = cyclonedx(cyclonedx_json.render(make_report(known(state), Settings(), TODAY), "1"))["components"]
    assert "expiration" not in component["licenses"][0]["license"]["licensing"]


# --- the workbook ----------------------------------------------------------------------------------------------------


def test_the_workbook_says_what_the_report_says() -> None:
    report = story_report()
    found = sheets(workbook.render(report))
    assert list(found) == ["Products", "Portals", "Next steps", "Exclusions"]
    head, *rows = found["Products"]
    assert head == products_csv.COLUMNS
    assert len(rows) == report.products
    balance = head.index("balance")
    assert [row[balance] for row in rows] == [item.shown_balance for each in report.portals for item in each.products]
    assert found["Portals"][0][-1] == "emulated"
    emulated = [each.state.last_import.emulated is not None for each in report.portals]
    assert [row[-1] for row in found["Portals"][1:]] == emulated
    assert [row[0] for row in found["Portals"][1:]] == [each.state.id for each in report.portals]
    assert [row[2] for row in found["Next steps"][1:]] == [plain(step.why) for step in report.next_steps]


def test_the_workbook_has_every_exclusion_once() -> None:
    rows = sheets(workbook.render(story_report()))["Exclusions"][1:]
    declared: list[tuple[str | None, str]] = [(None, item.sku) for item in SETTINGS.exclusions]
    declared += [(each.state.id, item.sku) for each in story_report().portals for item in each.state.portal.exclusions]
    assert [row[:2] for row in rows] == declared


def test_a_formula_of_a_tenant_is_text_in_the_workbook() -> None:
    nasty = license_(part_number="=1+1")
    state = portal_state(replace(product(nasty), title="https://evil.example"), declared=portal(name="{=1}"))
    book = openpyxl.load_workbook(io.BytesIO(workbook.render(make_report(known(state), Settings(), TODAY))))
    kinds = {cell.value: cell.data_type for cell in book["Products"][2] if cell.value is not None}
    assert (kinds["=1+1"], kinds["{=1}"]) == ("s", "s")
    assert not [cell for sheet in book for row in sheet for cell in row if cell.hyperlink or cell.data_type == "f"]


def test_the_workbook_holds_what_xml_and_excel_cannot() -> None:
    long_ago = exclusion("A", until=date(1, 1, 1))
    state = portal_state(product(license_(part_number=f"\ufffe{HOSTILE}")), declared=portal(exclusions=(long_ago,)))
    found = sheets(workbook.render(make_report(known(state), Settings(), TODAY)))
    assert found["Exclusions"][1][3] == "0001-01-01"
    assert found["Products"][1][products_csv.COLUMNS.index("sku_part_number")].startswith("\ufffdEvil")


def test_the_same_report_is_the_same_workbook() -> None:
    first = workbook.render(story_report())
    assert workbook.render(make_report(dict(reversed(story().items())), SETTINGS, story_report_day())) == first
    with zipfile.ZipFile(io.BytesIO(first)) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def story_report_day() -> date:
    return date(2026, 11, 24)


def test_without_its_library_a_workbook_is_a_usage_error(read: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "reconciler.render.workbook")
    monkeypatch.delattr("reconciler.render.workbook")
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    ended = read.run("report", "--format", "xlsx", "--out", str(read.root / "x.xlsx"))
    assert ended.code == 64
    assert "m365-license-reconciler[xlsx]" in ended.err
    assert not (read.root / "x.xlsx").exists()


# --- consumers -------------------------------------------------------------------------------------------------------


def test_consumers_are_not_exported_unless_the_settings_allow_it(read: World) -> None:
    ended = read.run("report", "--format", "csv", "--consumers")
    assert (ended.code, ended.out) == (64, "")
    assert "report.consumers" in ended.err


def test_names_need_a_setting_of_their_own(read: World) -> None:
    settings(read, PSEUDONYMS)
    ended = read.run("report", "--format", "csv", "--consumers", "--names")
    assert (ended.code, ended.out) == (64, "")


def test_pseudonyms_name_nobody(read: World) -> None:
    settings(read, PSEUDONYMS)
    ended = read.run("report", "--format", "csv", "--consumers")
    rows = table(ended.out)
    assert len(rows) == 10
    assert len({row["consumer"] for row in rows}) == 7
    (key_id,) = {row["key_id"] for row in rows}
    assert f"under the key {key_id}" in ended.err
    settings(read, NAMES)
    named = table(read.run("report", "--format", "csv", "--consumers", "--names").out)
    assert len(named) == 10
    for row in named:
        for secret in (row["object_id"], row["user_principal_name"], row["display_name"], row["mail"]):
            assert secret not in ended.out
    assert KEY not in ended.out + ended.err


def test_rows_come_in_the_order_of_their_pseudonyms_and_not_of_the_tenants_users(read: World) -> None:
    settings(read, PSEUDONYMS)
    shown = [row["consumer"] for row in table(read.run("report", "--format", "csv", "--consumers").out)]
    by_user = list(dict.fromkeys(known_as(each) for each in stored.consumers(read.root / "state")))
    assert sorted(by_user) != by_user  # else the next line would say nothing
    assert shown == sorted(shown)
    assert set(shown) == set(by_user)


def known_as(who: Consumer) -> str:
    """The pseudonym of a consumer under the key of these tests."""
    return Pseudonyms(Secret(KEY.encode())).of(who.tenant_id, who.object_id)


def test_names_are_shown_only_when_they_are_asked_for(read: World) -> None:
    settings(read, NAMES)
    assert "user_principal_name" not in read.run("report", "--format", "csv", "--consumers").out
    settings(read, "report: {consumers: names}\n")
    assert read.run("report", "--format", "csv", "--consumers").code == 64
    assert read.run("report", "--format", "csv", "--consumers", "--names").code == 0


def test_a_short_key_is_refused_and_not_shown(read: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(read, PSEUDONYMS)
    monkeypatch.setenv("PSEUDONYM_KEY", "canary")
    ended = read.run("report", "--format", "csv", "--consumers")
    assert (ended.code, ended.out) == (1, "")
    assert "secret-unresolved" in ended.err
    assert "canary" not in ended.err


def test_a_pull_request_gets_no_pseudonyms(read: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(read, PSEUDONYMS)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    ended = read.run("report", "--format", "csv", "--consumers")
    assert (ended.code, ended.out) == (3, "")
    assert "untrusted-ref" in ended.err


def test_a_file_of_consumers_is_for_its_owner_only_and_never_below_the_state(read: World) -> None:
    settings(read, PSEUDONYMS)
    out = read.root / "consumers.csv"
    ended = read.run("report", "--format", "csv", "--consumers", "--out", str(out))
    assert "personal data" in ended.err
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert read.run("report", "--format", "csv", "--consumers", "--out", str(read.root / "state/c.csv")).code == 64
    assert not (read.root / "state/c.csv").exists()


def test_a_fresh_clone_says_whose_consumers_it_lacks(read: World) -> None:
    settings(read, PSEUDONYMS)
    (read.root / "state/reconciler.db").unlink()
    ended = read.run("report", "--format", "csv", "--consumers")
    assert table(ended.out) == []
    assert "The state DB has no consumers of one: an import is needed." in ended.err


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 8])
def test_consumers_are_complete_however_many_are_read_at_once(
    batch: int, read: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = list(stored.consumers(read.root / "state"))
    monkeypatch.setattr(stored, "BATCH", batch)
    assert list(stored.consumers(read.root / "state")) == whole
    made = Pseudonyms(Secret(KEY.encode())).of
    by_pseudonym = list(stored.consumers(read.root / "state", made))
    assert by_pseudonym == sorted(whole, key=lambda each: (known_as(each), each.sku_id))
    assert len(whole) == len({(each.object_id, each.sku_id) for each in whole}) == 10
