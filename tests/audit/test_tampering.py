"""Whoever changes, adds or takes a file below the demo's reports or ledger is found out, and the file is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.audit.rebuild import verify
from reconciler.verification import Difference, Verified
from tests.audit.test_verify import committed
from tests.cli.cli_world import PACKAGE, reconcile

COUNT = 17
"""Files of the demo: its reports, its ledger with a history for each portal that was read."""

EDITS: dict[str, Callable[[bytes, int, int], bytes]] = {
    "another byte": lambda text, at, byte: text[:at] + bytes([text[at] ^ byte]) + text[at + 1 :],
    "one byte more": lambda text, at, byte: text[:at] + bytes([byte]) + text[at:],
    "one byte less": lambda text, at, byte: text[:at] + text[at + 1 :],
    "cut off": lambda text, at, byte: text[:at],
    "a line twice": lambda text, at, byte: text[:at] + text[text.rfind(b"\n", 0, at) + 1 : at] + text[at:],
    "appended": lambda text, at, byte: text + bytes([byte]),
    "Windows line ends": lambda text, at, byte: text.replace(b"\n", b"\r\n"),
}
"""What can be done to a file at a place, with a byte that is not zero."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, applied. Every test leaves it as it was."""
    root = tmp_path_factory.mktemp("demo")
    ended = reconcile("--emulate", "demo", "apply", cwd=root)
    assert ended.code == 4, ended.err
    return root


@contextmanager
def unharmed(root: Path) -> Iterator[None]:
    """The repository as it is before and after."""
    kept = root.with_name(f"{root.name}-kept")
    shutil.copytree(root / "state", kept)
    try:
        yield
    finally:
        shutil.rmtree(root / "state")
        kept.rename(root / "state")


def named(root: Path) -> str:
    """The file that verifying names."""
    found = verify(root)
    assert isinstance(found, Difference)
    return found.file


def test_the_demo_is_verified_and_has_all_kinds_of_files(demo: Path) -> None:
    assert isinstance(verify(demo), Verified)
    names = {path.relative_to(demo / "state").as_posix() for path in committed(demo)}
    assert len(names) == COUNT
    assert {"reports/index.html", "reports/evidence.json", "ledger/meta.json", "ledger/history/contoso.jsonl"} <= names


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    which=st.integers(0, COUNT - 1),
    edit=st.sampled_from(sorted(EDITS)),
    place=st.floats(0, 1, exclude_max=True),
    byte=st.integers(1, 255),
)
def test_an_edit_anywhere_is_noticed_and_its_file_named(
    demo: Path, which: int, edit: str, place: float, byte: int
) -> None:
    path = committed(demo)[which]
    content = path.read_bytes()
    edited = EDITS[edit](content, int(place * len(content)), byte)
    try:
        path.write_bytes(edited)
        if edited == content:
            assert isinstance(verify(demo), Verified), "nothing was changed"
        else:
            assert named(demo) == path.relative_to(demo).as_posix()
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize("which", range(COUNT))
def test_every_file_is_missed_when_it_is_deleted_emptied_or_has_another_name(demo: Path, which: int) -> None:
    path = committed(demo)[which]
    name = path.relative_to(demo).as_posix()
    with unharmed(demo):
        path.unlink()
        assert named(demo) == name
        path.write_bytes(b"")
        assert named(demo) == name
    with unharmed(demo):
        renamed = path.rename(path.with_name(f"z{path.name}"))
        assert named(demo) in (name, renamed.relative_to(demo).as_posix())
    with unharmed(demo):
        path.unlink()
        path.mkdir()
        assert named(demo) == name


@pytest.mark.parametrize(
    "name",
    [
        *("reports/adatum.md", "reports/old/contoso.md", "reports/.hidden.md", "reports/STATUS.MD", "reports/x.tmp"),
        *("ledger/adatum.json", "ledger/.adatum.json", "ledger/contoso.json.orig", "ledger/old/contoso.json"),
        *("ledger/history/adatum.jsonl", "ledger/history/.adatum.jsonl", "ledger/history/contoso.json"),
    ],
)
def test_a_file_that_is_added_is_named(demo: Path, name: str) -> None:
    """With the bytes of a right one, so that only its name gives it away."""
    with unharmed(demo):
        added = demo / "state" / name
        added.parent.mkdir(exist_ok=True)
        shutil.copy(demo / "state/ledger/contoso.json", added)
        assert named(demo) == f"state/{name}"


def test_what_a_killed_run_left_unfinished_is_nobodys_doing(demo: Path) -> None:
    with unharmed(demo):
        for name in ("reports/.status.md.tmp", "ledger/.contoso.json.tmp"):
            (demo / "state" / name).write_text("half a")
        assert isinstance(verify(demo), Verified)


def test_two_files_that_change_places_are_noticed(demo: Path) -> None:
    with unharmed(demo):
        one, two = demo / "state/ledger/history/contoso.jsonl", demo / "state/ledger/history/fabrikam.jsonl"
        first, second = one.read_bytes(), two.read_bytes()
        one.write_bytes(second)
        two.write_bytes(first)
        assert named(demo) == "state/ledger/history/contoso.jsonl"


def test_reports_and_ledger_of_another_day_do_not_go_together(demo: Path, tmp_path: Path) -> None:
    """Each is right by itself; reports of one day beside a ledger of another are not."""
    for path in (demo / "state/ledger", demo / "state/reports"):
        shutil.copytree(path, tmp_path / "state" / path.name)
    shutil.copytree(PACKAGE / "portals.d", tmp_path / "portals.d")
    portal = tmp_path / "portals.d/contoso.yaml"
    portal.write_text(portal.read_text().replace("name: Contoso", "name: Contoso Ltd"))
    ended = reconcile("--emulate", "demo", "apply", cwd=tmp_path)
    assert ended.code == 4, ended.err
    assert isinstance(verify(tmp_path), Verified)
    for folder in ("ledger", "reports"):
        with unharmed(tmp_path):
            shutil.rmtree(tmp_path / "state" / folder)
            shutil.copytree(demo / "state" / folder, tmp_path / "state" / folder)
            assert named(tmp_path).startswith("state/ledger/")


def test_the_projects_own_reports_are_verified() -> None:
    found = verify(PACKAGE)
    assert isinstance(found, Verified), found
    assert found.changed == ()
