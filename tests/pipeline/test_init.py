"""``reconcile init``: what a repository gets, what a second run updates, and what it never touches."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from reconciler.cli.main import main
from reconciler.config.loader import load
from reconciler.model import Settings
from reconciler.resources import folder
from reconciler.scaffold.ownership import Verdict, is_the_tools, marked, verdict
from reconciler.scaffold.settings_file import settings_file
from tests.cli.cli_world import client_id, files_under, tenant_id
from tests.pipeline.pipeline_world import git
from tests.pipeline.workflow_steps import workflow

PIPELINES = {
    "github": {".github/workflows/plan.yml", ".github/workflows/apply.yml"},
    "gitlab": {".gitlab-ci.yml"},
    "azure": {"azure-pipelines.yml"},
}
SCHEMAS = {f"schemas/{name}.schema.json" for name in ("portal", "settings", "removals")}
GIVEN = {
    "README.md",
    "reconcile.yaml",
    "requirements.txt",
    ".gitignore",
    ".gitattributes",
    "portals.d/README.md",
    "portals.d/.example.yaml",
}


def init(root: Path, *arguments: str) -> int:
    return main(["init", str(root), *arguments])


def lines(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What was printed of each file."""
    rows = [re.split(r"\s{2,}|: ", line, maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    return {row[0]: row[1] for row in rows}


@pytest.mark.parametrize("ci", PIPELINES)
def test_a_repository_gets_everything_and_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str], ci: str) -> None:
    root = tmp_path / "new" / "repository"
    assert init(root, "--ci", ci) == 0
    owners = set() if ci == "azure" else {"CODEOWNERS"}
    wanted = GIVEN | SCHEMAS | owners | PIPELINES[ci]
    assert set(files_under(root)) == wanted
    assert lines(capsys) == dict.fromkeys(wanted, "created")
    assert main(["--chdir", str(root), "validate"]) == 0
    assert load(root, root / "portals.d").portals == {}, "the example is not live"


@pytest.mark.parametrize("ci", PIPELINES)
def test_nothing_is_left_to_be_filled_in(tmp_path: Path, ci: str) -> None:
    init(tmp_path, "--ci", ci)
    for path, content in files_under(tmp_path).items():
        assert not re.search(rb"<<\w+>>", content), path
        assert content.endswith(b"\n"), path
        assert b"\r" not in content, path


def in_git(root: Path, branch: str) -> None:
    """Make an empty repository whose first commit will begin this branch."""
    root.mkdir(exist_ok=True)
    git(root, "init", "--quiet", f"--initial-branch={branch}")


@pytest.mark.parametrize("branch", ["master", "release/2.x"])
@pytest.mark.parametrize("ci", PIPELINES)
def test_the_pipeline_applies_the_branch_that_the_repository_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ci: str, branch: str
) -> None:
    in_git(tmp_path, branch)
    init(tmp_path, "--ci", ci)
    said = capsys.readouterr().err
    assert (f"The pipeline applies what is on the branch {branch}." in said) is (ci != "gitlab")
    for path in (*PIPELINES[ci], "README.md"):
        assert not re.search(r"\bmain\b", (tmp_path / path).read_text()), path
    if ci == "github":
        document = workflow(tmp_path / ".github/workflows/apply.yml")
        assert document["on"]["push"]["branches"] == [branch]
    if ci == "azure":
        document = yaml.safe_load((tmp_path / "azure-pipelines.yml").read_text())
        assert document["schedules"][0]["branches"]["include"] == document["trigger"]["branches"]["include"] == [branch]
        assert f"'refs/heads/{branch}'" in document["stages"][1]["condition"]


def test_a_later_run_on_another_branch_does_not_turn_the_pipeline_to_it(tmp_path: Path) -> None:
    in_git(tmp_path, "master")
    init(tmp_path)
    before = files_under(tmp_path, without=("HEAD",))
    git(tmp_path, "symbolic-ref", "HEAD", "refs/heads/update-the-tool")
    assert init(tmp_path) == 0
    assert init(tmp_path, "--check") == 0
    assert files_under(tmp_path, without=("HEAD",)) == before


