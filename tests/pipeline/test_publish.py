"""The loop around a run whose result is pushed, with real git and a run that only writes files."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import Refused, StateError
from reconciler.git.checkout import EMAIL, NAME, Checkout
from reconciler.publish import publish
from reconciler.pushed_work import ATTEMPTS
from reconciler.pushing import Published, Push, message
from tests.pipeline.pipeline_world import Clone, Remote
from tests.pipeline.publish_world import RUN, first_portal, forget_outer_git, published, writes


@pytest.fixture(autouse=True)
def _no_outer_git(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_outer_git(monkeypatch)


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return first_portal(tmp_path / "world")


def test_what_changed_under_state_is_committed_and_pushed_and_nothing_else(remote: Remote) -> None:
    runner = remote.clone("runner")
    before = remote.git("rev-parse", "main")
    runner.write("plan.md", "left behind by an earlier step")
    runner.write("state/reconciler.db", "the names of people")
    runner.write("state/reconciler.db-journal", "more of them")
    ended = published(runner, writes(runner, contoso="{}"))
    assert ended == Published(0, remote.git("rev-parse", "main"), "main")
    assert remote.changed() == {"state/ledger/contoso.json"}
    assert remote.git("log", "-1", "--format=%B", "main") == (
        f"License status: contoso\n\nReconciled-From: {before}\nRun: {RUN}"
    )
    assert remote.git("log", "-1", "--format=%(trailers:key=Reconciled-From,valueonly)", "main") == before


def test_the_database_is_never_committed_even_where_nothing_ignores_it(remote: Remote) -> None:
    runner = remote.clone("runner")
    runner.write("state/.gitignore", "")
    for name in ("reconciler.db", "reconciler.db-journal", ".lock"):
        runner.write(f"state/{name}", "the names of people")
    published(runner, writes(runner, contoso="{}"))
    assert remote.files() == {"portals.d/contoso.yaml", "state/.gitignore", "state/ledger/contoso.json"}


def test_what_others_have_staged_stays_staged(remote: Remote) -> None:
    runner = remote.clone("runner")
    runner.write("notes.txt", "mine")
    runner.git("add", "notes.txt")
    published(runner, writes(runner, contoso="{}"))
    assert "notes.txt" not in remote.files()
    assert runner.git("status", "--porcelain") == "A  notes.txt"


def test_no_commit_when_nothing_changed(remote: Remote) -> None:
    runner = remote.clone("runner")
    published(runner, writes(runner, contoso="{}"))
    count = remote.count()
    assert published(runner, writes(runner, contoso="{}")) == Published(0)
    assert remote.count() == count


def test_a_deleted_ledger_is_deleted_in_git(remote: Remote) -> None:
    runner = remote.clone("runner")
    published(runner, writes(runner, contoso="{}", fabrikam="{}"))

    def forget() -> int:
        (runner.root / "state/ledger/fabrikam.json").unlink()
        return 0

    published(runner, forget)
    assert "state/ledger/fabrikam.json" not in remote.files()


def test_the_exit_code_is_that_of_the_run(remote: Remote) -> None:
    runner = remote.clone("runner")
    assert published(runner, lambda: writes(runner, contoso="{}")() or 4).exit_code == 4
    assert published(runner, lambda: 1) == Published(1)


def test_a_run_that_refuses_pushes_nothing(remote: Remote) -> None:
    runner = remote.clone("runner")

    def refuses() -> int:
        writes(runner, contoso="{}")()
        raise Refused(code="locked")

    with pytest.raises(Refused, match="Another run"):
        published(runner, refuses)
    assert remote.count() == 1


def test_after_a_rejected_push_the_run_is_done_again_from_what_others_pushed(remote: Remote) -> None:
    slow, fast = remote.clone("slow"), remote.clone("fast")
    runs: list[str] = []

    def run() -> int:
        ledger = slow.root / "state/ledger/contoso.json"
        runs.append(ledger.read_text() if ledger.exists() else "")
        if len(runs) == 1:
            published(fast, writes(fast, contoso="fast"))
        ledger.parent.mkdir(exist_ok=True)
        ledger.write_text(f"{runs[-1]} and slow")
        return 0

    ended = published(slow, run)
    assert runs == ["", "fast"]
    assert ended.branch == "main"
    assert remote.git("show", "main:state/ledger/contoso.json") == "fast and slow"
    assert remote.count() == 3
    parent = remote.git("rev-parse", "main~1")
    assert f"Reconciled-From: {parent}" in remote.git("log", "-1", "--format=%B", "main")


def test_a_change_of_the_configuration_meanwhile_is_applied_too(remote: Remote) -> None:
    runner, person = remote.clone("runner"), remote.clone("another person")
    seen: list[str] = []

    def run() -> int:
        seen.append((runner.root / "portals.d/contoso.yaml").read_text())
        if len(seen) == 1:
            person.write("portals.d/contoso.yaml", "name: Contoso Ltd\n")
            person.write("state/ledger/contoso.json", "by another runner")
            person.push()
        return writes(runner, contoso=f"from {seen[-1]}")()

    published(runner, run)
    assert seen == ["name: Contoso\n", "name: Contoso Ltd\n"]
    assert remote.git("show", "main:state/ledger/contoso.json") == "from name: Contoso Ltd"


def test_runners_of_different_portals_do_not_run_again(remote: Remote) -> None:
    slow, fast = remote.clone("slow"), remote.clone("fast")
    runs: list[int] = []

    def run() -> int:
        runs.append(1)
        published(fast, writes(fast, fabrikam="fast"))
        return writes(slow, contoso="slow")()

    ended = published(slow, run)
    assert len(runs) == 1
    assert ended.commit == remote.git("rev-parse", "main")
    assert remote.git("show", "main:state/ledger/contoso.json") == "slow"
    assert remote.git("show", "main:state/ledger/fabrikam.json") == "fast"


def test_nothing_is_pushed_when_the_other_run_found_the_same(remote: Remote) -> None:
    slow, fast = remote.clone("slow"), remote.clone("fast")
    fast.git("config", "user.name", "The other runner")
    fast.git("config", "user.email", "other@contoso.example")

    def run() -> int:
        if remote.count() == 1:
            published(fast, writes(fast, contoso="same"))
        return writes(slow, contoso="same")()

    assert published(slow, run) == Published(0)
    assert remote.count() == 2
    assert slow.git("status", "--porcelain") == ""


def test_it_gives_up_after_so_many_rejections(remote: Remote) -> None:
    slow, fast = remote.clone("slow"), remote.clone("fast")
    runs: list[int] = []

    def run() -> int:
        runs.append(1)
        fast.pull()
        published(fast, writes(fast, contoso=f"fast {len(runs)}"))
        return writes(slow, contoso=f"slow {len(runs)}")()

    with pytest.raises(Refused, match=f"{ATTEMPTS} times") as caught:
        published(slow, run)
    assert caught.value.code == "push-contested"
    assert len(runs) == ATTEMPTS
    assert remote.git("show", "main:state/ledger/contoso.json") == f"fast {ATTEMPTS}"


def test_a_branch_that_was_rewritten_meanwhile_is_left_alone(remote: Remote) -> None:
    runner, person = remote.clone("runner"), remote.clone("another person")

    def run() -> int:
        person.git("commit", "--quiet", "--amend", "--message", "Another history")
        person.git("push", "--quiet", "--force", "origin", "HEAD:main")
        return writes(runner, contoso="{}")()

    with pytest.raises(Refused) as caught:
        published(runner, run)
    assert caught.value.code == "branch-rewritten"
    assert remote.git("log", "-1", "--format=%s", "main") == "Another history"


def test_a_commit_that_is_not_pushed_by_others_is_never_lost(remote: Remote) -> None:
    """Somebody runs it in a clone with a commit of theirs, and is too slow."""
    person, fast = remote.clone("another person"), remote.clone("fast")
    person.write("portals.d/fabrikam.yaml", "name: Fabrikam\n")
    person.git("add", "--all")
    person.git("commit", "--quiet", "--message", "Not pushed yet")
    theirs = person.git("rev-parse", "HEAD")

    def run() -> int:
        published(fast, writes(fast, contoso="fast"))
        return writes(person, contoso="slow")()

    with pytest.raises(Refused):
        published(person, run)
    assert person.git("merge-base", "--is-ancestor", theirs, "HEAD") == ""


def test_a_remote_that_cannot_be_reached_is_told_from_one_that_refuses(remote: Remote) -> None:
    runner = remote.clone("runner")
    runner.git("remote", "set-url", "--push", "origin", "https://user:pa55word@127.0.0.1:1/licenses.git")
    with pytest.raises(StateError) as caught:
        published(runner, writes(runner, contoso="{}"))
    assert caught.value.code == "push-failed"
    assert "127.0.0.1" in str(caught.value)
    assert "pa55word" not in str(caught.value)


def test_changes_outside_of_state_are_refused_before_anything_is_done(remote: Remote) -> None:
    runner = remote.clone("runner")
    runner.write("state/ledger/contoso.json", "from an earlier run")
    Checkout(runner.root).refuse_changes()
    runner.write("portals.d/contoso.yaml", "name: Edited\n")
    with pytest.raises(Refused, match=r"portals\.d/contoso\.yaml") as caught:
        Checkout(runner.root).refuse_changes()
    assert caught.value.code == "checkout-changed"


def test_a_folder_within_a_repository_works_too(remote: Remote) -> None:
    runner = remote.clone("runner")
    inner = Clone(runner.root / "licenses")
    inner.write("portals.d/contoso.yaml", "name: Contoso\n")
    runner.push()
    publish(Checkout(inner.root), writes(inner, contoso="{}"), "main", wait=lambda _: None)
    assert remote.changed() == {"licenses/state/ledger/contoso.json"}
    assert remote.git("log", "-1", "--format=%s", "main") == "License status: contoso"


def test_whom_git_does_not_know_commits_under_the_tools_name(remote: Remote) -> None:
    runner = remote.clone("runner")
    published(runner, writes(runner, contoso="1"))
    assert remote.git("log", "-1", "--format=%an <%ae> %cn <%ce>", "main") == f"{NAME} <{EMAIL}> {NAME} <{EMAIL}>"
    runner.git("config", "user.name", "Licenses")
    runner.git("config", "user.email", "licenses@contoso.example")
    published(runner, writes(runner, contoso="2"))
    assert remote.git("log", "-1", "--format=%an %ce", "main") == "Licenses licenses@contoso.example"


def test_the_environment_says_who_commits(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "The pipeline")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "pipeline@contoso.example")
    runner = remote.clone("runner")
    published(runner, writes(runner, contoso="1"))
    assert remote.git("log", "-1", "--format=%an %cn", "main") == f"The pipeline {NAME}"


def test_the_checkout_of_a_commit_has_no_branch_to_push_to(remote: Remote) -> None:
    runner = remote.clone("runner")
    assert Checkout(runner.root).branch() == "main"
    runner.git("checkout", "--quiet", "--detach")
    assert Checkout(runner.root).branch() is None
    ended = publish(Checkout(runner.root), writes(runner, contoso="{}"), "main", wait=lambda _: None)
    assert ended.branch == "main"


def test_a_shallow_clone_is_enough(remote: Remote) -> None:
    person = remote.clone("another person")
    for number in range(3):
        person.write("notes.txt", str(number))
        person.push()
    fast = remote.clone("fast")
    remote.git("config", "uploadpack.allowFilter", "true")
    person.git("clone", "--quiet", "--depth", "1", f"file://{remote.bare}", "../shallow")
    shallow = Clone(remote.folder / "shallow")
    runs: list[int] = []

    def run() -> int:
        runs.append(1)
        if len(runs) == 1:
            published(fast, writes(fast, contoso="fast"))
        return writes(shallow, contoso=f"shallow {len(runs)}")()

    assert published(shallow, run).branch == "main"
    assert remote.git("show", "main:state/ledger/contoso.json") == "shallow 2"


@pytest.mark.parametrize(
    ("paths", "subject"),
    [
        (["state/ledger/contoso.json", "state/reports/status.md"], "License status: contoso"),
        (["state/reports/status.md", "state/ledger/meta.json"], "License status"),
        (["state/ledger/history/contoso.jsonl"], "License status"),
        ([f"state/ledger/{name}.json" for name in "edcba"], "License status: a, b, c and 2 more"),
    ],
)
def test_the_subject_names_the_first_portals(paths: list[str], subject: str) -> None:
    assert message(paths, "c0ffee", None).splitlines() == [subject, "", "Reconciled-From: c0ffee"]


def test_a_clone_that_is_used_again_begins_from_what_others_have_pushed(remote: Remote) -> None:
    runner, person = remote.clone("runner"), remote.clone("another person")
    person.write("portals.d/contoso.yaml", "name: Contoso Ltd\n")
    merged = person.push("A merge")
    seen: list[str] = []

    def run() -> int:
        seen.append((runner.root / "portals.d/contoso.yaml").read_text())
        return writes(runner, contoso="{}")()

    assert published(runner, run, pull=True).branch == "main"
    assert seen == ["name: Contoso Ltd\n"]
    assert f"Reconciled-From: {merged}" in remote.git("log", "-1", "--format=%B", "main")


def test_what_a_run_that_was_stopped_has_left_is_pushed_by_the_next_one(remote: Remote) -> None:
    runner = remote.clone("runner")
    writes(runner, contoso="left")()
    Checkout(runner.root).commit_state(lambda _: "Not pushed")
    writes(runner, fabrikam="left too")()
    assert published(runner, lambda: 0, pull=True).branch == "main"
    assert remote.git("show", "main:state/ledger/contoso.json") == "left"
    assert remote.git("show", "main:state/ledger/fabrikam.json") == "left too"


def test_what_a_run_that_was_stopped_has_left_gives_way_to_what_others_have_pushed(remote: Remote) -> None:
    runner, fast = remote.clone("runner"), remote.clone("fast")
    writes(runner, contoso="left")()
    published(fast, writes(fast, contoso="fast"))
    assert published(runner, lambda: 0, pull=True) == Published(0)
    assert (runner.root / "state/ledger/contoso.json").read_text() == "fast"


@pytest.mark.parametrize("pull", [False, True])
def test_a_commit_of_a_person_is_never_dropped(remote: Remote, *, pull: bool) -> None:
    runner, person = remote.clone("runner"), remote.clone("another person")
    runner.write("portals.d/contoso.yaml", "name: Mine\n")
    runner.git("commit", "--quiet", "--all", "--message", "Not pushed")
    mine = runner.git("rev-parse", "--short=12", "HEAD")
    person.write("portals.d/fabrikam.yaml", "name: Fabrikam\n")
    person.push()
    with pytest.raises(Refused, match=f"Your commit {mine} is not on origin/main") as caught:
        published(runner, lambda: 0, pull=pull)
    assert caught.value.code == "commit-not-pushed"
    assert (runner.root / "portals.d/contoso.yaml").read_text() == "name: Mine\n"


def test_a_runner_is_not_given_up_because_many_others_push_other_files_first(remote: Remote) -> None:
    """As many shards do that end at the same time."""
    slow, fast = remote.clone("slow"), remote.clone("fast")
    writes(slow, contoso="slow")()
    runs: list[int] = []

    class Overtaken(Checkout):
        pushes = 0

        def push(self, branch: str, *, in_place_of: str | None = None) -> Push:
            self.pushes += 1
            if self.pushes <= ATTEMPTS + 2:
                fast.pull()
                published(fast, writes(fast, fabrikam=f"fast {self.pushes}"))
            return super().push(branch, in_place_of=in_place_of)

    def run() -> int:
        runs.append(1)
        return 0

    ended = publish(Overtaken(slow.root), run, "main", wait=lambda _: None)
    assert ended.branch == "main"
    assert len(runs) == 1
    assert remote.git("show", "main:state/ledger/contoso.json") == "slow"
