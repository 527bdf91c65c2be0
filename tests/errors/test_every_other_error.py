"""Every row of the catalogue that is not about a portal happens for real, and says what the catalogue says."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from syrupy.assertion import SnapshotAssertion

from reconciler.emulator import scenarios
from reconciler.emulator.faults import ALWAYS, Fault, Json, Reply
from reconciler.emulator.keys import KeyPair
from reconciler.emulator.scenario import Scenario, Sku, Tenant, UserGroup
from reconciler.emulator.serve import Server
from reconciler.error_catalogue import CATALOGUE
from reconciler.error_catalogue.explanation import UNKNOWN, About
from reconciler.git.checkout import Checkout
from reconciler.store.lock import exclusive
from tests.cli.cli_world import E3, Ended, World, office, portal_yaml, tenant
from tests.cli.connection_world import BY_CERTIFICATE, BY_SECRET, NOW, Broken, app, files_of, run_test, self_signed
from tests.errors import errors_situations
from tests.errors.errors_situations import HTML, Scene
from tests.errors.errors_wire import Wire
from tests.pipeline.pipeline_world import ALONE, Remote, git, without_outer_git

ROWS = {(row.code, "") for row in CATALOGUE.values()} | {
    (row.code, case.message) for row in CATALOGUE.values() for case in row.cases
}
SHIPPED = scenarios.load
"""How scenarios are found outside of tests: a world has only its own."""

Provoke = Callable[[Scene], Ended]


def skus(number: int) -> tuple[Sku, ...]:
    """So many licenses of different kinds."""
    return tuple(Sku(f"40000000-0000-4000-8000-{each:012d}", f"PRODUCT_{each}", enabled=1) for each in range(number))


def applied(scene: Scene, *tenants: Tenant, extra: str = "") -> None:
    """A state that one run has made of these tenants; without any, of one."""
    tenants = tenants or (tenant(1),)
    names = ("one", "two")[: len(tenants)]
    scene.world.tenants(*tenants)
    scene.world.portals(**{name: portal_yaml(number, extra=extra) for number, name in enumerate(names, 1)})
    ended = scene.world.run("--now", NOW, "apply")
    assert ended.code == 0, ended.err


def apply(scene: Scene, *, emulate: bool = True) -> Ended:
    """Apply what there is now."""
    return scene.world.run("--now", NOW, "--retry-limit", "0", "apply", emulate=emulate)


def after(change: Callable[[Scene], object], *tenants: Tenant, extra: str = "") -> Provoke:
    """A second run after something has changed."""

    def provoke(scene: Scene) -> Ended:
        applied(scene, *tenants, extra=extra)
        change(scene)
        return apply(scene)

    return provoke


def held_back(before: Tenant, now: Tenant) -> Provoke:
    """A tenant that suddenly answers otherwise; what is said of its portal stands in the reports."""

    def provoke(scene: Scene) -> Ended:
        ended = after(lambda s: s.world.tenants(now), before)(scene)
        return _with_reports(scene, ended)

    return provoke


_REMOVALS = "removals:\n  - {portal: one, sku: ENTERPRISEPACK, reason: Not bought again}\n"


def _removing(limited: str) -> Callable[[Scene], object]:
    """Exclude the one product and remove it, where the file ``limited`` allows no removal."""
    limits = "safety: {max_removals: 0}\n"

    def change(scene: Scene) -> None:
        own = limits if limited.startswith("portals.d") else ""
        excluding = portal_yaml(1, extra=own + "exclusions: [{sku: ENTERPRISEPACK, reason: Tried}]\n")
        scene.world.portals(one=excluding, removals=_REMOVALS)
        if not own:
            (scene.world.root / limited).write_text(limits)

    return change


def _renamed_to_a_removed_one(scene: Scene) -> Ended:
    """Portal two's file takes the name of portal one, which was deleted and whose products were removed."""
    applied(scene, tenant(1), tenant(2))
    everything = "removals:\n  - {portal: one, sku: '*', reason: Closed}\n"
    scene.world.portals(two=portal_yaml(2), removals=everything)
    apply(scene)
    scene.world.portals(one=portal_yaml(2))
    return apply(scene)


def _with_reports(scene: Scene, ended: Ended) -> Ended:
    return Ended(ended.code, (scene.world.root / "state/reports/status.json").read_text(), ended.err)


def connection_of(broken: Broken) -> Provoke:
    """A test of this connection."""

    def provoke(scene: Scene) -> Ended:
        broken.set_up(scene.world)
        return run_test(scene.world, "--format", "json")

    return provoke


