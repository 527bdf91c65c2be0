"""What a clone, its configuration and its folders are like does not fool ``reconcile verify``."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.audit.audit_world import Repository
from tests.audit.forgery import rewrite_reports
from tests.cli.cli_world import office, tenant

STATUS = "state/reports/status.json"


def look_better(repository: Repository) -> tuple[str, str]:
    """Publish, and change a report as a person; that commit and the one before."""
    before = repository.publish()
    repository.edit(STATUS, '"consumed": 7', '"consumed": 6')
    return repository.commit("Look better"), before


@pytest.mark.parametrize("arguments", [("--rev", "HEAD"), ("--log", "--rev", "HEAD")])
def test_an_object_that_stands_for_another_does_not_count(repository: Repository, arguments: tuple[str, ...]) -> None:
    """git shows what ``git replace`` names in its place, everywhere but in verify."""
    bad, before = look_better(repository)
    good = repository.git("commit-tree", f"{before}^{{tree}}", "-p", before, "-m", "Nothing to see")
    repository.git("replace", bad, good)
    assert '"consumed": 7' in repository.git("show", f"HEAD:{STATUS}")
    ended = repository.verify(*arguments)
    assert ended.code == 1
    assert ended.out.startswith(f"{STATUS}:")


def test_a_graft_does_not_shorten_the_history(repository: Repository) -> None:
    bad, before = look_better(repository)
    repository.git("checkout", "--quiet", before, "--", "state")
    mended = repository.commit("As before")
    (repository.root / ".git/info/grafts").write_text(f"{mended} {before}\n")
    assert bad not in repository.git("rev-list", "HEAD")
    assert f"{bad[:12]}: {STATUS} changed, and no trailer" in repository.verify("--log").out


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed: nothing can be signed")
def test_signatures_that_git_shows_are_no_part_of_what_it_is_asked(repository: Repository) -> None:
    key = repository.root.parent / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for name, value in (
        ("gpg.format", "ssh"),
        ("user.signingkey", f"{key}.pub"),
        ("commit.gpgsign", "true"),
        ("log.showSignature", "true"),
        ("trailer.separators", "="),
    ):
        repository.git("config", name, value)
    repository.publish()
    assert "gpgsig" in repository.git("cat-file", "commit", "HEAD")
    for arguments in (("--log",), ("--rev", "HEAD")):
        ended = repository.verify(*arguments)
        assert ended.code == 0, ended.out + ended.err


def test_files_that_are_not_as_committed_are_told_with_the_log(repository: Repository) -> None:
    """They fit one another, and so does what is committed: neither says anything of the other."""
    repository.publish()
    repository.edit("state/ledger/one.json", '"consumed_units": 7', '"consumed_units": 6')
    repository.edit("state/ledger/history/one.jsonl", '"consumed_units": 7', '"consumed_units": 6')
    rewrite_reports(repository)
    repository.git("update-index", "--assume-unchanged", "state/ledger/one.json")
    assert repository.verify().code == 0
    ended = repository.verify("--log")
    assert ended.code == 1
    last = ended.out.splitlines()[-1]
    assert last.startswith("Not verified: state/ledger/history/one.jsonl and ")
    assert last.endswith(f" more are not as in {repository.head()[:12]}, and the history says nothing of that.")
    assert repository.verify("--log", "--rev", "HEAD").code == 0


@pytest.mark.parametrize("link", ["reports/status.md", "ledger/one.json", "ledger/history", "reports", "."])
def test_a_link_in_place_of_a_file_is_named_as_in_a_commit(repository: Repository, link: str) -> None:
    repository.publish()
    path = repository.root / "state" / link
    elsewhere = repository.root / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    ended = repository.verify()
    assert ended.code == 1
    name = Path("state", link).as_posix()
    assert ended.out == f"{name}: it is a link: git keeps where it leads, and not what is there\n"


def test_a_link_that_was_committed_in_place_of_a_ledger_is_named(repository: Repository) -> None:
    repository.publish()
    path = repository.root / "state/ledger/one.json"
    path.rename(repository.root / "elsewhere.json")
    path.symlink_to("../../elsewhere.json")
    forged = repository.commit("License status: one", f"Reconciled-From: {repository.head()}")
    ended = repository.verify("--log", "--rev", "HEAD")
    assert f"{forged[:12]}: state/ledger/one.json is gone, and the tool deletes no ledger\n" in ended.out


def test_a_folder_without_a_state_says_where_to_look(repository: Repository, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ended = repository.world.run("--chdir", str(elsewhere), "verify", emulate=False)
    assert (ended.code, ended.out) == (1, "")
    assert "error: no-state: There is no state/ here." in ended.err
    assert "--chdir" in ended.err
    ended = repository.verify("--rev", "HEAD")
    assert "There is no state/ in this commit." in ended.err
    assert "Name a later commit." in ended.err


@pytest.mark.parametrize(("range_", "apart"), [("HEAD~1..HEAD", "HEAD~1 HEAD"), ("HEAD~1...", "HEAD~1 HEAD")])
def test_a_range_is_told_to_be_two_revisions(repository: Repository, range_: str, apart: str) -> None:
    repository.publish()
    repository.world.tenants(tenant(1, skus=(office(12),)), tenant(2))
    repository.publish("2026-11-24T06:00:00Z")
    ended = repository.world.run("diff", range_, emulate=False)
    assert ended.code == 64
    assert f"Name two revisions apart, as in `reconcile diff {apart}`." in ended.err
    assert repository.world.run("diff", *apart.split(), emulate=False).code == 0
