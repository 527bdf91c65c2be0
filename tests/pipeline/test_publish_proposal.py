"""State that waits for a pull request, because the branch is protected or a setting asks for it: with real git."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import Refused, StateError
from reconciler.git.checkout import Checkout
from reconciler.publish import publish
from reconciler.pushed_work import PAUSES
from reconciler.pushing import Published
from tests.pipeline.pipeline_world import Clone, Remote
from tests.pipeline.publish_world import PROPOSAL, first_portal, forget_outer_git, published, writes


@pytest.fixture(autouse=True)
def _no_outer_git(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_outer_git(monkeypatch)


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return first_portal(tmp_path / "world")


def grows(clone: Clone, seen: list[str]) -> Callable[[], int]:
    """A run whose result depends on the state before, which it adds to ``seen``; it changes nothing the second time."""

    def run() -> int:
        ledger = clone.root / "state/ledger/contoso.json"
        seen.append(ledger.read_text() if ledger.exists() else "")
        return writes(clone, contoso=seen[-1] or f"as of {len(seen)}")()

    return run


def forge(remote: Remote, path: str, text: str = "name: Not approved\n") -> str:
    """Somebody pushes another file to the branch that waits; the commit."""
    person = remote.clone("somebody")
    person.git("switch", "--quiet", PROPOSAL)
    person.write(path, text)
    return person.push("Not about state")


def test_a_protected_branch_gets_a_branch_of_its_own(remote: Remote) -> None:
    runner = remote.clone("runner")
    remote.protect()
    waits: list[float] = []
    ended = published(runner, writes(runner, contoso="{}"), wait=waits.append)
    assert ended.branch == PROPOSAL
    assert waits == list(PAUSES), "what is refused may be taken a moment later"
    assert remote.count() == 1
    assert remote.changed(PROPOSAL) == {"state/ledger/contoso.json"}


def test_a_branch_of_its_own_can_be_asked_for(remote: Remote) -> None:
    runner = remote.clone("runner")
    assert published(runner, writes(runner, contoso="{}"), apart=True).branch == PROPOSAL
    assert remote.count() == 1


@pytest.mark.parametrize("apart", [True, False], ids=["asked for", "protected"])
def test_what_waits_is_begun_from_so_that_nothing_is_pushed_when_nothing_changed(
    remote: Remote, *, apart: bool
) -> None:
    if not apart:
        remote.protect()
    first = remote.clone("first")
    made = published(first, grows(first, []), apart=apart)
    seen: list[str] = []
    second = remote.clone("second")
    assert published(second, grows(second, seen), apart=apart) == Published(0, None, PROPOSAL)
    assert seen[-1] == "as of 1"
    assert remote.git("rev-parse", PROPOSAL) == made.commit


def test_what_is_newer_is_put_on_top_of_what_waits(remote: Remote) -> None:
    remote.protect()
    for text in ("older", "newer"):
        runner = remote.clone(text)
        assert published(runner, writes(runner, contoso=text)).branch == PROPOSAL
    assert remote.git("show", f"{PROPOSAL}:state/ledger/contoso.json") == "newer"
    assert remote.git("show", f"{PROPOSAL}~1:state/ledger/contoso.json") == "older"
    assert remote.git("rev-parse", f"{PROPOSAL}~2") == remote.git("rev-parse", "main")


def test_what_waits_is_brought_up_to_date_when_the_tenant_is_again_as_main_says(remote: Remote) -> None:
    person = remote.clone("another person")
    person.write("state/ledger/contoso.json", "as it was")
    person.push("License status")
    remote.protect()
    for text in ("meanwhile", "as it was"):
        runner = remote.clone(f"runner {text}")
        assert published(runner, writes(runner, contoso=text)).branch == PROPOSAL
    assert remote.git("show", f"{PROPOSAL}:state/ledger/contoso.json") == "as it was"


@pytest.mark.parametrize("apart", [True, False], ids=["asked for", "protected"])
def test_shards_keep_what_other_shards_have_proposed_and_a_last_job_adds_the_overview(
    remote: Remote, *, apart: bool
) -> None:
    if not apart:
        remote.protect()
    names = ("contoso", "fabrikam", "northwind")
    clones = {name: remote.clone(name) for name in names}
    for name, clone in clones.items():
        assert published(clone, writes(clone, **{name: "{}"}), apart=apart).branch == PROPOSAL
    last = remote.clone("last")

    def overview() -> int:
        ledgers = sorted(path.stem for path in (last.root / "state").glob("ledger/*.json"))
        last.write("state/reports/status.md", " ".join(ledgers))
        return 0

    assert published(last, overview, apart=apart).branch == PROPOSAL
    assert remote.git("show", f"{PROPOSAL}:state/reports/status.md") == " ".join(names)
    assert remote.count(PROPOSAL) == 1 + len(names) + 1


def test_a_shard_that_is_overtaken_on_the_branch_that_waits_does_not_run_again(remote: Remote) -> None:
    slow, fast = remote.clone("slow"), remote.clone("fast")
    runs: list[int] = []

    def run() -> int:
        runs.append(1)
        published(fast, writes(fast, fabrikam="fast"), apart=True)
        return writes(slow, contoso="slow")()

    assert published(slow, run, apart=True).branch == PROPOSAL
    assert len(runs) == 1
    assert remote.files(PROPOSAL) >= {"state/ledger/contoso.json", "state/ledger/fabrikam.json"}


def test_what_waits_is_replaced_after_main_moved_on(remote: Remote) -> None:
    runner = remote.clone("runner")
    published(runner, writes(runner, contoso="older", fabrikam="gone with it"), apart=True)
    person = remote.clone("another person")
    person.write("portals.d/contoso.yaml", "name: Contoso Ltd\n")
    merged = person.push("A merge")
    later = remote.clone("later")
    seen: list[str] = []
    assert published(later, grows(later, seen), apart=True).branch == PROPOSAL
    assert seen == [""]
    assert remote.git("rev-parse", f"{PROPOSAL}~1") == merged
    assert "state/ledger/fabrikam.json" not in remote.files(PROPOSAL)


def test_what_was_merged_is_replaced_by_what_is_new(remote: Remote) -> None:
    runner, person = remote.clone("runner"), remote.clone("another person")
    published(runner, writes(runner, contoso="first"), apart=True)
    person.git("fetch", "--quiet", "origin")
    person.git("merge", "--quiet", "--squash", f"origin/{PROPOSAL}")
    squashed = person.push("License status (#1)")
    later = remote.clone("later")
    assert published(later, writes(later, contoso="first"), apart=True) == Published(0)
    assert published(later, writes(later, contoso="second"), apart=True).branch == PROPOSAL
    assert remote.git("rev-parse", f"{PROPOSAL}~1") == squashed


@pytest.mark.parametrize(
    "path", ["portals.d/contoso.yaml", "portals.d/more.yaml", ".github/workflows/a.yml", "state2/a"]
)
@pytest.mark.parametrize("apart", [True, False], ids=["asked for", "protected"])
def test_a_configuration_that_nobody_approved_never_runs(remote: Remote, path: str, *, apart: bool) -> None:
    first, runner = remote.clone("first"), remote.clone("runner")
    published(first, writes(first, contoso="{}"), apart=True)
    forged = forge(remote, path)
    if not apart:
        remote.protect()
    seen: list[str] = []

    def run() -> int:
        seen.append((runner.root / path).read_text() if (runner.root / path).exists() else "not there")
        return writes(runner, contoso="from main")()

    assert published(runner, run, apart=apart).branch == PROPOSAL
    assert all("Not approved" not in text for text in seen)
    assert seen
    assert remote.git("rev-parse", f"{PROPOSAL}~1") == remote.git("rev-parse", "main")
    assert forged not in remote.git("rev-list", PROPOSAL)


def test_a_submodule_that_says_it_is_to_be_passed_over_is_not(remote: Remote) -> None:
    person = remote.clone("another person")
    person.write(".gitmodules", '[submodule "s"]\n\tpath = portals.d/s\n\turl = ./s\n\tignore = all\n')
    person.push("Modules")
    first = remote.clone("first")
    published(first, writes(first, contoso="{}"), apart=True)
    first.git("update-index", "--add", "--cacheinfo", f"160000,{first.git('rev-parse', 'HEAD')},portals.d/s")
    first.git("commit", "--quiet", "--message", "A submodule")
    first.git("push", "--quiet", "origin", f"HEAD:{PROPOSAL}")
    runner = remote.clone("runner")
    published(runner, writes(runner, contoso="from main"), apart=True)
    assert remote.git("rev-parse", f"{PROPOSAL}~1") == remote.git("rev-parse", "main")


def test_what_is_replaced_is_what_was_looked_at_and_nothing_newer(remote: Remote) -> None:
    """Between the look at the branch that waits and the push that replaces it, another run replaces it."""
    runner, fast, person = remote.clone("runner"), remote.clone("fast"), remote.clone("another person")
    published(runner, writes(runner, contoso="older"), apart=True)
    person.write("portals.d/contoso.yaml", "name: Contoso Ltd\n")
    person.push("A merge")
    fast.pull()
    late = remote.clone("late")

    def run() -> int:
        published(fast, writes(fast, fabrikam="fast"), apart=True)
        return writes(late, contoso="late")()

    assert published(late, run, apart=True).branch == PROPOSAL
    assert remote.files(PROPOSAL) >= {"state/ledger/contoso.json", "state/ledger/fabrikam.json"}


def test_a_merge_while_it_runs_is_applied_before_it_is_proposed(remote: Remote) -> None:
    runner, person = remote.clone("runner"), remote.clone("another person")
    seen: list[str] = []

    def run() -> int:
        seen.append((runner.root / "portals.d/contoso.yaml").read_text())
        if len(seen) == 1:
            person.write("portals.d/contoso.yaml", "name: Contoso Ltd\n")
            person.push("A merge")
            other = remote.clone("other")
            published(other, writes(other, contoso="other"), apart=True)
        return writes(runner, contoso=f"from {seen[-1]}")()

    assert published(runner, run, apart=True).branch == PROPOSAL
    assert seen == ["name: Contoso\n", "name: Contoso Ltd\n"]


def test_state_that_could_not_be_proposed_is_proposed_by_the_next_run(remote: Remote) -> None:
    runner = remote.clone("runner")
    runner.git("remote", "set-url", "--push", "origin", "../nowhere.git")
    with pytest.raises(StateError):
        published(runner, writes(runner, contoso="{}"), apart=True)
    runner.git("remote", "set-url", "--push", "origin", str(remote.bare))
    assert published(runner, writes(runner, contoso="{}"), apart=True).branch == PROPOSAL
    assert remote.changed(PROPOSAL) == {"state/ledger/contoso.json"}


def test_when_no_branch_takes_the_state_it_says_so(remote: Remote) -> None:
    runner = remote.clone("runner")
    remote.protect()
    hook = remote.bare / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'Nobody pushes here.' >&2\nexit 1\n")
    with pytest.raises(Refused, match="Nobody pushes here") as caught:
        published(runner, writes(runner, contoso="{}"))
    assert caught.value.code == "push-refused"


def test_a_pull_request_needs_a_branch_to_go_to(remote: Remote) -> None:
    runner = remote.clone("runner")
    with pytest.raises(StateError, match="has no branch trunk"):
        publish(Checkout(runner.root), lambda: 0, "trunk", wait=lambda _: None, apart=True)


def test_the_branch_that_waits_belongs_to_a_folder_within_a_repository_too(remote: Remote) -> None:
    person = remote.clone("another person")
    person.write("licenses/portals.d/contoso.yaml", "name: Contoso\n")
    person.push()

    def inner(name: str) -> Clone:
        return Clone(remote.clone(name).root / "licenses")

    first, second = inner("first"), inner("second")
    published(first, writes(first, contoso="{}"), apart=True)
    assert published(second, writes(second, contoso="{}"), apart=True) == Published(0, None, PROPOSAL)
    forge(remote, "portals.d/contoso.yaml")
    third = inner("third")
    published(third, writes(third, contoso="{}"), apart=True)
    assert remote.git("rev-parse", f"{PROPOSAL}~1") == remote.git("rev-parse", "main")