def command(*arguments: str, **files: str) -> Provoke:
    """A command on the files of a repository: ``odd_txt`` is the file odd.txt."""

    def provoke(scene: Scene) -> Ended:
        scene.world.portals(one=portal_yaml(1))
        for name, content in files.items():
            (scene.world.root / name.replace("_", ".")).write_text(content)
        words = [word.replace("ROOT", str(scene.world.root)) for word in arguments]
        return scene.world.run(*words, emulate=False)

    return provoke


def with_variable(name: str, value: str) -> Provoke:
    """A run over the real network with a variable set."""

    def provoke(scene: Scene) -> Ended:
        scene.world.monkeypatch.setenv(name, value)
        return command("apply")(scene)

    return provoke


def damaged(path: str, old: str, new: str) -> Provoke:
    """A run after a file of the ledger was edited by hand."""

    def change(scene: Scene) -> None:
        file = scene.world.root / "state/ledger" / path
        before = file.read_text()
        assert old in before
        file.write_text(before.replace(old, new))

    return after(change)


def written(path: str, content: bytes) -> Callable[[Scene], object]:
    """Write a file of the state."""
    return lambda scene: (scene.world.root / "state" / path).write_bytes(content)


def token(content: Json) -> Tenant:
    """A tenant whose sign-in answers this."""
    return tenant(faults=(Fault(Reply(200, content), "*/token", "login", times=ALWAYS),))


def _unlisted_folder(scene: Scene) -> Ended:
    """In place of the folder's rights, which do not stop every user."""
    real = Path.iterdir

    def iterdir(path: Path) -> Iterator[Path]:
        if path.name == "portals.d":
            raise PermissionError(13, "Permission denied")
        return real(path)

    scene.world.monkeypatch.setattr(Path, "iterdir", iterdir)
    return apply(scene)


def _no_folder(scene: Scene) -> Ended:
    (scene.world.root / "portals.d").rmdir()
    return apply(scene)


def _linked_portals(scene: Scene) -> Ended:
    (scene.world.root / "portals.d").rmdir()
    (scene.world.root / "portals.d").symlink_to(scene.folder)
    return apply(scene)


def _no_scenario(scene: Scene) -> Ended:
    scene.world.monkeypatch.setattr(scenarios, "load", SHIPPED)
    scene.world.portals(one=portal_yaml(1))
    return apply(scene)


def _two_runs(scene: Scene) -> Ended:
    scene.world.portals(one=portal_yaml(1))
    with exclusive(scene.world.root / "state"):
        return apply(scene)


def _two_programs(scene: Scene) -> Ended:
    applied(scene)
    scene.world.monkeypatch.setattr("reconciler.store.database.BUSY_SECONDS", 0)
    with closing(sqlite3.connect(scene.world.root / "state/reconciler.db")) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        return apply(scene)


def _no_place_for_a_journal(scene: Scene) -> None:
    """Where SQLite keeps what it needs to take a transaction back."""
    (scene.world.root / "state/reconciler.db-journal").mkdir()


def _state_without_place(scene: Scene) -> Ended:
    scene.world.portals(one=portal_yaml(1))
    scene.world.tenants(tenant(1))
    (scene.world.root / "state").write_text("a file")
    return apply(scene)


def _as_if_real(scene: Scene) -> None:
    """Let the known numbers be those of a real tenant."""
    applied(scene)
    ledger = scene.world.root / "state/ledger/one.json"
    ledger.write_text(ledger.read_text().replace('"emulated": "test"', '"emulated": null'))
    (scene.world.root / "state/reconciler.db").unlink()


def _emulated_after_all(scene: Scene) -> Ended:
    _as_if_real(scene)
    return apply(scene)


def _emulated_unseen(scene: Scene) -> Ended:
    _as_if_real(scene)
    with Server(Scenario((tenant(1),)), scene.world.root) as server:
        for variable, value in server.environment.items():
            scene.world.monkeypatch.setenv(variable, value)
        return _with_reports(scene, apply(scene, emulate=False))


def _trusting(variable: str, name: str, content: bytes) -> Provoke:
    """A run that trusts this file, or the folder in which it is."""

    def provoke(scene: Scene) -> Ended:
        file = scene.folder / name
        file.write_bytes(content)
        return with_variable(variable, str(file if variable == "SSL_CERT_FILE" else scene.folder))(scene)

    return provoke


