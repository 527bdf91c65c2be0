"""``evidence.json``: what the reports were made from, as an in-toto statement."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from reconciler.resources import folder
from reconciler.store import evidence_file
from tests.audit.audit_world import Repository
from tests.cli.cli_world import office, tenant
from tests.cli.cli_world import portal_yaml as portal

FILE = "state/reports/evidence.json"


def statement(repository: Repository) -> dict[str, Any]:
    """What the file says."""
    found: dict[str, Any] = json.loads((repository.root / FILE).read_text())
    return found


def test_it_keeps_to_its_schema_and_is_an_in_toto_statement(repository: Repository) -> None:
    repository.world.tenants(tenant(1))  # the second portal fails: it was never read
    assert repository.world.run("apply").code == 4
    schema = json.loads((folder("schemas") / "evidence.schema.json").read_text())
    Draft7Validator.check_schema(schema)
    Draft7Validator(schema).validate(statement(repository))
    found = statement(repository)
    assert found["_type"] == "https://in-toto.io/Statement/v1"
    assert found["predicateType"] == schema["properties"]["predicateType"]["const"]
    assert [portal["observation"] is None for portal in found["predicate"]["portals"]] == [False, True]


def test_its_subject_are_all_other_reports_and_the_whole_ledger(repository: Repository) -> None:
    repository.publish()
    named = {item["name"]: item["digest"]["sha256"] for item in statement(repository)["subject"]}
    paths = [path for name in ("reports", "ledger") for path in (repository.root / "state" / name).rglob("*")]
    files = {path.relative_to(repository.root).as_posix(): path for path in paths if path.is_file()}
    assert named == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if name != FILE
    }


def test_it_names_files_settings_queries_counts_and_exclusions_with_their_reason(repository: Repository) -> None:
    (repository.root / "reconcile.yaml").write_text("exclusions: [{sku: '*_TRIAL', reason: Trials}]\n")
    repository.commit("Settings")
    repository.publish()
    predicate = statement(repository)["predicate"]
    names = [item["name"] for item in predicate["configuration"]["files"]]
    assert names == ["portals.d/one.yaml", "portals.d/two.yaml", "reconcile.yaml"]
    assert predicate["configuration"]["settings"]["values"]["thresholds"]["stale_days"] == 2
    assert [item["reason"] for item in predicate["exclusions"]] == ["Trials"]
    one = predicate["portals"][0]
    assert one["queries"][1].startswith("/subscribedSkus?$select=skuId,")
    assert one["received"] == {"users": 7, "licenses": 1, "excluded": 1}
    assert [item["reason"] for item in one["exclusions"]] == ["Nothing is owned"], "the ended one is not in force"


def test_nothing_in_it_moves_while_nothing_changes(repository: Repository) -> None:
    repository.publish("2026-11-23T06:00:00Z")
    before = (repository.root / FILE).read_bytes()
    head = repository.head()
    for now in ("2026-11-23T11:00:00Z", "2026-11-24T06:00:00Z", "2026-12-24T06:00:00Z"):
        assert repository.publish(now) == head
    assert (repository.root / FILE).read_bytes() == before


def test_the_day_is_the_last_on_which_anything_changed(repository: Repository) -> None:
    repository.publish("2026-11-23T06:00:00Z")
    repository.world.tenants(tenant(1, skus=(office(12),)), tenant(2))
    repository.publish("2026-11-25T06:00:00Z")
    repository.publish("2026-11-27T06:00:00Z")
    assert statement(repository)["predicate"]["written_on"] == "2026-11-25"


def test_the_observation_is_told_by_what_the_tenant_said_alone(repository: Repository) -> None:
    def digests() -> list[str]:
        return [portal["observation"]["digest"]["sha256"] for portal in statement(repository)["predicate"]["portals"]]

    repository.publish("2026-11-23T06:00:00Z")
    first = digests()
    repository.world.portals(
        one=portal(1, name="Another name"), two=portal(2, extra="products: [{sku: X, directory: A}]\n")
    )
    repository.world.tenants(tenant(2))
    repository.commit("Renamed")
    repository.world.run("--now", "2026-11-24T06:00:00Z", "apply")
    assert digests()[1] == first[1]
    repository.world.tenants(tenant(1), tenant(2, skus=(office(11),)))
    repository.world.run("--now", "2026-11-25T06:00:00Z", "apply")
    assert digests()[1] != first[1]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"predicate": 1}', b"[" * 100_000, b"\xff"])
def test_what_is_no_evidence_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no evidence that this tool can read"):
        evidence_file.read(content)


def test_how_secrets_are_read_is_no_part_of_it(repository: Repository) -> None:
    from tests.cli.cli_world import keyvault_yaml

    (repository.root / "reconcile.yaml").write_text(keyvault_yaml())
    repository.commit("A vault")
    repository.publish()
    assert "keyvault" not in (repository.root / FILE).read_text()
    assert repository.verify().code == 0
