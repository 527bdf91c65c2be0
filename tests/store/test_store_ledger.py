"""The ledger's files: which are touched, what cannot be read, and what a failure in the middle leaves."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import StateError
from reconciler.store import ledger
from reconciler.store.files import write_changed
from tests.store.store_world import LINEAGE, files_under, portal_state


def write(folder: Path, *serials: int) -> bool:
    """A ledger with one portal for each serial: contoso, fabrikam, northwind."""
    names = ("contoso", "fabrikam", "northwind")
    states = {name: portal_state(name, serial) for name, serial in zip(names, serials, strict=False)}
    return ledger.write(folder, LINEAGE, states, lambda _: ())


def test_a_ledger_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert ledger.read(tmp_path / "ledger") == ledger.Ledger(None, {})


def test_a_ledger_says_its_lineage_and_each_portal_with_the_digest_of_its_file(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    found = ledger.read(tmp_path)

    assert found.lineage == LINEAGE
    assert {name: entry.state for name, entry in found.entries.items()} == {
        "contoso": portal_state("contoso", 1),
        "fabrikam": portal_state("fabrikam", 2),
    }
    assert found.entries["contoso"].digest == ledger.digest((tmp_path / "contoso.json").read_text())


def test_a_ledger_that_is_right_is_not_touched(tmp_path: Path) -> None:
    assert write(tmp_path, 1, 1)
    before = files_under(tmp_path)

    assert not write(tmp_path, 1, 1)
    assert files_under(tmp_path) == before


def test_only_the_files_of_portals_that_changed_are_touched(tmp_path: Path) -> None:
    write(tmp_path, 1, 1)
    before = files_under(tmp_path)

    assert write(tmp_path, 1, 2)
    after = files_under(tmp_path)
    assert {path.name for path in before if before[path] != after[path]} == {tmp_path.name, "fabrikam.json"}


def test_files_of_portals_that_are_gone_are_removed_and_foreign_files_stay(tmp_path: Path) -> None:
    write(tmp_path, 1, 1)
    (tmp_path / "README.md").write_text("Written by the tool.")

    assert write(tmp_path, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "contoso.json", "meta.json"]


def test_a_folder_within_is_not_ours_to_remove(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "old.md").write_text("old")

    assert write_changed(tmp_path, {"status.md": "new"}, "*")
    assert not write_changed(tmp_path, {"status.md": "new"}, "*")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["charts", "status.md"]


def test_files_get_the_permissions_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path, 1)
    finally:
        os.umask(before)

    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}


def test_a_link_in_place_of_a_ledger_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    folder = tmp_path / "ledger"
    folder.mkdir()
    for name in ("contoso.json", ".contoso.json.tmp"):
        (folder / name).symlink_to(outside)

    write(folder, 1)

    assert outside.read_text() == "mine"
    assert not (folder / "contoso.json").is_symlink()
    assert sorted(path.name for path in folder.iterdir()) == ["contoso.json", "meta.json"]


def test_what_a_killed_run_left_unfinished_is_cleared_away_and_is_no_change(tmp_path: Path) -> None:
    write(tmp_path, 1)
    (tmp_path / ".contoso.json.tmp").write_text('{"half":')

    assert not write(tmp_path, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["contoso.json", "meta.json"]


# --- a failure in the middle -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("good", range(4))
@pytest.mark.parametrize("operation", ["fsync", "replace"])
def test_a_failure_leaves_each_file_old_or_new_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, good: int
) -> None:
    folder, finished = tmp_path / "ledger", tmp_path / "finished"
    write(folder, 1, 1, 1)
    write(finished, 2, 2, 2)
    old = {path.name: path.read_bytes() for path in folder.iterdir()}
    new = {path.name: path.read_bytes() for path in finished.iterdir()}
    real: Callable[..., Any] = getattr(os, operation)
    calls = iter(range(100))

    def failing(*arguments: Any, **members: Any) -> Any:
        if next(calls) == good:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments, **members)

    with monkeypatch.context() as patched:
        patched.setattr(os, operation, failing)
        if good < 3:
            with pytest.raises(StateError, match="cannot be written") as caught:
                write(folder, 2, 2, 2)
            assert caught.value.code == "state-not-writable"
            assert caught.value.detail == "No space left on device"
        else:
            write(folder, 2, 2, 2)

    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    names = ["contoso.json", "fabrikam.json", "northwind.json"]
    assert found == {**old, **{name: new[name] for name in names[:good]}}


@pytest.mark.parametrize("good", range(4))
def test_a_first_ledger_that_was_cut_short_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: int
) -> None:
    real = os.replace
    calls = iter(range(100))

    def failing(*arguments: Any) -> None:
        if next(calls) == good:
            raise KeyboardInterrupt
        real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", failing)
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path, 1, 1, 1)

    assert len(ledger.read(tmp_path).entries) == max(good - 1, 0)


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_a_folder_that_may_not_be_written_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    write(tmp_path, 1)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StateError, match="cannot be written") as caught:
            write(tmp_path, 2)
    finally:
        tmp_path.chmod(0o700)

    assert "permissions" in caught.value.remedy


# --- what cannot be read ---------------------------------------------------------------------------------------------


def document(**changes: Any) -> bytes:
    """Contoso's file with other members; a member that is ``...`` is left out."""
    whole = {**json.loads(ledger.render(portal_state())), **changes}
    return json.dumps({name: value for name, value in whole.items() if value is not ...}).encode()