def test_the_default_branch_of_the_remote_counts_more_than_the_one_checked_out(tmp_path: Path) -> None:
    in_git(tmp_path, "mine")
    git(tmp_path, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    init(tmp_path)
    assert workflow(tmp_path / ".github/workflows/apply.yml")["on"]["push"]["branches"] == ["trunk"]


def test_a_second_pipeline_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init(tmp_path)
    assert "Another pipeline" not in capsys.readouterr().err
    init(tmp_path, "--ci", "gitlab")
    said = capsys.readouterr().err
    assert "delete .github/workflows/plan.yml, .github/workflows/apply.yml" in said


def test_the_bytes_are_always_the_same(tmp_path: Path) -> None:
    for name in ("one", "two"):
        init(tmp_path / name)
    assert files_under(tmp_path / "one") == files_under(tmp_path / "two")


def filled_in(text: str) -> str:
    """An example with IDs in place of the placeholders."""
    for key, given in (("tenant_id", tenant_id(1)), ("client_id", client_id(1))):
        text = text.replace(f"{key}: 00000000-0000-0000-0000-000000000000", f"{key}: {given}")
    return text


def validated(root: Path, portal: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What ``validate`` says of a portal."""
    (root / "portals.d/contoso.yaml").write_text(portal)
    capsys.readouterr()
    main(["--chdir", str(root), "validate"])
    return capsys.readouterr().out


@pytest.mark.parametrize("ci", PIPELINES)
def test_the_example_becomes_a_valid_portal_when_it_is_filled_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ci: str
) -> None:
    init(tmp_path, "--ci", ci)
    example = (tmp_path / "portals.d/.example.yaml").read_text()
    assert "2 problems." in validated(tmp_path, example, capsys)
    assert validated(tmp_path, filled_in(example), capsys) == "1 portal is valid.\n"


@pytest.mark.parametrize("kind", ["certificate", "secret"])
def test_what_the_example_has_in_comments_is_valid_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    init(tmp_path)
    blocks = filled_in((tmp_path / "portals.d/.example.yaml").read_text()).split("\n\n")
    (signing,) = (block for block in blocks if "\nauthentication:" in block)
    ways = signing.replace("\n# authentication:", "\nauthentication:").split("\nauthentication:")
    (way,) = (way for way in ways if f"type: {kind}\n" in way)
    blocks[blocks.index(signing)] = f"# authentication:{way}"
    uncommented = re.sub(r"^# (?=[a-z_]+:|  )", "", "\n\n".join(blocks[1:]), flags=re.MULTILINE)
    declared = yaml.safe_load(uncommented)
    assert declared["authentication"]["type"] == kind
    assert {"exclusions", "products", "suspend", "protect", "cloud", "directory"} <= declared.keys()
    said = validated(tmp_path, uncommented, capsys)
    assert said == "1 portal is valid.\n"


def test_the_settings_say_every_key_with_its_default(tmp_path: Path) -> None:
    schema = json.loads((folder("schemas") / "settings.schema.json").read_text())
    text = settings_file(schema)
    live = "\n".join(line[2:] for line in text.splitlines() if re.match(r"# ([a-z_]+:|  )", line))
    assert yaml.safe_load(live).keys() == schema["properties"].keys() - {"keyvault"}
    assert "keyvault: {" in text
    (tmp_path / "portals.d").mkdir()
    (tmp_path / "reconcile.yaml").write_text(live)
    assert load(tmp_path, tmp_path / "portals.d").settings == Settings()
    inner = yaml.safe_load(live)["safety"]
    assert inner.keys() == schema["properties"]["safety"]["properties"].keys()


def test_a_second_run_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init(tmp_path)
    before = files_under(tmp_path)
    capsys.readouterr()
    assert init(tmp_path) == 0
    assert lines(capsys) == dict.fromkeys(SCHEMAS | PIPELINES["github"], "up to date")
    assert files_under(tmp_path) == before
    assert init(tmp_path, "--check") == 0


def outdated(root: Path, path: str) -> None:
    """Let a file of the tool be as an older version of the tool wrote it."""
    (root / path).write_text(marked("# An older version\n" if path.endswith("yml") else '{\n  "older": true\n}\n'))


@pytest.mark.parametrize("path", [".github/workflows/apply.yml", "schemas/portal.schema.json"])
def test_what_the_tool_owns_is_brought_up_to_date(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    init(tmp_path)
    right = files_under(tmp_path)
    outdated(tmp_path, path)
    capsys.readouterr()
    assert init(tmp_path, "--check") == 1
    assert lines(capsys) == {path: "out of date"}
    assert files_under(tmp_path)[path] != right[path], "a check writes nothing"
    assert init(tmp_path) == 0
    assert lines(capsys)[path] == "updated"
    assert files_under(tmp_path) == right


@pytest.mark.parametrize("path", [".github/workflows/apply.yml", "schemas/portal.schema.json"])
def test_what_people_changed_is_reported_and_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    init(tmp_path)
    changed = (tmp_path / path).read_text() + "\n"
    (tmp_path / path).write_text(changed)
    capsys.readouterr()
    assert init(tmp_path) == 0
    assert lines(capsys)[path] == "left: changed by people"
    assert (tmp_path / path).read_text() == changed
    assert init(tmp_path, "--check") == 0, "nothing that it could update is out of date"


def test_what_people_wrote_before_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = {"README.md": "Ours\n", ".github/workflows/apply.yml": "name: ours\n", "portals.d/README.md": "Ours too\n"}
    for path, text in own.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert init(tmp_path) == 0
    shown = lines(capsys)
    assert {path: shown[path] for path in own} == dict.fromkeys(own, "left: people's own")
    assert {path: (tmp_path / path).read_text() for path in own} == own
    assert shown[".github/workflows/plan.yml"] == "created"


def test_what_people_deleted_is_not_made_again(tmp_path: Path) -> None:
    init(tmp_path)
    for path in GIVEN:
        (tmp_path / path).unlink()
    init(tmp_path)
    assert not GIVEN & set(files_under(tmp_path))


def test_a_path_that_is_in_the_way_stops_it_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "schemas").write_text("in the way")
    assert init(tmp_path) == 1
    assert "init-blocked" in capsys.readouterr().err
    assert set(files_under(tmp_path)) == {"schemas"}


def test_a_first_run_that_broke_off_is_finished_by_the_next(tmp_path: Path) -> None:
    init(tmp_path)
    whole = files_under(tmp_path)
    for path in (*SCHEMAS, *PIPELINES["github"], "CODEOWNERS", ".gitignore"):
        (tmp_path / path).unlink()
    init(tmp_path)
    assert files_under(tmp_path) == whole


@pytest.mark.parametrize("ci", PIPELINES)
def test_a_later_run_knows_whose_pipeline_it_is(tmp_path: Path, ci: str) -> None:
    init(tmp_path, "--ci", ci)
    before = files_under(tmp_path)
    init(tmp_path)
    assert files_under(tmp_path) == before
    assert init(tmp_path, "--check") == 0


def test_a_repository_without_a_pipeline_is_asked_for_its_schemas_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init(tmp_path)
    for path in PIPELINES["github"]:
        (tmp_path / path).unlink()
    assert init(tmp_path, "--check") == 0
    (tmp_path / "schemas/portal.schema.json").unlink()
    capsys.readouterr()
    assert init(tmp_path, "--check") == 1
    assert lines(capsys) == {"schemas/portal.schema.json": "missing"}


def test_the_folder_is_found_from_where_the_command_runs(tmp_path: Path) -> None:
    assert main(["--chdir", str(tmp_path), "init", "licenses"]) == 0
    assert (tmp_path / "licenses/reconcile.yaml").is_file()


@pytest.mark.parametrize("text", ["name: apply\n", '{\n  "type": "object"\n}\n'])
def test_a_marker_tells_whose_a_file_is(text: str) -> None:
    wanted = marked(text)
    assert is_the_tools(wanted)
    assert not is_the_tools(text)
    assert verdict(None, wanted) is Verdict.CREATED
    assert verdict(wanted, wanted) is Verdict.CURRENT
    assert verdict(marked(text.replace("e", "o")), wanted) is Verdict.UPDATED
    assert verdict(wanted.replace("e:", "e :").replace('e"', 'e "'), wanted) is Verdict.CHANGED
    assert verdict(text, wanted) is Verdict.PEOPLES


def test_a_schema_with_its_marker_is_still_the_schema(tmp_path: Path) -> None:
    init(tmp_path)
    for path in SCHEMAS:
        document = json.loads((tmp_path / path).read_text())
        assert "reconcile init" in document.pop("$comment")
        assert document == json.loads((folder("schemas") / Path(path).name).read_text())
