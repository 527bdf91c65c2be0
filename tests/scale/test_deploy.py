"""What stands under ``deploy/``: it is read as its programs read it, and its shell steps are run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.cli_world import PACKAGE
from tests.docs.test_docs_commands import understand
from tests.pipeline.pipeline_world import Remote, without_outer_git

DEPLOY = PACKAGE / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
UNITS = sorted((DEPLOY / "systemd").iterdir())
SERVICES = [path for path in UNITS if path.suffix == ".service"]
LONGEST = timedelta(hours=5)


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in MANIFESTS:
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            yield document["metadata"]["name"], document


CRONJOBS = {name: document["spec"] for name, document in documents() if document["kind"] == "CronJob"}


def job(name: str) -> dict[str, Any]:
    found: dict[str, Any] = CRONJOBS[name]["jobTemplate"]["spec"]
    return found


def container(name: str) -> dict[str, Any]:
    (found,) = job(name)["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def test_each_manifest_has_what_its_page_says() -> None:
    assert set(CRONJOBS) == {"license-reconciler", "license-reconciler-shards", "license-reconciler-overview"}
    assert {document["kind"] for _, document in documents()} == {"CronJob", "ServiceAccount"}


@pytest.mark.parametrize("name", CRONJOBS)
def test_a_pod_has_no_rights_and_a_root_that_is_read_only(name: str) -> None:
    pod, inside = job(name)["template"]["spec"], container(name)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["automountServiceAccountToken"] is False
    assert pod["restartPolicy"] == "Never"
    rights = inside["securityContext"]
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    mounted = {mount["name"] for mount in inside["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    written = {mount["mountPath"] for mount in inside["volumeMounts"] if not mount.get("readOnly")}
    assert written == {"/work", "/tmp"}


@pytest.mark.parametrize("name", CRONJOBS)
def test_a_job_runs_every_five_hours_at_most_and_never_beside_itself(name: str) -> None:
    minute, hours, *rest = CRONJOBS[name]["schedule"].split()
    assert (hours, rest) == ("*/5", ["*", "*", "*"])
    assert minute.isdecimal()
    assert CRONJOBS[name]["concurrencyPolicy"] == "Forbid"


def test_the_shards_are_an_indexed_job_and_the_overview_comes_after_them() -> None:
    shards = job("license-reconciler-shards")
    assert shards["completionMode"] == "Indexed"
    count = next(each["value"] for each in container("license-reconciler-shards")["env"] if each["name"] == "SHARDS")
    assert shards["completions"] == shards["parallelism"] == shards["maxFailedIndexes"] == int(count)
    minutes = [int(CRONJOBS[f"license-reconciler-{name}"]["schedule"].split()[0]) for name in ("shards", "overview")]
    assert minutes[0] < minutes[1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("license-reconciler", "--log-format json publish apply"),
        ("license-reconciler-shards", "--log-format json publish apply --shard 3/16"),
        ("license-reconciler-overview", "--log-format json publish report"),
    ],
)
def test_a_container_clones_the_repository_and_runs_its_command(tmp_path: Path, name: str, expected: str) -> None:
    remote = Remote(tmp_path / "world").create()
    person = remote.clone("person")
    person.write("portals.d/contoso.yaml", "name: Contoso\n")
    person.push()
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "reconcile").write_text('#!/bin/sh\nls portals.d\necho "$@"\n')
    (programs / "reconcile").chmod(0o755)
    inside = container(name)
    declared = {each["name"]: each["value"] for each in inside["env"]}
    environment = {
        **without_outer_git(os.environ),
        **declared,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "REPOSITORY": f"file://{remote.bare}",
        "JOB_COMPLETION_INDEX": "2",
    }
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run(
        [*inside["command"], *inside["args"]], cwd=work, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"contoso.yaml\n{expected}\n", done.stderr
    understand(expected.split())


def test_git_in_a_container_takes_its_password_from_the_file_that_is_mounted() -> None:
    environment = {each["name"]: each["value"] for each in container("license-reconciler")["env"]}
    said = subprocess.run(
        ["git", "config", "credential.helper"],
        env={**without_outer_git(os.environ), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "store --file=/var/run/secrets/git/credentials\n"


# --- image -----------------------------------------------------------------------------------------------------------


def test_the_image_runs_as_nobody_in_particular_with_the_program_as_its_entry() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    last = text[text.rindex("\nFROM ") :]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["reconcile"\]$', last, re.MULTILINE)
    assert re.search(r"--no-install-recommends .*\bgit\b", last)
    assert "COPY" not in last, "sources and build tools stay behind"
    assert text.count("[keyvault]") == 2, "built and installed with the way to key vaults"


def test_no_file_under_deploy_holds_a_secret() -> None:
    for path in (*MANIFESTS, *UNITS, DEPLOY / "Containerfile"):
        assert not re.search(r"(?i)(password|secret|token)\s*[:=]\s*[A-Za-z0-9~_]{12,}", path.read_text()), path


# --- systemd ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "reconcile"
    for path in UNITS:
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(text.replace("/usr/local/bin/reconcile", str(program)))
    names = [str(tmp_path / path.name) for path in UNITS]
    done = subprocess.run(["systemd-analyze", "verify", *names], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    wrong = tmp_path / "license-reconciler.service"
    wrong.write_text(wrong.read_text().replace("KillMode=", "KillMood="))
    done = subprocess.run(["systemd-analyze", "verify", str(wrong)], capture_output=True, text=True, check=False)
    assert "KillMood" in done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_the_timer_leaves_no_gap_above_five_hours() -> None:
    timer = (DEPLOY / "systemd/license-reconciler.timer").read_text(encoding="utf-8")
    (calendar,) = re.findall(r"^OnCalendar=(.*)$", timer, re.MULTILINE)
    done = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=12", calendar],
        env={**os.environ, "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=True,
    )
    times = [
        datetime.fromisoformat(f"{found}+00:00")
        for found in re.findall(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", done.stdout)
    ]
    times = sorted(set(times))
    assert len(times) == 12
    assert max(later - earlier for earlier, later in pairwise(times)) <= LONGEST


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_service_calls_the_program_as_it_is_and_gives_it_no_rights(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    (line,) = re.findall(r"^ExecStart=((?:.*\\\n)*.*)$", text, re.MULTILINE)
    program, *words = line.replace("\\\n", " ").split()
    assert program == "/usr/local/bin/reconcile"
    understand(words)
    for wanted in ("NoNewPrivileges=yes", "ProtectSystem=strict", "User=license-reconciler", "KillMode=mixed"):
        assert wanted in text.splitlines()