TEXT = ledger.render(portal_state()).encode()
PORTAL = json.loads(TEXT)["portal"]
UNREADABLE = {
    "empty": b"",
    "cut short": TEXT[: len(TEXT) // 2],
    "merge conflict": b"<<<<<<< HEAD\n" + TEXT + b"=======\n" + TEXT + b">>>>>>> other\n",
    "two documents": TEXT + TEXT,
    "a list": b"[]",
    "not UTF-8": TEXT.replace(b"Contoso", b"Conto\xdfo"),
    "half a character": TEXT.replace(b'"Contoso"', b'"\\ud800"'),
    "no number": TEXT.replace(b'"serial": 1', b'"serial": NaN'),
    "nested without end": b"[" * 100_000,
    "no version": document(format_version=...),
    "another id": document(id="fabrikam"),
    "another portal": document(portal={**PORTAL, "id": "fabrikam"}),
    "no portal": document(portal=...),
    "no sign-in": document(portal={**PORTAL, "authentication": None}),
    "unknown sign-in": document(portal={**PORTAL, "authentication": {"type": "password"}}),
    "no serial": document(serial=...),
    "a serial that is text": document(serial="1"),
    "no products": document(products=...),
    "products that are none": document(products=[{}]),
    "unknown presence": document(presence="asleep"),
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_a_ledger_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, 1, 1)
    (tmp_path / "contoso.json").write_bytes(content)

    with pytest.raises(StateError, match=r"contoso\.json") as caught:
        ledger.read(tmp_path)
    assert caught.value.code == "ledger-unreadable"
    assert "git" in caught.value.remedy
    assert caught.value.detail
    assert caught.value.exit_code == 1


def test_a_folder_in_place_of_a_ledger_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    write(tmp_path, 1)
    (tmp_path / "fabrikam.json").mkdir()

    with pytest.raises(StateError, match=r"fabrikam\.json"):
        ledger.read(tmp_path)


@pytest.mark.parametrize("name", ["contoso.json", "meta.json"])
def test_a_ledger_of_a_newer_version_asks_for_a_newer_tool(tmp_path: Path, name: str) -> None:
    write(tmp_path, 1)
    path = tmp_path / name
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 2'))

    with pytest.raises(StateError, match=rf"{name} has format version 2") as caught:
        ledger.read(tmp_path)
    assert caught.value.code == "ledger-version"
    assert "newer" in caught.value.remedy


@pytest.mark.parametrize("content", [None, b"", b'{"format_version": 1}', b'{"format_version": 1, "lineage": 7}'])
def test_portals_without_a_lineage_are_an_error_that_names_the_file(tmp_path: Path, content: bytes | None) -> None:
    write(tmp_path, 1)
    (tmp_path / "meta.json").unlink()
    if content is not None:
        (tmp_path / "meta.json").write_bytes(content)

    with pytest.raises(StateError, match=r"meta\.json") as caught:
        ledger.read(tmp_path)
    assert "git" in caught.value.remedy