def _stale_plan(scene: Scene) -> Ended:
    """A plan from before the portal was read."""
    scene.world.portals(one=portal_yaml(1))
    scene.world.tenants(tenant(1))
    file = str(scene.folder / "plan.json")
    assert scene.world.run("--now", NOW, "plan", "--out", file).code == 0
    assert apply(scene).code == 0
    return scene.world.run("--now", NOW, "apply", "--plan", file)


def _download(scene: Scene) -> Ended:
    scene.wire.proxy(f"http://127.0.0.1:{scene.wire.nowhere()}")
    return command("--retry-limit", "0", "catalogue", "update")(scene)


def _damaged_titles(scene: Scene) -> Ended:
    (scene.world.root / "state").mkdir()
    written("catalogue.csv", b"sku_id,part_number,title\n<<<<<<< HEAD\n")(scene)
    return command("catalogue", "show")(scene)


def _key_in_git(scene: Scene) -> Ended:
    for name in [name for name in os.environ if name.startswith("GIT_")]:  # those of a hook lead to its repository
        scene.world.monkeypatch.delenv(name)
    folder = scene.world.root / "credentials"
    folder.mkdir()
    (folder / "one.key").write_text("added by mistake")
    for words in (("init", "--quiet"), ("add", "--all")):
        subprocess.run(["git", *words], cwd=scene.world.root, check=True)
    return command("certificate", "create", "one", "--force")(scene)


def _key_exists(scene: Scene) -> Ended:
    (scene.world.root / "credentials").mkdir()
    (scene.world.root / "credentials/one.key").write_text("in use")
    return command("certificate", "create", "one")(scene)


def _serve(scene: Scene, *arguments: str) -> Ended:
    """Start to serve, without handlers of signals in this process; were it to succeed, it would stop at once."""
    stopped = Event()
    stopped.set()
    scene.world.monkeypatch.setattr(signal, "signal", lambda *_: None)
    scene.world.monkeypatch.setattr("reconciler.cli.emulator.Event", lambda: stopped)
    return scene.world.run("emulator", "serve", *arguments)


def _clone(scene: Scene) -> tuple[Remote, Callable[[], Ended]]:
    """A remote, and publishing from the world's repository, which is a clone of it with one commit."""
    for name in os.environ.keys() - without_outer_git(os.environ).keys():
        scene.world.monkeypatch.delenv(name)
    for name, value in ALONE.items():
        scene.world.monkeypatch.setenv(name, value)
    remote = Remote(scene.folder / "remote").create()
    scene.world.tenants(tenant(1))
    scene.world.portals(one=portal_yaml(1))
    git(scene.world.root, "init", "--quiet", "--initial-branch=main")
    git(scene.world.root, "add", "--all")
    git(scene.world.root, "commit", "--quiet", "--message", "The first portal")
    git(scene.world.root, "remote", "add", "origin", str(remote.bare))
    git(scene.world.root, "push", "--quiet", "origin", "main")
    scene.world.monkeypatch.setattr("reconciler.cli.publish.time.sleep", lambda _: None)
    return remote, lambda: scene.world.run("--now", NOW, "publish")


def _untrusted(scene: Scene, *words: str) -> Ended:
    _clone(scene)
    scene.world.monkeypatch.setenv("GITHUB_ACTIONS", "true")
    scene.world.monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    return scene.world.run("--now", NOW, *words, emulate=False)


def _no_repository(scene: Scene) -> Ended:
    _clone(scene)
    scene.world.monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(scene.world.root.parent))
    (scene.world.root / ".git").rename(scene.folder / "away")
    return scene.world.run("publish", "--branch", "main")


def _no_commit(scene: Scene) -> Ended:
    _, publish = _clone(scene)
    git(scene.world.root, "update-ref", "-d", "HEAD")
    return publish()


def _refusing_hook(scene: Scene) -> Ended:
    _, publish = _clone(scene)
    hook = scene.world.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'No commit today.' >&2\nexit 1\n")
    hook.chmod(0o755)
    return publish()


def _no_branch(scene: Scene) -> Ended:
    _clone(scene)
    return scene.world.run("publish", "--pull-request", "--branch", "trunk")


def _ignored_portal(scene: Scene) -> Ended:
    _, publish = _clone(scene)
    (scene.world.root / ".git/info/exclude").write_text("two.yaml\n")
    scene.world.portals(one=portal_yaml(1), two=portal_yaml(2))
    return publish()


