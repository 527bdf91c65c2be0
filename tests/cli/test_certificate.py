"""``reconcile certificate``: a key pair that signs in, that only its owner reads, and that git does not take."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.certificates import key_files
from reconciler.certificates.description import describe
from reconciler.certificates.key_pair import make_key_pair
from reconciler.config.loader import load
from reconciler.emulator.scenario import Application
from reconciler.errors import ReconcileError
from reconciler.model import Reference
from reconciler.secret import Secret
from tests.cli.cli_world import Ended, World, client_id, files_under, portal_yaml, tenant
from tests.emulator.builders import key_pair

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
SMALL = ("--bits", "2048")
"""The smallest key, which takes the least time to make."""


def create(world: World, *arguments: str, portal_id: str = "one") -> Ended:
    """Make a key pair at a known time."""
    return world.run("--now", NOW.isoformat(), "certificate", "create", portal_id, *SMALL, *arguments, emulate=False)


def show(world: World, path: Path, *arguments: str, now: datetime = NOW) -> Ended:
    """Show a certificate at a known time."""
    return world.run("--now", now.isoformat(), "certificate", "show", str(path), *arguments, emulate=False)


def signing(world: World, signs_in: str, **files: str) -> None:
    """Declare one portal that signs in like this."""
    text = portal_yaml(1).replace("{type: secret, secret: {env: TEST_SECRET}}", signs_in)
    world.portals(one=text, **files)


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git as nobody in particular."""
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@a.invalid"}
    identity |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in identity.items()}
    environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False, env=environment)


def certificate_of(world: World, path: str = "credentials/one.crt") -> x509.Certificate:
    """The certificate in a file of the repository."""
    return x509.load_pem_x509_certificate((world.root / path).read_bytes())


def key_of(world: World, path: str = "credentials/one.key", password: bytes | None = None) -> RSAPrivateKey:
    """The private key in a file of the repository."""
    key = serialization.load_pem_private_key((world.root / path).read_bytes(), password)
    assert isinstance(key, RSAPrivateKey)
    return key


# --- the pair --------------------------------------------------------------------------------------------------------


def test_a_created_certificate_signs_in_as_the_printed_yaml_says(world: World) -> None:
    ended = create(world)
    assert ended.code == 0, ended.err
    block = ended.out.split("portals.d/one.yaml:\n")[1].split("\n3. ")[0]
    declared = yaml.safe_load(block)["authentication"]
    assert declared == {
        "type": "certificate",
        "public_certificate": {"file": "credentials/one.crt"},
        "private_key": {"file": "credentials/one.key"},
    }
    signing(world, json.dumps(declared))
    registered = (world.root / "credentials/one.crt").read_bytes()
    world.tenants(tenant(1, applications=(Application(client_id(1), secrets=(), certificates=(registered,)),)))
    assert world.run("apply").code == 0
    assert world.status()["one"]["import"]["outcome"] == "complete"
    world.tenants(tenant(1, applications=(Application(client_id(1), secrets=()),)))
    assert world.run("apply").code == 1, "only where its certificate was uploaded"


def test_the_pair_is_as_it_was_asked_for(world: World) -> None:
    ended = create(world, "--days", "90", "--subject", "license reader, Contoso")
    made = certificate_of(world)
    assert made.subject == made.issuer
    assert made.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value == "license reader, Contoso"
    assert made.not_valid_after_utc == NOW + timedelta(days=90)
    assert NOW - timedelta(hours=1) < made.not_valid_before_utc < NOW
    assert key_of(world).key_size == 2048
    assert key_of(world).public_key() == made.public_key()
    assert ended.out.startswith("Made a key pair for one: RSA 2048, until 2027-02-21.\n")


def test_without_options_it_is_rsa_3072_for_a_year(world: World) -> None:
    assert world.run("--now", NOW.isoformat(), "certificate", "create", "one", emulate=False).code == 0
    assert key_of(world).key_size == 3072
    assert certificate_of(world).not_valid_after_utc == NOW + timedelta(days=365)
    assert certificate_of(world).subject.rfc4514_string() == "CN=license-reconciler one"


