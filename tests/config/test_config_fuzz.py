"""Whatever stands in a file: ``load`` ends with a value or a ``ConfigurationError``, and no secret is shown."""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from reconciler.config import schema
from reconciler.config.ineffective import dated_warnings
from reconciler.config.loader import load
from reconciler.config.yaml_source import read
from reconciler.errors import ConfigurationError
from reconciler.render.problems import render_github, render_json, render_problems
from reconciler.resources import folder
from tests.config.config_world import CORPUS, one_file, repository

CANARY = "canary-7Qx~value"
VALID = [path.read_text() for path in sorted((CORPUS / "valid").glob("*.yaml"))]
WHOLE = {
    "portal": CORPUS / "valid" / "everything.yaml",
    "settings": CORPUS / "valid" / "whole-repository" / "reconcile.yaml",
    "removals": CORPUS / "valid" / "whole-repository" / "portals.d" / "removals.yaml",
}
EVERYTHING = {name: read(path.read_bytes(), path.name).value for name, path in WHOLE.items()}
WORDS = st.sampled_from(
    [
        "secret",
        "certificate",
        "federated",
        "env",
        "file",
        "sku",
        "reason",
        "until",
        "2027-02-30",
        "2027-02-28",
        "",
        "no",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | WORDS
VALUES = st.recursive(
    SCALARS | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(WORDS | st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=6,
)


def loads_or_complains(content: bytes) -> None:
    with TemporaryDirectory() as folder_:
        files: dict[str, str | bytes] = dict.fromkeys(("contoso.yaml", "removals.yaml", "reconcile.yaml"), content)
        root = repository(Path(folder_), files)
        try:
            dated_warnings(load(root, root / "portals.d"), date.max)
        except ConfigurationError as error:
            said = str(error)
            if not said:
                raise AssertionError("a configuration error without words") from error


@st.composite
def mutated(draw: st.DrawFn, name: str) -> Any:
    """A portal, settings or removals that are valid but for a change or two."""
    value = copy.deepcopy(EVERYTHING[name])
    for _ in range(draw(st.integers(1, 2))):
        place: Any = value
        while True:
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if not isinstance(place[key], dict | list) or not place[key] or draw(st.booleans()):
                break
            place = place[key]
        match draw(st.integers(0, 2)):
            case 0:
                place[key] = draw(VALUES)
            case 1 if isinstance(place, dict):
                place[draw(WORDS)] = draw(VALUES)
            case _ if len(place) > 1:
                del place[key]
    return value


FILES = st.sampled_from(sorted(WHOLE)).flatmap(lambda name: st.tuples(st.just(name), mutated(name)))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_load_or_are_a_configuration_error(content: bytes) -> None:
    loads_or_complains(content)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([*"{}[],:-?&*!|>'\"%@`#~ \n\t<=", "- ", ": ", "a", "<<", "!!", "---\n", "é"]), max_size=40)
)
def test_any_punctuation_loads_or_is_a_configuration_error(parts: list[str]) -> None:
    loads_or_complains("".join(parts).encode())


@settings(deadline=None)
@given(VALUES)
def test_any_value_loads_or_is_a_configuration_error(value: object) -> None:
    loads_or_complains(json.dumps(value, ensure_ascii=True).encode())


@settings(deadline=None)
@given(FILES)
def test_any_change_to_a_valid_file_loads_or_is_a_configuration_error(file: tuple[str, object]) -> None:
    loads_or_complains(json.dumps(file[1]).encode())


@settings(deadline=None)
@given(st.sampled_from(VALID), st.integers(0, 800), st.integers(0, 5), st.text(max_size=3))
def test_any_slip_of_the_keyboard_loads_or_is_a_configuration_error(text: str, at: int, cut: int, typed: str) -> None:
    loads_or_complains((text[:at] + typed + text[at + cut :]).encode("utf-8", "surrogatepass"))


@settings(deadline=None)
@given(FILES)
def test_our_validator_accepts_exactly_what_plain_draft_07_accepts(file: tuple[str, object]) -> None:
    name, value = file
    document = json.loads((folder("schemas") / f"{name}.schema.json").read_text())
    plain = Draft7Validator(document, format_checker=Draft7Validator.FORMAT_CHECKER)
    source = read(json.dumps(value).encode(), "portals.d/contoso.yaml")
    if not source.problems:
        assert (not schema.problems(source, name)) == plain.is_valid(source.value)


PLACES = ["secret", "secret_id", "public_certificate", "private_key", "pfx", "passphrase", "expires", "type", "unknown"]
SHAPES = [
    CANARY,
    f'"{CANARY}"',
    f"|\n      {CANARY}\n",
    f"[{CANARY}]",
    f"{{{CANARY}}}",
    f"{{{CANARY}: x, {CANARY}: y}}",
    f"{{env: [{CANARY}]}}",
    f"{{env: {CANARY}}}",
    f"{{value: {CANARY}}}",
    f"{{env: {{file: {CANARY}}}}}",
    f"*{CANARY}",
    f"&{CANARY} x",
    f"!{CANARY} x",
    f"@{CANARY}",
    f"'{CANARY}",
    f'"\\q{CANARY}"',
    f"{CANARY}: {CANARY}: x",
]


@pytest.mark.parametrize("type_", ["secret", "certificate", "federated", "managed_identity", "nonsense"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_secret_in_the_wrong_place_is_a_problem_that_never_shows_it(
    type_: str, place: str, shape: str, tmp_path: Path
) -> None:
    lines = ["name: Contoso", "authentication:", f"  type: {type_}", f"  {place}: {shape}"]
    problems = one_file(tmp_path, "\n".join(lines) + "\n")
    assert problems
    for render in (render_problems, render_json, render_github):
        assert CANARY not in render(problems)
