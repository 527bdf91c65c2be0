"""``reconcile catalogue``, from the command line to the file it writes."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from reconciler.catalogue.microsoft import URL
from reconciler.catalogue.titles import built_in, load, render
from reconciler.cli.main import main
from tests.catalogue.microsoft_list import fillers, guid, microsoft_list

E3 = "6fd2c87f-b296-42f0-b197-1e91e994b900"


class Internet:
    """What answers in place of the network, and which addresses it was asked for."""

    def __init__(self) -> None:
        self.answer = (200, b"")
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        status, content = self.answer
        return httpx.Response(status, stream=httpx.ByteStream(content))


def update(repository: Path, content: bytes) -> int:
    """Run ``reconcile catalogue update`` on a downloaded file; return the exit code."""
    downloaded = repository / "downloaded.csv"
    downloaded.write_bytes(content)
    return main(["--chdir", str(repository), "catalogue", "update", "--from", str(downloaded)])


def table(repository: Path) -> Path:
    """The file that ``update`` writes."""
    return repository / "state" / "catalogue.csv"


def test_update_writes_the_list_in_canonical_form(tmp_path: Path) -> None:
    assert update(tmp_path, microsoft_list([("Office\u00a0365  E9 ", "E9", guid(777).upper())])) == 0
    content = table(tmp_path).read_bytes()
    assert content.startswith(b"sku_id,part_number,title\n")
    assert f"\n{guid(777)},E9,Office 365 E9\n".encode() in content
    assert content.count(b"\n") == 1 + len(fillers()) + 1
    written = [entry for sku_id, entry in load(tmp_path / "state").entries.items() if sku_id.startswith("abcdef")]
    assert content.decode() == render(written)


def test_update_leaves_nothing_else_behind(tmp_path: Path) -> None:
    update(tmp_path, microsoft_list())
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["catalogue.csv"]


def test_update_says_in_one_line_what_changed_and_where_to_look_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    update(tmp_path, microsoft_list([("Office 365 E3", "ENTERPRISEPACK", E3)]))
    said = capsys.readouterr()
    assert said.out == "61 SKUs, 60 new.\n"
    assert "`reconcile plan` shows which titles will change" in said.err
    others = [("Renamed", "PRODUCT_0", guid(0)), *fillers()[1:-1]]
    update(tmp_path, microsoft_list([("Office 365 E33", "ENTERPRISEPACK", E3), ("N", "N", guid(99))], others=others))
    assert capsys.readouterr().out == "61 SKUs, 1 new, 2 renamed, 1 no longer listed.\n"


def test_a_second_update_changes_no_byte_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    update(tmp_path, microsoft_list())
    before, written = table(tmp_path).read_bytes(), table(tmp_path).stat()
    capsys.readouterr()
    assert update(tmp_path, microsoft_list(others=fillers()[::-1], plans=5)) == 0
    assert capsys.readouterr() == ("60 SKUs, no title changed.\n", "")
    assert table(tmp_path).read_bytes() == before
    assert (table(tmp_path).stat().st_ino, table(tmp_path).stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


def test_a_sku_that_is_no_longer_listed_falls_back_to_the_built_in_title(tmp_path: Path) -> None:
    update(tmp_path, microsoft_list([("Office 365 E3 of old", "ENTERPRISEPACK", E3)]))
    update(tmp_path, microsoft_list())
    assert load(tmp_path / "state").title(E3, "ENTERPRISEPACK") == "Office 365 E3"


@pytest.mark.parametrize("content", [b"<html>Sign in to the proxy</html>", microsoft_list(others=fillers(3)), b""])
def test_a_refused_file_leaves_everything_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    assert update(tmp_path, content) == 1
    assert not (tmp_path / "state").exists()
    update(tmp_path, microsoft_list())
    before = table(tmp_path).read_bytes()
    capsys.readouterr()
    assert update(tmp_path, content) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: catalogue-unreadable: ")
    assert table(tmp_path).read_bytes() == before


def test_a_damaged_table_is_reported_with_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    update(tmp_path, microsoft_list())
    table(tmp_path).write_text("sku_id,part_number,title\n<<<<<<< HEAD\n", encoding="utf-8")
    capsys.readouterr()
    assert main(["--chdir", str(tmp_path), "catalogue", "show"]) == 1
    said = capsys.readouterr().err
    assert "state/catalogue.csv:2: " in said
    assert "or delete it and run `reconcile catalogue update`" in said


def test_a_file_that_does_not_exist_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--chdir", str(tmp_path), "catalogue", "update", "--from", str(tmp_path / "none.csv")]) == 64
    assert "does not exist" in capsys.readouterr().err


def test_the_file_can_be_named_by_environment_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "list.csv").write_bytes(microsoft_list())
    monkeypatch.setenv("RECONCILE_CATALOGUE_UPDATE_FROM", str(tmp_path / "list.csv"))
    assert main(["--chdir", str(tmp_path), "catalogue", "update"]) == 0
    assert table(tmp_path).exists()


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    """An internet that gives one answer, in place of the real one below the client."""
    answering = Internet()
    monkeypatch.setattr("reconciler.graph.http.EnvironmentTransport", lambda: httpx.MockTransport(answering))
    return answering


def test_without_a_file_the_list_is_downloaded_from_microsoft(tmp_path: Path, internet: Internet) -> None:
    internet.answer = (200, microsoft_list())
    assert main(["--chdir", str(tmp_path), "catalogue", "update"]) == 0
    assert internet.asked == [URL]
    assert load(tmp_path / "state").title(guid(0), "") == "Product 0"


@pytest.mark.parametrize(
    ("status", "content", "code", "why"),
    [
        (404, b"gone", "download-failed", "download.microsoft.com answered 404"),
        (503, microsoft_list(), "download-failed", "download.microsoft.com answered 503"),
        (200, b"<html>Sign in to the hotel network</html>", "catalogue-unreadable", "web page"),
    ],
)
def test_a_failed_download_writes_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    internet: Internet,
    status: int,
    content: bytes,
    code: str,
    why: str,
) -> None:
    internet.answer = (status, content)
    assert main(["--chdir", str(tmp_path), "--retry-limit", "0", "catalogue", "update"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: {code}: ")
    assert why in said
    assert len(internet.asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_emulated_run_downloads_nothing_from_the_real_microsoft(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], internet: Internet
) -> None:
    assert main(["--chdir", str(tmp_path), "--emulate", "demo", "catalogue", "update"]) == 64
    assert "--from FILE" in capsys.readouterr().err
    assert internet.asked == []


def test_show_prints_the_matching_skus_as_aligned_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--chdir", str(tmp_path), "catalogue", "show", "*_free"]) == 0
    assert capsys.readouterr().out == (
        "f30db892-07e9-47e9-837c-80727f46fd3d  FLOW_FREE   Microsoft Power Automate Free\n"
        "16ddbbfc-09ea-4de2-b1d7-312db6112d70  TEAMS_FREE  Microsoft Teams (Free)\n"
    )


def test_one_long_part_number_does_not_push_all_titles_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [("Long", "E9_" + "X" * 100, guid(777)), ("Short", "E9_", guid(778))]
    update(tmp_path, microsoft_list(names))
    capsys.readouterr()
    main(["--chdir", str(tmp_path), "catalogue", "show", "E9_*"])
    assert capsys.readouterr().out.splitlines() == [
        f"{guid(778)}  E9_{' ' * 37}  Short",
        f"{guid(777)}  E9_{'X' * 100}  Long",
    ]


def test_show_without_a_sku_prints_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--chdir", str(tmp_path), "catalogue", "show"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(built_in().entries)


def test_show_prints_ones_own_title(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    update(tmp_path, microsoft_list([("Office 365 E3 anew", "ENTERPRISEPACK", E3)]))
    capsys.readouterr()
    assert main(["--chdir", str(tmp_path), "catalogue", "show", E3]) == 0
    assert capsys.readouterr().out == f"{E3}  ENTERPRISEPACK  Office 365 E3 anew\n"


def test_show_says_what_to_do_when_nothing_matches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--chdir", str(tmp_path), "catalogue", "show", "NO_SUCH_SKU"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "'NO_SUCH_SKU'" in said.err
    assert "catalogue update" in said.err
