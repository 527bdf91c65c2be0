"""Publishing after something went wrong, and beside others: nothing is lost, and nothing unapproved is applied."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import Refused, StateError
from reconciler.git.checkout import Checkout
from reconciler.pushed_work import PAUSES
from reconciler.pushing import Answer, Published
from tests.pipeline.pipeline_world import Remote
from tests.pipeline.publish_world import PROPOSAL, first_portal, forget_outer_git, published, writes


@pytest.fixture(autouse=True)
def _no_outer_git(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_outer_git(monkeypatch)


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return first_portal(tmp_path / "world")


# --- a push that failed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pull", [False, True])
def test_a_commit_whose_push_failed_is_pushed_by_the_next_run(remote: Remote, *, pull: bool) -> None:
    runner = remote.clone("runner")
    runner.git("remote", "set-url", "--push", "origin", "../nowhere.git")
    with pytest.raises(StateError) as caught:
        published(runner, writes(runner, contoso="{}"), pull=pull)
    assert caught.value.code == "push-failed"
    lost = runner.git("rev-parse", "HEAD")
    runner.git("remote", "set-url", "--push", "origin", str(remote.bare))
    assert published(runner, writes(runner, contoso="{}"), pull=pull) == Published(0, lost, "main")
    assert remote.git("rev-parse", "main") == lost


def test_a_commit_whose_push_failed_gives_way_to_what_others_have_pushed(remote: Remote) -> None:
    runner, fast = remote.clone("runner"), remote.clone("fast")
    writes(runner, contoso="lost")()
    Checkout(runner.root).commit_state(lambda _: "Not pushed")
    published(fast, writes(fast, contoso="fast"))
    assert published(runner, lambda: 0) == Published(0)
    assert (runner.root / "state/ledger/contoso.json").read_text() == "fast"


def test_a_commit_of_a_person_is_never_pushed_along(remote: Remote) -> None:
    person = remote.clone("another person")
    person.write("portals.d/fabrikam.yaml", "name: Fabrikam\n")
    person.git("add", "--all")
    person.git("commit", "--quiet", "--message", "Not pushed yet")
    with pytest.raises(Refused) as caught:
        published(person, writes(person, contoso="{}"))
    assert caught.value.code == "commit-not-pushed"
    assert remote.count() == 1
    assert not (person.root / "state/ledger").exists()


@pytest.mark.parametrize(("path", "is_ended"), [("state/ledger/contoso.json", True), ("portals.d/contoso.yaml", False)])
def test_a_rebase_that_was_killed_is_undone_unless_it_is_a_persons(
    remote: Remote, path: str, *, is_ended: bool
) -> None:
    runner, other = remote.clone("runner"), remote.clone("other")
    for clone in (other, runner):
        clone.write(path, clone.root.name)
        clone.git("add", "--all")
        clone.git("commit", "--quiet", "--message", "License status")
    mine = runner.git("rev-parse", "HEAD")
    other.git("push", "--quiet", "origin", "HEAD")
    checkout = Checkout(runner.root)
    tip = checkout.fetch("main")
    assert tip is not None
    with pytest.raises(StateError):  # a conflict stops git where a signal would
        checkout.put_on(tip, runner.git("rev-parse", "HEAD~1"))
    assert checkout.branch() is None
    checkout.end_rebase()
    assert checkout.branch() == ("main" if is_ended else None)
    assert (checkout.head() == mine) is is_ended


def test_a_run_after_one_that_was_killed_while_it_rebased_publishes(remote: Remote, tmp_path: Path) -> None:
    runner, other = remote.clone("runner"), remote.clone("other")
    runner.write("state/ledger/contoso.json", "mine")
    Checkout(runner.root).commit_state(lambda _: "Not pushed")
    published(other, writes(other, contoso="theirs"))
    tip = Checkout(runner.root).fetch("main")
    assert tip is not None
    with pytest.raises(StateError):
        Checkout(runner.root).put_on(tip, runner.git("rev-parse", "HEAD~1"))
    runner.git("checkout", "--force", "--quiet", "HEAD")
    ended = runner.reconcile("publish", "report")
    assert "No branch is checked out" not in ended.err
    assert Checkout(runner.root).branch() == "main"
    assert Checkout(runner.root).head() == tip


def test_a_remote_that_cannot_be_read_is_told_before_any_tenant_is_read(remote: Remote) -> None:
    runner = remote.clone("runner")
    runner.git("remote", "set-url", "origin", "https://user:pa55word@127.0.0.1:1/licenses.git")
    with pytest.raises(StateError) as caught:
        published(runner, writes(runner, contoso="{}"))
    assert caught.value.code == "push-failed"
    assert "127.0.0.1" in str(caught.value)
    assert "pa55word" not in str(caught.value)
    assert not (runner.root / "state/ledger").exists()


def test_the_first_state_of_a_new_branch_is_pushed(remote: Remote) -> None:
    runner = remote.clone("runner")
    remote.git("branch", "--move", "main", "elsewhere")
    assert published(runner, writes(runner, contoso="{}")).branch == "main"
    assert remote.count() == 2


# --- a push that was refused -----------------------------------------------------------------------------------------


def test_a_lock_that_passes_is_no_protection(remote: Remote) -> None:
    lock = remote.bare / "refs/heads/main.lock"
    runner = remote.clone("runner")
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        lock.unlink()

    lock.touch()
    ended = published(runner, writes(runner, contoso="{}"), wait=wait)
    assert ended == Published(0, remote.git("rev-parse", "main"), "main")
    assert waits == [PAUSES[0]]
    assert remote.git("branch", "--list", PROPOSAL) == ""


def test_a_push_that_is_behind_is_no_protection_even_while_the_remote_does_not_show_what_is_newer(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mirror that is fetched from may lag behind what is pushed to."""
    slow, fast = remote.clone("slow"), remote.clone("fast")
    old = remote.git("rev-parse", "main")
    real, waits = Checkout.fetch, [0.0]

    def fetch(self: Checkout, branch: str) -> str | None:
        return old if len(waits) < 4 else real(self, branch)

    def run() -> int:
        published(fast, writes(fast, fabrikam="fast"))
        monkeypatch.setattr(Checkout, "fetch", fetch)
        return writes(slow, contoso="slow")()

    assert published(slow, run, wait=waits.append).branch == "main"
    assert waits == [0.0] + [PAUSES[0]] * 3
    assert remote.files() >= {"state/ledger/contoso.json", "state/ledger/fabrikam.json"}


