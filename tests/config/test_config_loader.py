"""Loading a repository: what becomes of valid files, which files count, and the rules across them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.config.loader import load
from reconciler.config.problems import InvalidConfiguration, Problem
from reconciler.config.rules import comparable
from reconciler.errors import ConfigurationError
from reconciler.model import (
    CertificateAuthentication,
    Cloud,
    DeclaredEntitlement,
    Exclusion,
    KeyVaultSignIn,
    Portal,
    Price,
    ProductEntry,
    Reference,
    SafetyLimits,
    SecretAuthentication,
    Settings,
    Suspension,
)
from tests.config.config_world import CLIENT, CORPUS, TENANT, portal_yaml, problems_of, repository

OTHER_TENANT = "1f0a3a52-4b38-4f0e-9d5c-0d5f6b1c2a10"


def valid(root: Path, name: str) -> Portal:
    repository(root, {"contoso.yaml": (CORPUS / "valid" / f"{name}.yaml").read_bytes()})
    return load(root, root / "portals.d").portals["contoso"]


def test_a_secret_in_a_key_vault_and_the_way_there_arrive_in_the_model(tmp_path: Path) -> None:
    secret = "{type: secret, secret: {keyvault: {vault: contoso-licenses, secret: license-reader}}}"
    settings = (
        f"keyvault: {{cloud: usgov, tenant_id: {TENANT.upper()}, client_id: {CLIENT.upper()}, authentication: %s}}"
    )
    written = settings % "{type: certificate, pfx: {file: reader.pfx}}"
    repository(tmp_path, {"contoso.yaml": portal_yaml(authentication=secret), "reconcile.yaml": written})
    desired = load(tmp_path, tmp_path / "portals.d")
    reference = Reference("keyvault", "contoso-licenses/license-reader")
    assert desired.portals["contoso"].authentication == SecretAuthentication(reference)
    assert str(reference) == "{keyvault: {vault: contoso-licenses, secret: license-reader}}"
    reader = CertificateAuthentication(pfx=Reference("file", "reader.pfx"))
    assert desired.settings == Settings(keyvault=KeyVaultSignIn(TENANT, CLIENT, reader, Cloud.USGOV))
    assert desired.warnings == ()


def codes(root: Path) -> list[str]:
    return [problem.code for problem in problems_of(root)]


def test_everything_a_file_declares_arrives_in_the_model(tmp_path: Path) -> None:
    assert valid(tmp_path, "everything") == Portal(
        id="contoso",
        name="Contoso",
        description="Production tenant",
        cloud=Cloud.GLOBAL,
        tenant_id=TENANT,
        client_id=CLIENT,
        authentication=SecretAuthentication(Reference("env", "CONTOSO_SECRET"), "5c0f1a7e", date(2027, 3, 31)),
        exclusions=(Exclusion("FLOW_FREE", "Free SKU, not managed", date(2027, 6, 30)),),
        directory="Microsoft 365/Contoso",
        products=(
            ProductEntry(
                sku="ENTERPRISEPACK",
                directory="Office/Suites",
                price=Price(Decimal("34.40"), "EUR", "month"),
                entitlement=DeclaredEntitlement(500, "EA-77", "PO-1234"),
            ),
        ),
        suspend=Suspension("Migration", date(2026, 12, 31)),
        protect=True,
    )


def test_what_a_file_leaves_out_has_its_default(tmp_path: Path) -> None:
    assert valid(tmp_path, "minimal") == Portal(
        id="contoso",
        name="Contoso",
        tenant_id=TENANT,
        client_id=CLIENT,
        authentication=SecretAuthentication(Reference("env", "CONTOSO_SECRET")),
        directory="Microsoft 365/Contoso",
    )


def test_both_forms_of_a_certificate_arrive(tmp_path: Path) -> None:
    assert valid(tmp_path, "certificate-pem").authentication == CertificateAuthentication(
        public_certificate=Reference("file", "certificates/contoso.pem"),
        private_key=Reference("env", "CONTOSO_PRIVATE_KEY"),
        passphrase=Reference("env", "CONTOSO_PASSPHRASE"),
    )
    assert valid(tmp_path, "certificate-pfx").authentication == CertificateAuthentication(
        pfx=Reference("file", "/run/secrets/contoso.pfx"), passphrase=Reference("env", "CONTOSO_PASSPHRASE")
    )


def test_guids_are_lower_case_wherever_they_stand(tmp_path: Path) -> None:
    guid = "F30DB892-07E9-47E9-837C-80727F46FD3D"
    extra = f"exclusions: [{{sku: {guid}, reason: Free}}]\nproducts: [{{sku: {guid}}}]\n"
    repository(tmp_path, {"contoso.yaml": portal_yaml(extra, tenant_id=TENANT.upper())})
    repository(tmp_path, {"reconcile.yaml": f"unmetered: [{guid}, FLOW_free]\n"})
    desired = load(tmp_path, tmp_path / "portals.d")
    portal = desired.portals["contoso"]
    assert portal.tenant_id == TENANT
    assert portal.exclusions[0].sku == portal.products[0].sku == guid.lower()
    assert desired.settings.unmetered == (guid.lower(), "FLOW_free")


def test_words_that_yaml_1_1_changes_stay_as_they_are_written(tmp_path: Path) -> None:
    portal = valid(tmp_path, "surprising-words")
    assert portal.name == "no"
    assert [exclusion.reason for exclusion in portal.exclusions] == ["on", "1:30", "010"]
    assert portal.products[0].entitlement == DeclaredEntitlement(0, "0x1F", "2027-03-31")


def test_settings_are_read_and_optional(tmp_path: Path) -> None:
    repository(tmp_path, {"contoso.yaml": portal_yaml()})
    assert load(tmp_path, tmp_path / "portals.d").settings == Settings()
    repository(tmp_path, {"reconcile.yaml": "# nothing\n"})
    assert load(tmp_path, tmp_path / "portals.d").settings == Settings()
    text = (
        "count_warning: false\nunmetered: [A]\nexpiring_days: 60\nurgent_days: 3\n"
        "safety: {max_lost_percent: 50, min_products: 3.0}\n"
    )
    repository(tmp_path, {"reconcile.yaml": text})
    settings = load(tmp_path, tmp_path / "portals.d").settings
    assert settings == Settings(False, ("A",), 60, 3, SafetyLimits(50, 3))
    assert type(settings.safety.min_products) is int


def test_a_list_without_end_is_refused(tmp_path: Path) -> None:
    repository(tmp_path, {"reconcile.yaml": f"unmetered: [{'A, ' * 10_001}]\n"})
    assert codes(tmp_path) == ["too-long"]


def test_portals_are_sorted_by_id_and_know_where_their_parts_stand(tmp_path: Path) -> None:
    names = ["b", "a.b", "a", "a-b"]
    files: dict[str, str | bytes] = {
        f"{name}.yaml": portal_yaml(name=f"N{name}", tenant_id=f"{n}{TENANT[1:]}") for n, name in enumerate(names)
    }
    desired = load(repository(tmp_path, files), tmp_path / "portals.d")
    assert list(desired.portals) == list(desired.sources) == ["a", "a-b", "a.b", "b"]
    assert desired.sources["a"].file == "portals.d/a.yaml"
    assert desired.sources["a"].position("tenant_id") == (2, 12)


def test_without_a_folder_of_portals_the_error_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, tmp_path / "portals.d")
    assert caught.value.code == "no-portals"
    assert str(tmp_path) in str(caught.value)
    assert "--chdir" in caught.value.remedy


def test_an_empty_folder_is_valid_here(tmp_path: Path) -> None:
    assert load(repository(tmp_path, {}), tmp_path / "portals.d").portals == {}


def test_a_folder_outside_the_repository_is_displayed_as_the_usual_one(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    folder = tmp_path / "packaged"
    folder.mkdir()
    (folder / "contoso.yaml").write_text("name: x\n")
    with pytest.raises(InvalidConfiguration) as caught:
        load(tmp_path / "root", folder)
    assert {problem.file for problem in caught.value.problems} == {"portals.d/contoso.yaml"}


def test_problems_of_all_files_come_together_and_in_order(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "b.yaml": portal_yaml("clod: x\ncloud: y\n"),
        "a.yaml": "x: [\n",
        "reconcile.yaml": "protect: true\n",
        "c.txt": "",
    }
    problems = problems_of(repository(tmp_path, files))
    assert list(problems) == sorted(problems)
    assert [(problem.file, problem.line, problem.code) for problem in problems] == [
        ("portals.d/a.yaml", 2, "yaml-syntax"),
        ("portals.d/b.yaml", 5, "unknown-key"),
        ("portals.d/b.yaml", 6, "unknown-value"),
        ("portals.d/c.txt", 1, "stray-file"),
        ("reconcile.yaml", 1, "unknown-key"),
    ]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("contoso.yaml", None),
        ("0.yaml", None),
        ("contoso.prod_eu-1.yaml", None),
        (f"{'c' * 63}.yaml", None),
        ("README.md", None),
        (".gitkeep", None),
        (".hidden.yaml", None),
        (f"{'c' * 64}.yaml", "bad-id"),
        ("Contoso.yaml", "bad-id"),
        ("contoso portal.yaml", "bad-id"),
        ("-contoso.yaml", "bad-id"),
        ("zürich.yaml", "bad-id"),
        ("contoso\n.yaml", "bad-id"),
        ("con.yaml", "reserved-id"),
        ("nul.backup.yaml", "reserved-id"),
        ("com1.yaml", "reserved-id"),
        ("status.yaml", "reserved-id"),
        ("index.yaml", "reserved-id"),
        ("meta.yaml", "reserved-id"),
        ("removals.yaml", "not-supported-yet"),
        ("Removals.yaml", "not-supported-yet"),
        ("contoso.yml", "stray-file"),
        ("contoso.YAML", "stray-file"),
        ("contoso.yaml~", "stray-file"),
        ("contoso", "stray-file"),
        ("folder.yaml/contoso.yaml", "stray-file"),
        ("readme.txt", "stray-file"),
    ],
)
def test_a_file_in_the_folder_is_a_portal_or_is_named(name: str, code: str | None, tmp_path: Path) -> None:
    repository(tmp_path, {f"portals.d/{name}": portal_yaml()})
    assert codes(tmp_path) == ([code] if code else [])


def test_a_file_name_that_is_not_text_is_named_with_escapes(tmp_path: Path) -> None:
    root = repository(tmp_path, {})
    (root / "portals.d" / "\x1b[31m\udcff.yaml").write_text(portal_yaml())
    (problem,) = problems_of(root)
    assert problem.file == "portals.d/\\x1b[31m\\udcff.yaml"


def test_links_may_lead_to_the_folder_but_not_out_of_it(tmp_path: Path) -> None:
    root = repository(
        tmp_path, {"portals.d/..data/contoso.yaml": portal_yaml(), "elsewhere/fabrikam.yaml": portal_yaml()}
    )
    folder = root / "portals.d"
    (folder / "contoso.yaml").symlink_to("..data/contoso.yaml")
    assert codes(root) == []
    (folder / "fabrikam.yaml").symlink_to("../elsewhere/fabrikam.yaml")
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "dangling.yaml").symlink_to("nothing.yaml")
    problems = problems_of(root)
    assert [(problem.file, problem.code) for problem in problems] == [
        ("portals.d/dangling.yaml", "stray-file"),
        ("portals.d/fabrikam.yaml", "stray-file"),
        ("portals.d/loop.yaml", "stray-file"),
    ]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Contoso", "CONTOSO", True),
        ("Contoso", "Ｃｏｎｔｏｓｏ", True),
        ("Zürich", "Zu\u0308rich", True),
        ("Straße", "STRASSE", True),
        ("Contoso EU", "Contoso\u00a0 EU", True),
        ("Contoso", "Con\u200btoso", True),
        ("Contoso", "Contoso 2", False),
        ("Contoso", "Fabrikam", False),
    ],
)
def test_names_are_compared_as_they_look(first: str, second: str, same: bool, tmp_path: Path) -> None:
    assert (comparable(first) == comparable(second)) is same
    files: dict[str, str | bytes] = {
        "a.yaml": portal_yaml(name=first),
        "b.yaml": portal_yaml(name=second, tenant_id=OTHER_TENANT),
    }
    assert codes(repository(tmp_path, files)) == (["duplicate-name"] if same else [])


def test_two_portals_of_one_tenant_are_a_warning_and_load(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a.yaml": portal_yaml(),
        "b.yaml": portal_yaml(name="Fabrikam", tenant_id=TENANT.upper()),
    }
    desired = load(repository(tmp_path, files), tmp_path / "portals.d")
    assert list(desired.portals) == ["a", "b"]
    (warning,) = desired.warnings
    assert (warning.file, warning.line, warning.code, warning.severity) == (
        "portals.d/b.yaml",
        2,
        "same-tenant",
        "warning",
    )


def test_the_error_as_a_string_holds_every_problem_with_its_hint() -> None:
    error = InvalidConfiguration(
        [
            Problem("b.yaml", 2, 1, "unknown-key", "The key `x\n` is not known here.", "Did you mean `y`?"),
            Problem("a.yaml", 1, 1, "same-tenant", "Same.", severity="warning"),
        ]
    )
    assert str(error).splitlines() == [
        "1 problem and 1 warning in the configuration.",
        "a.yaml:1:1: same-tenant Same. (warning)",
        "b.yaml:2:1: unknown-key The key `x\\n` is not known here.",
        "    Did you mean `y`?",
    ]


def test_a_problem_has_a_code_of_the_table() -> None:
    with pytest.raises(ValueError, match="no-such-code"):
        Problem("a.yaml", 1, 1, "no-such-code", "Never.")