def _verified_too_early(scene: Scene) -> Ended:
    _clone(scene)
    return scene.world.run("verify", "--rev", "HEAD", emulate=False)


def _changed_checkout(scene: Scene) -> Ended:
    _, publish = _clone(scene)
    scene.world.portals(one=portal_yaml(1, name="Edited"))
    return publish()


def _commit_not_pushed(scene: Scene) -> Ended:
    _, publish = _clone(scene)
    scene.world.portals(one=portal_yaml(1, name="Edited"))
    git(scene.world.root, "commit", "--quiet", "--all", "--message", "Not pushed")
    return publish()


def _unreachable_remote(scene: Scene) -> Ended:
    _, publish = _clone(scene)
    git(scene.world.root, "remote", "set-url", "origin", "../nowhere.git")
    return publish()


def _remote_for_reading(scene: Scene) -> Ended:
    _, publish = _clone(scene)
    git(scene.world.root, "remote", "set-url", "--push", "origin", "../nowhere.git")
    return publish()


def _refusing_remote(scene: Scene) -> Ended:
    remote, publish = _clone(scene)
    (remote.bare / "hooks").mkdir(exist_ok=True)
    (remote.bare / "hooks/update").write_text("#!/bin/sh\necho 'Nobody pushes here.' >&2\nexit 1\n")
    (remote.bare / "hooks/update").chmod(0o755)
    return publish()


def _overtaken(scene: Scene, *, rewriting: bool) -> Ended:
    """Whenever it runs, another run pushes another number of the same portal first."""
    remote, publish = _clone(scene)
    other, real = remote.clone("other"), Checkout.commit_state

    def commit_state(self: Checkout, message: Callable[[frozenset[str]], str]) -> str | None:
        if rewriting:
            other.git("commit", "--quiet", "--amend", "--message", "Another history")
            other.git("push", "--quiet", "--force", "origin", "HEAD:main")
        else:
            other.pull()
            other.write("state/reports/status.md", remote.git("rev-parse", "main"))
            other.push()
        return real(self, message)

    scene.world.monkeypatch.setattr(Checkout, "commit_state", commit_state)
    return publish()


def _linked_folder(scene: Scene) -> Ended:
    (scene.world.root / ".emulator").symlink_to(scene.folder)
    return _serve(scene)


def _users(number: int, **more: Any) -> Tenant:
    return tenant(skus=(office(enabled=20),), users=(UserGroup(number, (E3,)),), **more)


def _some_users(*found: Json) -> Tenant:
    """Twelve users, of whom the list holds only these."""
    return _users(12, faults=(Fault(Reply(200, {"value": list(found)}), "/v1.0/users", times=ALWAYS),))


_WEAK = Broken(
    "credential", "", authentication=BY_CERTIFICATE, files=lambda: self_signed(rsa.generate_private_key(65537, 1024))
)
_ENDING = KeyPair("license-reconciler", not_after=datetime(2026, 12, 1, tzinfo=UTC))
_MANY = ("User.Read.All", "Organization.Read.All", "Directory.Read.All")

TEST: dict[tuple[str, str], Provoke] = {
    ("credential-expired", ""): connection_of(
        Broken("", "", authentication=BY_SECRET.replace("secret,", "secret, expires: 2026-11-22,"))
    ),
    ("credential-expiring", ""): connection_of(
        Broken("", "", authentication=BY_SECRET.replace("secret,", "secret, expires: 2026-12-01,"))
    ),
    ("credential-expiring", "(certificate …)"): connection_of(
        Broken("", "", authentication=BY_CERTIFICATE, files=files_of(_ENDING))
    ),
    ("key-too-short", ""): connection_of(_WEAK),
    ("clock-wrong", ""): connection_of(Broken("", "", ahead=600.5)),
    ("token-unreadable", ""): connection_of(
        Broken("", "", tenant=token({"token_type": "Bearer", "expires_in": 3599, "access_token": "opaque"}))
    ),
    ("permission-missing", ""): connection_of(Broken("", "", tenant=tenant(applications=app(roles=())))),
    ("permission-excessive", ""): connection_of(Broken("", "", tenant=tenant(applications=app(roles=_MANY)))),
    ("permission-excessive", "in place of …"): connection_of(
        Broken("", "", tenant=tenant(applications=app(roles=_MANY[2:])))
    ),
}

