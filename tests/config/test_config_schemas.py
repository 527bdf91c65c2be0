"""The shipped schemas: valid draft-07, helpful to editors, and of one mind with the model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from reconciler.config.loader import load
from reconciler.config.portal import default_directory, settings
from reconciler.model import (
    Cloud,
    Confirm,
    Consumers,
    Exclusion,
    ExclusionScope,
    Inclusion,
    KeyVaultSignIn,
    Overlap,
    Policy,
    PolicyRule,
    Portal,
    PortalLimits,
    Removal,
    ReportSettings,
    SafetyLimits,
    Settings,
    Thresholds,
)
from reconciler.resources import folder
from tests.config.config_world import portal_yaml, repository

NAMES = ["portal", "settings", "removals"]


def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder("schemas") / f"{name}.schema.json").read_text(encoding="utf-8"))
    return loaded


def properties(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property that a schema describes, conditions aside."""
    if isinstance(part, dict):
        for key, value in part.get("properties", {}).items():
            yield f"{path}/{key}", value
            yield from properties(value, f"{path}/{key}")
        if "items" in part:
            yield f"{path}[]", part["items"]
            yield from properties(part["items"], f"{path}[]")
        for key, value in part.get("definitions", {}).items():
            yield from properties(value, f"{path}/{key}")


PROPERTIES = [(name, path, value) for name in NAMES for path, value in properties(document(name))]


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_draft_07(name: str) -> None:
    Draft7Validator.check_schema(document(name))


@pytest.mark.parametrize(("name", "path", "value"), PROPERTIES, ids=[f"{name}{path}" for name, path, _ in PROPERTIES])
def test_a_property_has_a_title_a_description_and_examples_that_validate(
    name: str, path: str, value: dict[str, Any]
) -> None:
    assert value["title"]
    assert value["description"].endswith(".")
    whole = {**value, "definitions": document(name).get("definitions", {})}
    validator = Draft7Validator(whole, format_checker=Draft7Validator.FORMAT_CHECKER)
    assert value["examples"]
    for example in value["examples"]:
        validator.validate(example)
    if "default" in value:
        validator.validate(value["default"])


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_a_whole_file_validate(name: str) -> None:
    for example in document(name)["examples"]:
        Draft7Validator(document(name), format_checker=Draft7Validator.FORMAT_CHECKER).validate(example)


@pytest.mark.parametrize("name", NAMES)
def test_every_mapping_is_closed(name: str) -> None:
    parts = [
        document(name),
        *(value for _, value in properties(document(name))),
        *document(name).get("definitions", {}).values(),
    ]
    assert all(part["additionalProperties"] is False for part in parts if part.get("type") == "object")


def test_the_keys_of_the_schemas_are_the_fields_of_the_model() -> None:
    assert set(document("portal")["properties"]) == {field.name for field in fields(Portal)} - {
        "id",
        "second_authentication",  # in the file it is the second entry of `authentication`
    }
    assert set(document("settings")["properties"]) == {field.name for field in fields(Settings)}
    keyvault = document("settings")["properties"]["keyvault"]["properties"]
    for cloud in (document("portal")["properties"]["cloud"], keyvault["cloud"]):
        assert cloud["enum"] == list(Cloud)


@pytest.mark.parametrize(
    ("name", "key", "kind"),
    [
        ("settings", "safety", SafetyLimits),
        ("settings", "thresholds", Thresholds),
        ("settings", "keyvault", KeyVaultSignIn),
        ("settings", "exclusions", Exclusion),
        ("settings", "overlaps", Overlap),
        ("settings", "policies", Policy),
        ("settings", "report", ReportSettings),
        ("portal", "safety", PortalLimits),
        ("portal", "exclusions", Exclusion),
        ("portal", "include", Inclusion),
        ("removals", "removals", Removal),
    ],
)
def test_the_members_of_a_key_are_the_fields_of_its_type(name: str, key: str, kind: type) -> None:
    schema = document(name)["properties"][key]
    assert set(schema.get("items", schema)["properties"]) == {each.name for each in fields(kind)} - {"position"}


def test_the_words_of_policies_and_reports_are_those_of_the_model() -> None:
    settings = document("settings")["properties"]
    assert settings["policies"]["items"]["properties"]["rule"]["enum"] == list(PolicyRule)
    assert settings["report"]["properties"]["consumers"]["enum"] == list(Consumers)
    assert settings["report"]["properties"]["confirm"]["enum"] == list(Confirm)


def test_a_policy_takes_the_members_of_its_rule_and_no_others() -> None:
    conditions = document("settings")["properties"]["policies"]["items"]["allOf"]
    assert [part["if"]["properties"]["rule"]["const"] for part in conditions] == list(PolicyRule)


def test_an_exclusion_is_the_same_in_both_schemas() -> None:
    portal, settings = (document(name)["properties"]["exclusions"]["items"] for name in ("portal", "settings"))
    assert portal == settings
    assert portal["properties"]["scope"]["enum"] == list(ExclusionScope)


def test_the_limits_of_a_portal_are_those_of_the_settings_without_defaults() -> None:
    portal, settings = (document(name)["properties"]["safety"]["properties"] for name in ("portal", "settings"))
    for key, limit in settings.items():
        limit.pop("default")
        assert portal[key] == limit


def test_a_line_of_text_is_the_same_everywhere() -> None:
    portal, removals = (document(name)["definitions"] for name in ("portal", "removals"))
    assert removals == {"line": portal["line"]}


def test_a_credential_is_the_same_in_both_schemas_but_for_a_vault_within_a_vault() -> None:
    portal, settings = document("portal")["definitions"], document("settings")["definitions"]
    assert portal["reference"]["properties"].pop("keyvault")
    assert {name: portal[name] for name in settings if name != "reference"} == {
        name: each for name, each in settings.items() if name != "reference"
    }
    assert settings["reference"]["properties"] == portal["reference"]["properties"]


def test_the_defaults_of_the_schemas_are_the_defaults_of_the_model(tmp_path: Path) -> None:
    def defaults(part: dict[str, Any]) -> dict[str, Any]:
        whole = {key: value for key, value in part["properties"].items() if "required" not in value}
        inner = {key: defaults(value) for key, value in whole.items() if "properties" in value}
        return {key: value["default"] for key, value in part["properties"].items() if "default" in value} | inner

    assert settings(defaults(document("settings"))) == Settings() == settings({})
    written = "\n".join(
        f"{key}: {json.dumps(value)}" for key, value in defaults(document("portal")).items() if value != {}
    )
    plain = repository(tmp_path / "plain", {"contoso.yaml": portal_yaml()})
    explicit = repository(tmp_path / "explicit", {"contoso.yaml": portal_yaml(written)})
    assert load(plain, plain / "portals.d").portals == load(explicit, explicit / "portals.d").portals


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Contoso", "Microsoft 365/Contoso"),
        ("Contoso / EU", "Microsoft 365/Contoso EU"),
        ("Contoso\\EU", "Microsoft 365/Contoso EU"),
        ("..", "Microsoft 365/_"),
        ("/", "Microsoft 365/_"),
    ],
)
def test_the_default_directory_is_one_folder_per_portal(name: str, expected: str) -> None:
    assert default_directory(name) == expected
    whole = {**document("portal")["definitions"]["directory"]}
    Draft7Validator(whole).validate(expected)
