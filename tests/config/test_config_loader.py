"""Loading a repository: what becomes of valid files, which files count, and the rules across them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.config.loader import load, load_valid
from reconciler.config.problems import InvalidConfiguration, Problem
from reconciler.config.rules import comparable
from reconciler.errors import ConfigurationError
from reconciler.model import (
    CertificateAuthentication,
    Cloud,
    Confirm,
    Consumers,
    DeclaredEntitlement,
    Exclusion,
    ExclusionScope,
    Inclusion,
    KeyVaultSignIn,
    Overlap,
    Policy,
    PolicyRule,
    Portal,
    PortalLimits,
    Price,
    ProductEntry,
    Reference,
    Removal,
    ReportSettings,
    SafetyLimits,
    SecretAuthentication,
    Settings,
    Suspension,
    Thresholds,
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
        exclusions=(
            Exclusion("FLOW_FREE", "Free SKU, not managed", date(2027, 6, 30), ExclusionScope.IMPORT),
            Exclusion("TEAMS_EXPLORATORY", "Trials that users start", None, ExclusionScope.ALERTS),
        ),
        include=(
            Inclusion("POWER_BI_*", "Reports are built with it"),
            Inclusion("f30db892-07e9-47e9-837c-80727f46fd3d"),
        ),
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
        safety=PortalLimits(50, 20, 3, 5, 80),
        replaces_tenant_id=OTHER_TENANT,
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
    assert settings == Settings(
        count_warning=False, unmetered=("A",), expiring_days=60, urgent_days=3, safety=SafetyLimits(50, min_products=3)
    )
    assert type(settings.safety.min_products) is int


def test_settings_and_removals_of_a_whole_repository_arrive_in_the_model() -> None:
    root = CORPUS / "valid" / "whole-repository"
    desired = load(root, root / "portals.d")
    assert desired.settings == Settings(
        count_warning=False,
        exclusions=(
            Exclusion("*_FREE", "Free SKUs, not managed"),
            Exclusion(
                "f30db892-07e9-47e9-837c-80727f46fd3d", "Under discussion", date(2027, 6, 30), ExclusionScope.ALERTS
            ),
        ),
        unmetered=("*_VIRAL",),
        overlaps=(
            Overlap("SPE_E5", "ENTERPRISEPACK"),
            Overlap("SPE_E5", "06ebc4ee-1bb5-47dd-8120-11324bc54e06"),
        ),
        expiring_days=60,
        urgent_days=14,
        thresholds=Thresholds(90, 10, 60, 60, 0, 180),
        safety=SafetyLimits(20, 50, 3, 10, 80),
        report=ReportSettings(Consumers.PSEUDONYMS, Reference("env", "PSEUDONYM_KEY"), 5, Confirm.WEEKLY),
        policies=(
            Policy(PolicyRule.NO_PRODUCT_SHORT, portal="*"),
            Policy(PolicyRule.MIN_UTILIZATION, "warning", sku="SPE_*", percent=80),
            Policy(PolicyRule.MAX_RECLAIMABLE, portal="c*", sku="06ebc4ee-1bb5-47dd-8120-11324bc54e06", licenses=0),
            Policy(PolicyRule.NO_ENDED_EXCLUSION),
            Policy(PolicyRule.CREDENTIAL_VALID_DAYS, days=30),
            Policy(PolicyRule.IMPORT_COMPLETE, portal="contoso"),
        ),
    )
    assert desired.removals == (
        Removal("contoso", "TEAMS_EXPLORATORY", "Trial has ended", "CHG-1042"),
        Removal("contoso", "f30db892-07e9-47e9-837c-80727f46fd3d", "Never used"),
        Removal("fabrikam", "*", "Tenant was sold"),
    )
    assert [removal.position for removal in desired.removals] == [
        "portals.d/removals.yaml:3:5",
        "portals.d/removals.yaml:7:5",
        "portals.d/removals.yaml:8:5",
    ]
    assert list(desired.portals) == list(desired.sources) == ["contoso"]


def test_the_exclusions_of_the_repository_are_not_copied_into_a_portal() -> None:
    root = CORPUS / "valid" / "whole-repository"
    portal = load(root, root / "portals.d").portals["contoso"]
    assert portal.exclusions == ()
    assert portal.include == (Inclusion("FLOW_FREE"),)


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "removals: []\n"])
def test_a_repository_need_not_remove_anything(text: str | None, tmp_path: Path) -> None:
    repository(tmp_path, {"contoso.yaml": portal_yaml()})
    repository(tmp_path, {} if text is None else {"removals.yaml": text})
    assert load(tmp_path, tmp_path / "portals.d").removals == ()


def test_removals_with_an_error_ask_for_nothing(tmp_path: Path) -> None:
    text = "removals:\n  - {portal: contoso, sku: A, reason: x}\n  - {portal: contoso, sku: B}\n"
    repository(tmp_path, {"contoso.yaml": portal_yaml(), "removals.yaml": text})
    loaded = load_valid(tmp_path, tmp_path / "portals.d")
    assert list(loaded.errors) == ["portals.d/removals.yaml"]
    assert loaded.left_out == {}
    assert loaded.desired.removals == ()
    assert list(loaded.desired.portals) == ["contoso"]


def test_removals_are_not_followed_out_of_the_folder(tmp_path: Path) -> None:
    root = repository(tmp_path, {"contoso.yaml": portal_yaml(), "elsewhere/removals.yaml": "removals: []\n"})
    (root / "portals.d" / "removals.yaml").symlink_to("../elsewhere/removals.yaml")
    assert codes(root) == ["stray-file"]


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        ("{}", (30, 15)),
        ("{renewal_days: 14}", (14, 14)),
        ("{renewal_days: 60}", (60, 15)),
        ("{urgent_renewal_days: 45}", (45, 45)),
        ("{renewal_days: 14, urgent_renewal_days: 14}", (14, 14)),
        ("{renewal_days: 60, urgent_renewal_days: 20}", (60, 20)),
    ],
)
def test_one_threshold_of_two_may_be_given(thresholds: str, expected: tuple[int, int], tmp_path: Path) -> None:
    repository(tmp_path, {"contoso.yaml": portal_yaml(), "reconcile.yaml": f"thresholds: {thresholds}\n"})
    found = load(tmp_path, tmp_path / "portals.d").settings.thresholds
    assert (found.renewal_days, found.urgent_renewal_days) == expected


def test_what_is_urgent_is_not_due_later_than_the_rest(tmp_path: Path) -> None:
    thresholds = "thresholds: {renewal_days: 14, urgent_renewal_days: 15}\n"
    repository(tmp_path, {"contoso.yaml": portal_yaml(), "reconcile.yaml": thresholds})
    assert codes(tmp_path) == ["contradictory-thresholds"]


def test_portals_may_have_different_currencies(tmp_path: Path) -> None:
    price = 'products: [{sku: SPE_E5, price: {amount: "1", currency: %s, per: year}}]\n'
    fabrikam = portal_yaml(price % "USD", name="Fabrikam", tenant_id=OTHER_TENANT)
    repository(tmp_path, {"contoso.yaml": portal_yaml(price % "EUR"), "fabrikam.yaml": fabrikam})
    assert codes(tmp_path) == []


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
        ("Removals.yaml", "reserved-id"),
        ("REMOVALS.yaml", "reserved-id"),
        ("removals.yml", "stray-file"),
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


def test_what_is_valid_is_known_beside_what_is_not(tmp_path: Path) -> None:
    broken = portal_yaml(name="Fabrikam", tenant_id=OTHER_TENANT, extra="color: red\n")
    copied = portal_yaml(name="contoso")
    repository(tmp_path, {"contoso.yaml": portal_yaml(), "copied.yaml": copied, "fabrikam.yaml": broken})
    repository(tmp_path, {"notes.txt": "", "reconcile.yaml": "expiring_days: soon\n"})
    loaded = load_valid(tmp_path, tmp_path / "portals.d")
    assert list(loaded.desired.portals) == list(loaded.desired.sources) == ["contoso"]
    assert loaded.desired.settings == Settings()
    assert {file: [problem.code for problem in problems] for file, problems in loaded.errors.items()} == {
        "portals.d/copied.yaml": ["duplicate-name"],
        "portals.d/fabrikam.yaml": ["unknown-key"],
        "portals.d/notes.txt": ["stray-file"],
        "reconcile.yaml": ["wrong-type"],
    }
    assert loaded.left_out == {"copied": "portals.d/copied.yaml", "fabrikam": "portals.d/fabrikam.yaml"}
    assert [problem.code for problem in loaded.desired.warnings] == ["same-tenant"]
    assert set(loaded.problems) == set(loaded.desired.warnings).union(*loaded.errors.values())
    with pytest.raises(InvalidConfiguration) as caught:
        load(tmp_path, tmp_path / "portals.d")
    assert caught.value.problems == loaded.problems


def test_a_file_whose_name_is_shown_otherwise_is_not_taken_for_valid(tmp_path: Path) -> None:
    repository(tmp_path, {"bad\tname.yaml": portal_yaml(), "contoso.yaml": portal_yaml(name="Other")})
    loaded = load_valid(tmp_path, tmp_path / "portals.d")
    assert list(loaded.desired.portals) == ["contoso"]
    assert loaded.left_out == {r"bad\tname": r"portals.d/bad\tname.yaml"}
    assert set(loaded.left_out.values()) == set(loaded.errors)