SAFETY: dict[tuple[str, str], Provoke] = {
    ("no-portals-declared", ""): after(lambda s: s.world.portals()),
    ("too-many-lost", ""): after(
        lambda s: s.world.portals(one=portal_yaml(1)), tenant(1, skus=skus(12)), tenant(2, skus=skus(12))
    ),
    ("too-many-lost", "products of portal … would lose synchronization"): after(
        lambda s: s.world.portals(
            one=portal_yaml(1, extra="safety: {max_lost_percent: 30}\nexclusions: [{sku: '*', reason: Tried}]\n")
        ),
        tenant(1, skus=skus(12)),
    ),
    ("too-many-removals", ""): after(_removing("reconcile.yaml"), tenant(1)),
    ("too-many-removals", "of portal … would be deleted from the state"): after(
        _removing("portals.d/one.yaml"), tenant(1)
    ),
    ("removal-refused", ""): after(lambda s: s.world.portals(one=portal_yaml(1), removals=_REMOVALS)),
    ("portal-protected", ""): after(
        lambda s: s.world.portals(two=portal_yaml(2)), tenant(1), tenant(2), extra="protect: true\n"
    ),
    ("id-taken", ""): _renamed_to_a_removed_one,
    ("tenant-changed", ""): after(lambda s: s.world.portals(one=portal_yaml(2))),
    ("plan-stale", ""): _stale_plan,
    ("no-licenses", ""): held_back(tenant(1), tenant(1, skus=(), users=())),
    ("too-many-gone", ""): held_back(tenant(1, skus=skus(20)), tenant(1, skus=skus(2))),
    (
        "too-many-gone",
        "products are gone from the portal at once; at least … % must be there (safety.min_reported_percent).",
    ): held_back(tenant(1, skus=skus(5)), tenant(1, skus=skus(1))),
    ("no-consumers", ""): held_back(_users(12), _some_users()),
    ("consumers-missing", ""): held_back(_users(12), _some_users({"id": "1", "assignedLicenses": [{"skuId": E3}]})),
    ("emulated-answer", ""): _emulated_unseen,
    ("untrusted-ref", ""): lambda scene: _untrusted(scene, "apply"),
    ("untrusted-ref", "This run is for …, and what nobody has approved is not published."): lambda scene: _untrusted(
        scene, "publish", "apply", "--allow", "untrusted"
    ),
}

STATE: dict[tuple[str, str], Provoke] = {
    ("locked", ""): _two_runs,
    ("locked", "Another program is writing to the state DB."): _two_programs,
    ("no-state", ""): command("verify"),
    ("no-state", "There is no state/ in this commit."): _verified_too_early,
    ("state-unreadable", ""): after(lambda s: (s.world.root / "state/ledger/meta.json").unlink()),
    ("ledger-unreadable", ""): after(written("ledger/one.json", b"<<<<<<< HEAD\n")),
    ("ledger-version", ""): damaged("one.json", '"format_version": 1', '"format_version": 2'),
    ("database-unreadable", ""): after(written("reconciler.db", b"no database" * 100)),
    ("database-unusable", ""): after(_no_place_for_a_journal),
    ("lineage-mismatch", ""): damaged("meta.json", '"lineage": "', '"lineage": "0'),
    ("state-diverged", ""): damaged("one.json", "Portal 1", "Portal 7"),
    ("state-not-writable", ""): _state_without_place,
    ("emulation-refused", ""): _emulated_after_all,
    ("git-failed", ""): _refusing_hook,
    ("git-failed", "This folder is in no clone of a git repository."): _no_repository,
    ("git-failed", "There is no commit in this repository yet."): _no_commit,
    ("git-failed", "The remote has no branch …."): _no_branch,
    ("checkout-changed", ""): _changed_checkout,
    ("checkout-changed", "… is not in git."): _ignored_portal,
    ("commit-not-pushed", ""): _commit_not_pushed,
    ("push-failed", ""): _remote_for_reading,
    ("push-failed", "The branch … could not be fetched."): _unreachable_remote,
    ("push-contested", ""): lambda scene: _overtaken(scene, rewriting=False),
    ("push-refused", ""): _refusing_remote,
    ("branch-rewritten", ""): lambda scene: _overtaken(scene, rewriting=True),
}

CONFIGURATION: dict[tuple[str, str], Provoke] = {
    ("configuration-invalid", ""): command("apply", reconcile_yaml="colour: blue\n"),
    ("no-portals", ""): _no_folder,
    ("no-portals", "The folder portals.d cannot be read."): _unlisted_folder,
    ("link-refused", ""): _linked_portals,
    ("unknown-portal", ""): command("apply", "contoso"),
    ("scenario-unknown", ""): _no_scenario,
    ("plan-unreadable", ""): command("show", "ROOT/odd.txt", odd_txt="no plan"),
    ("sku-unknown", ""): command("catalogue", "show", "no such product"),
}

