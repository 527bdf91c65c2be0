"""``reconcile verify``: the reports are those of the ledger, to the byte."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from reconciler.audit.rebuild import verify
from reconciler.verification import Difference, Verified
from tests.audit.audit_world import Repository
from tests.cli.cli_world import office, portal_yaml, tenant


def committed(root: Path) -> list[Path]:
    """Every file of reports and ledger."""
    return sorted(
        path for name in ("reports", "ledger") for path in (root / "state" / name).rglob("*") if path.is_file()
    )


def test_reports_that_nobody_touched_are_verified_in_one_line(repository: Repository) -> None:
    repository.publish()
    ended = repository.verify()
    assert ended.code == 0
    reports = len(list((repository.root / "state/reports").iterdir()))
    assert ended.out == (
        f"Verified: {reports} reports on 2 portals, made again from 5 files of the ledger, as version 0.1.0 wrote them "
        "on 2026-11-23.\n"
    )
    assert ended.err == ""


def test_any_single_byte_that_changes_is_noticed_and_its_file_named(repository: Repository) -> None:
    repository.publish()
    found = committed(repository.root)
    assert len(found) >= 10
    dice = random.Random(2026)
    for path in found:
        content = path.read_bytes()
        for at in sorted({0, len(content) - 1, *(dice.randrange(len(content)) for _ in range(12))}):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            difference = verify(repository.root)
            assert isinstance(difference, Difference), f"{path.name}, byte {at}"
            assert difference.file == path.relative_to(repository.root).as_posix()
        path.write_bytes(content)
    assert isinstance(verify(repository.root), Verified)


@pytest.mark.parametrize("cut", [True, False], ids=["cut", "grown"])
def test_a_file_that_is_cut_or_grows_is_noticed(repository: Repository, cut: bool) -> None:
    repository.publish()
    for path in committed(repository.root):
        content = path.read_bytes()
        path.write_bytes(content[:-1] if cut else content + b"\n")
        difference = verify(repository.root)
        assert isinstance(difference, Difference)
        assert difference.file == path.relative_to(repository.root).as_posix()
        path.write_bytes(content)


def test_a_file_that_is_missing_is_named(repository: Repository) -> None:
    repository.publish()
    for path in committed(repository.root):
        content = path.read_bytes()
        path.unlink()
        ended = repository.verify()
        assert ended.code == 1
        assert ended.out.startswith(f"{path.relative_to(repository.root).as_posix()}: it is missing")
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["reports/three.md", "ledger/three.json", "ledger/history/three.jsonl"])
def test_a_file_that_the_tool_did_not_write_is_named(repository: Repository, name: str) -> None:
    repository.publish()
    (repository.root / "state" / name).write_text("{}")
    ended = repository.verify()
    assert ended.code == 1
    assert ended.out.startswith(f"state/{name}: ")


def test_the_first_difference_is_shown_with_its_line_and_both_sides(repository: Repository) -> None:
    repository.publish()
    page = repository.root / "state/reports/one.md"
    lines = page.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("| Users with a license"))
    repository.edit("state/reports/one.md", lines[at], "| Users with a license | \x1b[31m6 |")
    ended = repository.verify()
    assert ended.code == 1
    assert ended.out == (
        f"state/reports/one.md:{at + 1}: it was changed after it was written\n"
        f"  expected: {lines[at]}\n  found:    | Users with a license | \\x1b[31m6 |\n"
    )
    assert "git log -p -- state/reports/one.md" in ended.err


def test_reports_that_an_import_left_behind_are_not_those_of_the_ledger(repository: Repository) -> None:
    repository.publish()
    repository.world.tenants(tenant(1, skus=(office(20),)), tenant(2))
    assert repository.world.run("--now", "2026-11-23T11:00:00Z", "import").code == 0
    assert repository.verify().code == 1
    assert repository.world.run("--now", "2026-11-23T11:00:00Z", "report").code == 0
    assert repository.verify().code == 0


def test_the_day_on_which_somebody_verifies_does_not_matter(repository: Repository) -> None:
    repository.root.joinpath("portals.d/one.yaml").write_text(
        portal_yaml(1, extra="exclusions: [{sku: FLOW_FREE, reason: A while, until: 2026-11-30}]\n")
    )
    repository.commit("An exclusion that ends")
    repository.publish()
    assert repository.world.run("--now", "2030-01-01", "verify", emulate=False).code == 0


def test_it_needs_neither_portals_nor_settings_nor_a_database(repository: Repository) -> None:
    repository.publish()
    shutil.rmtree(repository.root / "portals.d")
    shutil.rmtree(repository.root / ".git")
    (repository.root / "state/reconciler.db").write_bytes(b"no database")
    ended = repository.verify()
    assert ended.code == 0
    assert "Changed since the reports were written: portals.d/one.yaml, portals.d/two.yaml." in ended.err


def test_settings_that_changed_since_are_said_and_do_not_count_yet(repository: Repository) -> None:
    repository.publish()
    (repository.root / "reconcile.yaml").write_text("count_warning: false\nthresholds: {surplus_percent: 40}\n")
    ended = repository.verify()
    assert ended.code == 0
    assert ended.err == "Changed since the reports were written: reconcile.yaml. The next apply takes it up.\n"
    repository.commit("Settings")
    repository.publish("2026-11-24T06:00:00Z")
    assert repository.verify().err == ""


def test_a_commit_is_verified_whatever_lies_in_the_checkout(repository: Repository) -> None:
    first = repository.publish()
    repository.world.tenants(tenant(1, skus=(office(20),)), tenant(2))
    repository.publish("2026-11-24T06:00:00Z")
    shutil.rmtree(repository.root / "state")
    assert repository.verify().code == 1
    for revision in (first, "HEAD", "main~1", first[:10]):
        ended = repository.verify("--rev", revision)
        assert ended.code == 0, ended.out
    assert f"reports of {first[:12]} on 2 portals" in repository.verify("--rev", first).out


def test_a_commit_with_a_report_that_was_edited_is_refused(repository: Repository) -> None:
    repository.publish()
    repository.edit("state/reports/status.json", '"consumed": 7', '"consumed": 6')
    edited = repository.commit("Look better")
    ended = repository.verify("--rev", edited)
    assert ended.code == 1
    assert ended.out.startswith("state/reports/status.json:")
    assert repository.verify("--rev", f"{edited}~1").code == 0


@pytest.mark.parametrize("revision", ["nowhere", "HEAD:state", "--all"])
def test_a_revision_that_is_no_commit_is_a_usage_error(repository: Repository, revision: str) -> None:
    ended = repository.verify(f"--rev={revision}")
    assert ended.code == 64
    assert f"There is no commit '{revision}' here." in ended.err


def test_a_repository_within_a_repository_is_verified_too(repository: Repository) -> None:
    repository.publish()
    inner = repository.root / "licenses"
    inner.mkdir()
    for name in ("portals.d", "state"):
        shutil.move(repository.root / name, inner / name)
    repository.commit("Moved")
    for arguments in ((), ("--rev", "HEAD")):
        repository.world.capsys.readouterr()
        assert repository.world.run("--chdir", str(inner), "verify", *arguments, emulate=False).code == 0