def test_a_push_says_whether_it_is_behind_or_refused(remote: Remote) -> None:
    slow, fast = remote.clone("slow"), remote.clone("fast")
    for clone in (slow, fast):
        writes(clone, contoso=clone.root.name)()
        Checkout(clone.root).commit_state(lambda _: "License status")
    assert Checkout(fast.root).push("main").answer is Answer.ACCEPTED
    assert Checkout(slow.root).push("main").answer is Answer.BEHIND
    assert Checkout(slow.root).push("main", in_place_of=slow.git("rev-parse", "HEAD~1")).answer is Answer.BEHIND
    (remote.bare / "refs/heads/main.lock").touch()
    fast.git("commit", "--quiet", "--allow-empty", "--message", "More")
    assert Checkout(fast.root).push("main").answer is Answer.REFUSED


# --- what is not in git ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["portals.d/fabrikam.yaml", "portals.d/removals.yaml", "reconcile.yaml"])
@pytest.mark.parametrize("ignored", [False, True])
def test_a_configuration_that_is_not_in_git_is_refused(remote: Remote, path: str, *, ignored: bool) -> None:
    runner = remote.clone("runner")
    if ignored:
        (runner.root / ".git/info/exclude").write_text(f"{path}\n")
    runner.write(path, "{}\n")
    with pytest.raises(Refused, match="is not in git") as caught:
        Checkout(runner.root).refuse_changes()
    assert caught.value.code == "checkout-changed"
    assert path in caught.value.message


@pytest.mark.parametrize(
    "path", ["portals.d/.contoso.yaml.swp", "portals.d/README.md", "plan.md", "credentials/key.pem"]
)
def test_what_is_no_configuration_may_lie_around(remote: Remote, path: str) -> None:
    runner = remote.clone("runner")
    runner.write(path, "{}\n")
    Checkout(runner.root).refuse_changes()


# --- what others changed meanwhile -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["portals.d/contoso.yaml", "portals.d/fabrikam.yaml", "reconcile.yaml"])
def test_a_configuration_that_was_merged_meanwhile_is_applied_even_where_no_state_was_pushed(
    remote: Remote, path: str
) -> None:
    runner, person = remote.clone("runner"), remote.clone("another person")
    seen: list[bool] = []

    def run() -> int:
        seen.append((runner.root / path).exists() and "merged" in (runner.root / path).read_text())
        if len(seen) == 1:
            person.write(path, "name: merged\n")
            person.push()
        return writes(runner, contoso="{}")()

    published(runner, run)
    assert seen == [False, True]
    merged = remote.git("rev-parse", "main~1")
    assert f"Reconciled-From: {merged}" in remote.git("log", "-1", "--format=%B", "main")


def test_an_overview_is_made_again_when_a_shard_was_faster(remote: Remote) -> None:
    last, shard = remote.clone("last"), remote.clone("shard")
    runs: list[int] = []

    def run() -> int:
        runs.append(1)
        if len(runs) == 1:
            published(shard, writes(shard, fabrikam="{}"))
        ledgers = sorted(path.stem for path in (last.root / "state").glob("ledger/*.json"))
        last.write("state/reports/status.md", " ".join(ledgers))
        return 0

    published(last, run)
    assert remote.git("show", "main:state/reports/status.md") == "fabrikam"


def test_what_changes_beside_the_folder_of_the_portals_runs_nothing_again(remote: Remote) -> None:
    person = remote.clone("another person")
    person.write("licenses/portals.d/contoso.yaml", "name: Contoso\n")
    person.push()
    clone = remote.clone("runner")
    runner = type(clone)(clone.root / "licenses")
    runs: list[int] = []

    def run() -> int:
        runs.append(1)
        person.write("elsewhere/code.py", "pass\n")
        person.push()
        return writes(runner, contoso="{}")()

    assert published(runner, run).branch == "main"
    assert len(runs) == 1


# --- where there is nothing to publish from --------------------------------------------------------------------------


def test_a_folder_without_git_is_told_from_a_clone_of_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with pytest.raises(StateError, match="in no clone of a git repository"):
        Checkout(tmp_path).branch()


def test_a_repository_without_a_commit_is_named_so(tmp_path: Path) -> None:
    made = Remote(tmp_path / "world").create()
    with pytest.raises(StateError, match="no commit in this repository yet"):
        published(made.clone("empty"), lambda: 0)