MACHINE: dict[tuple[str, str], Provoke] = {
    ("proxy-invalid", ""): with_variable("HTTPS_PROXY", "ftp://proxy.example"),
    ("certificate-file-missing", ""): with_variable("SSL_CERT_FILE", "/nowhere/ca.pem"),
    ("certificate-file-unusable", ""): _trusting("SSL_CERT_FILE", "ca.pem", b""),
    ("certificate-folder-missing", ""): with_variable("SSL_CERT_DIR", "/nowhere"),
    ("certificate-folder-unusable", ""): _trusting("SSL_CERT_DIR", "ca.pem", b"not under its hash"),
    ("download-failed", ""): _download,
    ("catalogue-unreadable", ""): command("catalogue", "update", "--from", "ROOT/list.csv", list_csv=HTML),
    ("catalogue-damaged", ""): _damaged_titles,
    ("certificate-unreadable", ""): command("certificate", "show", "ROOT/odd.txt", odd_txt="no certificate"),
    ("key-exists", ""): _key_exists,
    ("key-in-git", ""): _key_in_git,
    ("key-not-writable", ""): command("certificate", "create", "one", credentials="a file"),
    ("path-outside", ""): command("certificate", "create", "one", "--directory", "../elsewhere"),
    ("init-blocked", ""): command("init", schemas="in the way"),
    ("port-unavailable", ""): lambda scene: _serve(scene, "--port", str(scene.wire.nowhere())),
    ("folder-unusable", ""): _linked_folder,
}

SITUATIONS = {**TEST, **SAFETY, **STATE, **CONFIGURATION, **MACHINE}
"""By code and by the message of the case, which is empty for the row itself."""


def _remedy(code: str, case: str) -> str:
    """What the catalogue says to do."""
    row = CATALOGUE[code]
    return next((each.remedy for each in row.cases if each.message == case), row.remedy)


def _fits(pattern: str, text: str) -> bool:
    """Whether a text is the pattern with its unknown parts filled in."""
    return bool(re.fullmatch(".+?".join(re.escape(part) for part in pattern.split(UNKNOWN)), text, re.DOTALL))


def _errors(value: Any) -> Iterator[dict[str, Any]]:
    """Every error of a JSON document."""
    if isinstance(value, dict) and {"code", "message", "remedy"} <= value.keys():
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _errors(each)


def _reported(ended: Ended, code: str) -> tuple[str, str]:
    """The message, with its detail in parentheses, and the remedy, which stands two spaces in, as people are told."""
    if ended.out.startswith("{"):
        (error,) = {each["message"]: each for each in _errors(json.loads(ended.out)) if each["code"] == code}.values()
        detail = error.get("detail")
        return f"{error['message']} ({detail})" if detail else error["message"], error["remedy"]
    found = re.search(rf"^(?:error|refused): {re.escape(code)}: (.*\n(?:.*\n)*?)  (\S.*)\n", ended.err, re.MULTILINE)
    assert found, ended.err
    return found[1].rstrip("\n"), found[2]


def test_no_other_row_is_unreachable() -> None:
    assert SITUATIONS.keys() == ROWS - errors_situations.SITUATIONS.keys()
    assert all(CATALOGUE[code].about is not About.PORTAL for code, _ in SITUATIONS)


@pytest.mark.parametrize(("code", "case"), SITUATIONS, ids=lambda part: part or "any")
def test_an_error_has_code_message_and_remedy(
    world: World, wire: Wire, tmp_path: Path, snapshot: SnapshotAssertion, code: str, case: str
) -> None:
    ended = SITUATIONS[code, case](Scene(world, wire, tmp_path))
    message, remedy = _reported(ended, code)
    assert _fits(_remedy(code, case), remedy)
    assert case.split(UNKNOWN)[0] in message
    shown = f"exit:    {ended.code}\ncode:    {code}\nmessage: {message}\nremedy:  {remedy}\n"
    shown = shown.replace(str(world.root), "<root>").replace(str(tmp_path), "<folder>")
    shown = re.sub("Your commit [0-9a-f]{12} ", "Your commit <commit> ", shown)
    assert re.sub("Port [0-9]+ ", "Port <port> ", shown) == snapshot