def test_a_passphrase_encrypts_the_key_and_stays_unsaid(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_PASSPHRASE", "canary-5b1d")
    ended = create(world, "--passphrase-env", "KEY_PASSPHRASE")
    assert key_of(world, password=b"canary-5b1d").key_size == 2048
    with pytest.raises(TypeError):
        key_of(world)
    assert "passphrase: {env: KEY_PASSPHRASE}" in ended.out
    everything = [ended.out.encode(), ended.err.encode(), *files_under(world.root).values()]
    assert not any(b"canary-5b1d" in text for text in everything)


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_passphrase_stops_before_anything_is_written(
    world: World, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("KEY_PASSPHRASE", raising=False)
    if value is not None:
        monkeypatch.setenv("KEY_PASSPHRASE", value)
    ended = create(world, "--passphrase-env", "KEY_PASSPHRASE")
    assert ended.code == 1
    assert "{env: KEY_PASSPHRASE}" in ended.err
    assert not (world.root / "credentials").exists()


def test_nothing_private_is_printed(world: World) -> None:
    ended = create(world)
    lines = (world.root / "credentials/one.key").read_text().splitlines()[1:-1]
    assert lines
    assert not any(line in ended.out + ended.err for line in lines)


# --- its files -------------------------------------------------------------------------------------------------------


def test_the_private_key_is_its_owners_only_from_the_first_instant(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is opened for writing a key is opened with its mode: there is no moment before a chmod."""
    opened: dict[str, int] = {}
    real = os.open

    def watched(path: str | Path, flags: int, mode: int = 0o777, **more: int) -> int:
        descriptor = real(path, flags, mode, **more)
        if Path(path).name.startswith(".tmp-"):
            opened[Path(path).name] = stat.S_IMODE(os.fstat(descriptor).st_mode)
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    before = os.umask(0)
    try:
        create(world)
    finally:
        os.umask(before)
    assert opened == {".tmp-one.key": 0o600, ".tmp-one.crt": 0o644}
    assert stat.S_IMODE((world.root / "credentials/one.key").stat().st_mode) == 0o600


def test_a_real_git_repository_never_takes_the_key_and_does_take_the_certificate(world: World) -> None:
    git(world.root, "init", "--quiet")
    ended = create(world)
    git(world.root, "add", "--all")
    staged = git(world.root, "diff", "--cached", "--name-only").stdout.split()
    assert staged == ["credentials/.gitignore", "credentials/one.crt"]
    assert "Wrote credentials/.gitignore" in ended.err
    create(world, portal_id="two")
    assert (world.root / "credentials/.gitignore").read_text() == "/one.key\n/.tmp-one.key\n/two.key\n/.tmp-two.key\n"


def test_what_git_ignores_already_is_left_alone(world: World) -> None:
    git(world.root, "init", "--quiet")
    (world.root / ".gitignore").write_text("*.key\n")
    ended = create(world)
    assert "gitignore" not in ended.err
    assert not (world.root / "credentials/.gitignore").exists()


@pytest.mark.parametrize("rules", ["/one.key\n!*.key\n", "!one.key", "# keys\n*.pem"])
def test_rules_beside_the_key_are_added_to_also_when_they_take_others_back(world: World, rules: str) -> None:
    git(world.root, "init", "--quiet")
    folder = world.root / "credentials"
    folder.mkdir()
    (folder / ".gitignore").write_text(rules)
    create(world)
    assert (folder / ".gitignore").read_text() == rules.rstrip("\n") + "\n/one.key\n/.tmp-one.key\n"
    assert git(folder, "check-ignore", "one.key").returncode == 0


def test_outside_of_git_the_key_is_kept_out_all_the_same(world: World) -> None:
    create(world)
    create(world, "--force")
    assert (world.root / "credentials/.gitignore").read_text() == "/one.key\n/.tmp-one.key\n"
    git(world.root, "init", "--quiet")
    assert git(world.root, "check-ignore", "credentials/one.key").returncode == 0


@settings(max_examples=25, deadline=None)
@given(st.text("*?[]!# \\ab-", min_size=1, max_size=8).filter(lambda name: name.strip("\\ ") == name))
def test_any_name_of_a_key_is_ignored_and_no_other(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "--quiet")
    key_files.keep_out_of_git(folder / name)
    assert git(folder, "check-ignore", "--quiet", "--", f"./{name}").returncode == 0
    assert git(folder, "check-ignore", "--quiet", "--", f"./{name}x").returncode == 1
    assert git(folder, "check-ignore", "--quiet", "--", "./other").returncode == 1


def test_a_key_that_git_has_already_is_never_written_again(world: World) -> None:
    git(world.root, "init", "--quiet")
    folder = world.root / "credentials"
    folder.mkdir()
    (folder / "one.key").write_text("committed by mistake")
    git(world.root, "add", "--all")
    git(world.root, "commit", "--quiet", "--message", "oops")
    ended = create(world, "--force")
    assert ended.code == 3
    assert "key-in-git" in ended.err
    assert (folder / "one.key").read_text() == "committed by mistake"


@pytest.mark.parametrize("name", ["one.key", "one.crt"])
def test_nothing_is_written_over_without_force(world: World, name: str) -> None:
    folder = world.root / "credentials"
    folder.mkdir()
    (folder / name).symlink_to("nowhere")
    ended = create(world)
    assert ended.code == 3
    assert f"{name} exists already" in ended.err
    assert "--directory" in ended.err
    assert [path.name for path in folder.iterdir()] == [name]
    assert create(world, "--force").code == 0
    assert not (folder / name).is_symlink()
    assert key_of(world).public_key() == certificate_of(world).public_key()


def test_the_pair_goes_where_the_portals_file_points(world: World) -> None:
    signing(
        world,
        "{type: certificate, public_certificate: {file: certs/contoso.pem}, private_key: {file: keys/contoso.pem}}",
    )
    ended = create(world)
    assert certificate_of(world, "certs/contoso.pem").public_key() == key_of(world, "keys/contoso.pem").public_key()
    assert (world.root / "keys/.gitignore").read_text() == "/contoso.pem\n/.tmp-contoso.pem\n"
    assert not (world.root / "certs/.gitignore").exists()
    assert f"the app {client_id(1)}" in ended.out


@pytest.mark.parametrize(
    "signs_in",
    [
        "{type: secret, secret: {file: one.secret}}",
        "{type: certificate, pfx: {file: one.pfx}, passphrase: {env: P}}",
        "{type: certificate, public_certificate: {env: A}, private_key: {env: B}}",
    ],
)
def test_where_the_portals_file_names_no_pair_it_goes_into_credentials(world: World, signs_in: str) -> None:
    signing(world, signs_in)
    assert create(world).code == 0
    assert certificate_of(world).public_key() == key_of(world).public_key()


@pytest.mark.parametrize(
    ("directory", "reference"),
    [("credentials/2027", "credentials/2027/one"), ("a b/{c}", '"a b/{c}/one'), ("ROOT/in", "in/one"), (".", "one")],
)
def test_a_directory_wins_over_the_portals_file_and_is_named_in_its_yaml(
    world: World, directory: str, reference: str
) -> None:
    signing(world, "{type: certificate, public_certificate: {file: a.crt}, private_key: {file: a.key}}")
    ended = create(world, "--directory", directory.replace("ROOT", str(world.root)))
    assert f"private_key: {{file: {reference}.key" in ended.out
    path = reference.strip('"')
    assert certificate_of(world, f"{path}.crt").public_key() == key_of(world, f"{path}.key").public_key()


def test_an_absolute_directory_elsewhere_is_named_in_full(world: World, tmp_path: Path) -> None:
    ended = create(world, "--directory", str(tmp_path / "run"))
    assert f"private_key: {{file: {tmp_path}/run/one.key}}" in ended.out
    assert stat.S_IMODE((tmp_path / "run/one.key").stat().st_mode) == 0o600


def test_a_directory_that_leads_out_of_the_repository_is_refused(world: World) -> None:
    ended = create(world, "--directory", "../elsewhere")
    assert ended.code == 1
    assert "leads out of the repository" in ended.err
    assert not (world.root.parent / "elsewhere").exists()


def test_a_link_that_leads_out_of_the_repository_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (world.root / "credentials").symlink_to(tmp_path / "elsewhere")
    ended = create(world)
    assert (ended.code, "path-outside" in ended.err) == (1, True)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_pair_that_cannot_be_written_whole_leaves_the_old_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    create(world)
    before = files_under(world.root / "credentials")
    real = os.open

    def full(path: str | Path, flags: int, mode: int = 0o777, **more: int) -> int:
        if Path(path).name == ".tmp-one.crt":
            raise OSError(28, "No space left on device")
        return real(path, flags, mode, **more)

    monkeypatch.setattr(os, "open", full)
    assert create(world, "--force").code == 1
    assert files_under(world.root / "credentials") == before


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(world: World) -> None:
    (world.root / "credentials").write_text("a file")
    ended = create(world)
    assert ended.code == 1
    assert "key-not-writable" in ended.err
    assert "Traceback" not in ended.err


def test_a_portal_without_a_file_is_made_ready_and_said_so(world: World) -> None:
    assert "There is no portals.d/one.yaml yet." in create(world).err
    world.portals(one=portal_yaml(1))
    assert "yet" not in create(world, "--force").err


@pytest.mark.parametrize(
    "arguments",
    [("../one",), ("One",), ("one", "--subject", ""), ("one", "--subject", "x" * 65), ("one", "--subject", "a\nb")],
)
def test_names_that_cannot_be_are_usage_errors(world: World, arguments: tuple[str, ...]) -> None:
    ended = world.run("certificate", "create", *arguments, emulate=False)
    assert ended.code == 64
    assert sorted(path.name for path in world.root.iterdir()) == ["portals.d"]


@pytest.mark.parametrize(
    ("cloud", "center"),
    [
        ("global", "https://entra.microsoft.com"),
        ("usgov", "https://portal.azure.us"),
        ("usgov-dod", "https://portal.azure.us"),
        ("china", "https://portal.azure.cn"),
    ],
)
def test_the_place_to_upload_is_that_of_the_portals_cloud(world: World, cloud: str, center: str) -> None:
    world.portals(one=portal_yaml(1, extra=f"cloud: {cloud}\n"))
    assert f"   {center}\n" in create(world).out


def test_the_yaml_is_valid_in_the_portals_file(world: World) -> None:
    out = create(world, "--directory", "it's: {odd}").out
    declared = yaml.safe_load(out.split("portals.d/one.yaml:\n")[1].split("\n3. ")[0])["authentication"]
    signing(world, json.dumps(declared))
    read = load(world.root, world.root / "portals.d").portals["one"].authentication
    assert getattr(read, "private_key", None) == Reference("file", "it's: {odd}/one.key")


# --- show ------------------------------------------------------------------------------------------------------------


def written(world: World, form: str) -> Path:
    """The same certificate, written down in one of four ways."""
    pair = key_pair()
    certificate = x509.load_pem_x509_certificate(pair.certificate_pem)
    key = serialization.load_pem_private_key(pair.private_key_pem, None)
    assert isinstance(key, RSAPrivateKey)
    content = {
        "pem": pair.certificate_pem,
        "both.pem": pair.private_key_pem + pair.certificate_pem,
        "der": certificate.public_bytes(serialization.Encoding.DER),
        "pfx": pkcs12.serialize_key_and_certificates(
            b"one", key, certificate, None, serialization.BestAvailableEncryption(b"canary-77")
        ),
    }
    path = world.root / f"shown.{form}"
    path.write_bytes(content[form])
    return path


@pytest.mark.parametrize("form", ["pem", "both.pem", "der", "pfx"])
def test_every_form_of_a_certificate_shows_the_same(world: World, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P", "canary-77")
    ended = show(world, written(world, form), "--format", "json", *(("--passphrase-env", "P") if form == "pfx" else ()))
    der = x509.load_pem_x509_certificate(key_pair().certificate_pem).public_bytes(serialization.Encoding.DER)
    assert json.loads(ended.out) == {
        "subject": "CN=registered",
        "issuer": "CN=registered",
        "not_before": "2020-01-01T00:00:00Z",
        "not_after": "2049-12-31T00:00:00Z",
        "key": {"type": "RSA", "bits": 2048},
        "thumbprints": {
            "sha1": hashlib.sha1(der).hexdigest().upper(),
            "sha256": hashlib.sha256(der).hexdigest().upper(),
        },
    }
    assert ended.err == ""


def test_the_text_shows_the_same_as_create_did(world: World) -> None:
    made = create(world).out
    ended = show(world, world.root / "credentials/one.crt")
    certificate = certificate_of(world)
    sha1, sha256 = (certificate.fingerprint(kind).hex().upper() for kind in (hashes.SHA1(), hashes.SHA256()))
    assert ended.out == (
        "Subject      CN=license-reconciler one\n"
        "Issuer       CN=license-reconciler one\n"
        "Valid from   2026-11-23 05:55:00 UTC\n"
        "Valid until  2027-11-23 06:00:00 UTC\n"
        "Key          RSA 2048\n"
        f"SHA-1        {sha1}\n"
        f"SHA-256      {sha256}\n"
    )
    assert re.findall("[0-9A-F]{40,}", made) == [sha1, sha256]


@pytest.mark.parametrize(
    ("now", "words"),
    [(datetime(2019, 1, 1, tzinfo=UTC), "00:00:00 UTC (not yet)"), (datetime(2050, 1, 1, tzinfo=UTC), "UTC (expired)")],
)
def test_a_certificate_out_of_its_time_says_so(world: World, now: datetime, words: str) -> None:
    ended = show(world, written(world, "pem"), now=now)
    assert ended.code == 0
    assert words in ended.out


def test_a_key_that_entra_does_not_take_is_pointed_out(world: World) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "\x1b[31mcurve\u202e")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=1))
    path = world.root / "curve.cer"
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
    text, document = show(world, path).out, show(world, path, "--format", "json").out
    assert "Key          EC 256 (Entra accepts RSA only)\n" in text
    assert not {"\x1b", "\u202e"} & set(text + document)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "neither PEM nor DER nor PFX"),
        (b"hello", "neither PEM nor DER nor PFX"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "neither PEM nor DER nor PFX"),
        (b"\x30\x82\x01\x00\x02\x01\x03", "a PFX that needs its passphrase"),
        (key_pair().private_key_pem, "a private key and no certificate"),
    ],
)
def test_a_file_without_a_certificate_is_an_error_that_says_what_it_is(
    world: World, content: bytes, words: str
) -> None:
    path = world.root / "file"
    path.write_bytes(content)
    ended = show(world, path)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: certificate-unreadable: ")
    assert words in ended.err
    assert "Internal" not in ended.err


def test_a_pfx_that_does_not_open_says_so_and_keeps_its_secrets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(world, "pfx")
    monkeypatch.setenv("P", "canary-wrong")
    assert "needs its passphrase: --passphrase-env NAME" in show(world, path).err
    wrong = show(world, path, "--passphrase-env", "P")
    assert "does not open with this passphrase" in wrong.err
    assert "canary" not in wrong.err


def test_a_private_key_beside_a_certificate_is_never_shown(world: World) -> None:
    ended = show(world, written(world, "both.pem"))
    assert ended.code == 0
    assert not any(line in ended.out for line in key_pair().private_key_pem.decode().splitlines()[1:-1])


@settings(deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=40).map(lambda data: b"\x30\x82\x02\x01\x03" + data))
def test_no_file_makes_anything_but_a_clear_error(data: bytes) -> None:
    with pytest.raises(ReconcileError) as raised:
        describe(data, Secret(b"x"))
    assert raised.value.code == "certificate-unreadable"


def test_a_key_pair_prints_as_nothing_secret() -> None:
    pair = make_key_pair("x", 2048, 1, NOW)
    assert pair.private_key.reveal().decode() not in repr(pair)
    assert "****" in repr(pair)
