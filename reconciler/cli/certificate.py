"""``reconcile certificate``: make the key pair that a portal signs in with, and show what a certificate says."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.logs import say
from reconciler.cli.output import format_option

if TYPE_CHECKING:
    from reconciler.certificates.description import Description
    from reconciler.certificates.key_files import KeyFiles
    from reconciler.model import Portal
    from reconciler.secret import Secret


@click.group("certificate", short_help="Make and show certificates to sign in with.")
def command() -> None:
    """Certificates to sign in with: make a key pair for a portal, show what a certificate says."""


@command.command(short_help="Make the key pair that a portal signs in with.")
@click.argument("portal_id", metavar="ID")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it is valid.")
@click.option(
    "--bits", type=click.IntRange(2048, 8192), default=3072, show_default=True, help="The size of the RSA key."
)
@click.option("--subject", metavar="CN", help="The certificate's common name.  [default: license-reconciler ID]")
@click.option("--passphrase-env", metavar="NAME", help="Encrypt the private key with the passphrase in this variable.")
@click.option(
    "--directory",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where both files go.  [default: where the portal's file points, else credentials]",
)
@click.option("--force", is_flag=True, help="Write over files that exist.")
@click.pass_obj
def create(
    invocation: Invocation,
    portal_id: str,
    days: int,
    bits: int,
    subject: str | None,
    passphrase_env: str | None,
    directory: Path | None,
    *,
    force: bool,
) -> None:
    """Make an RSA key and a self-signed certificate for the portal ID, and say where to upload which.

    The private key is for its owner's eyes only, and ignored by git. Nothing is sent anywhere.
    """
    from reconciler.certificates import key_files
    from reconciler.certificates.description import describe
    from reconciler.certificates.key_pair import make_key_pair

    name = _common_name(subject, portal_id)
    portal = _portal(invocation, portal_id)
    files = key_files.key_files(invocation.root, portal_id, portal, directory)
    passphrase = _passphrase(invocation, passphrase_env)
    if not force:
        key_files.check_free(files)
    ignoring = key_files.keep_out_of_git(files.private_key)
    pair = make_key_pair(name, bits, days, invocation.now(), passphrase)
    key_files.write_pair(files, pair)
    if ignoring and not invocation.quiet:
        say(f"Wrote {key_files.reference_to(ignoring, invocation.root)}: git ignores the private key.")
    made = describe(pair.certificate)
    click.echo("\n".join(_told(invocation, portal_id, portal, files, made, passphrase_env)))


def _portal(invocation: Invocation, portal_id: str) -> Portal | None:
    """The declared portal, or None for one whose file is still to be written."""
    from reconciler.cli.session import load_desired

    declared = load_desired(invocation).portals if invocation.portals().is_dir() else {}
    if portal_id in declared:
        return declared[portal_id]
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", portal_id):  # it will name files
        raise click.UsageError(f"{portal_id!r} cannot be a portal's ID: the stem of its file, in lower case.")
    if not invocation.quiet:
        say(f"There is no portals.d/{portal_id}.yaml yet.")
    return None


def _common_name(subject: str | None, portal_id: str) -> str:
    """The name in the certificate, which may have 64 characters (RFC 5280, ub-common-name)."""
    name = f"license-reconciler {portal_id}"[:64] if subject is None else subject
    if not 1 <= len(name) <= 64 or not name.isprintable() or not name.strip():
        raise click.UsageError("--subject takes 1 to 64 printable characters.")
    return name


def _passphrase(invocation: Invocation, variable: str | None) -> Secret | None:
    """The passphrase in a variable. Raises SecretUnresolved when there is none."""
    if variable is None:
        return None
    from reconciler.config.references import resolve
    from reconciler.graph.references import text_of
    from reconciler.model import Reference
    from reconciler.secret import Secret

    reference = Reference("env", variable)
    return Secret(text_of(reference, lambda named: resolve(named, invocation.root, os.environ)).encode())


def _told(
    invocation: Invocation,
    portal_id: str,
    portal: Portal | None,
    files: KeyFiles,
    made: Description,
    passphrase_env: str | None,
) -> Iterator[str]:
    """What was made, and what to do with it."""
    from reconciler.certificates.key_files import reference_to
    from reconciler.graph.clouds import ENDPOINTS
    from reconciler.model import Cloud

    public, private = (reference_to(path, invocation.root) for path in (files.certificate, files.private_key))
    yield f"Made a key pair for {portal_id}: {made.key_type} {made.bits}, until {made.not_after:%Y-%m-%d}."
    yield ""
    yield f"  certificate  {public}  (public: upload it; it may be committed)"
    yield f"  private key  {private}  (secret: only you may read it, and git ignores it)"
    yield ""
    yield f"  SHA-1    {made.sha1}"
    yield f"  SHA-256  {made.sha256}"
    yield ""
    yield "1. Upload the certificate. The app's other credentials stay, so nothing stops working."
    app = f"the app {portal.client_id}" if portal else "the portal's app"
    yield f"   https://{ENDPOINTS[portal.cloud if portal else Cloud.GLOBAL].admin_center}"
    yield f"   > App registrations > All applications > {app}"
    yield f"   > Certificates & secrets > Certificates > Upload certificate: {public}"
    yield f"2. Have this in portals.d/{portal_id}.yaml:"
    yield ""
    yield "   authentication:"
    yield "     type: certificate"
    yield f"     public_certificate: {{file: {_yaml(public)}}}"
    yield f"     private_key: {{file: {_yaml(private)}}}"
    if passphrase_env:
        yield f"     passphrase: {{env: {_yaml(passphrase_env)}}}"
    yield ""
    yield f"3. Check: reconcile test-connection {portal_id}"


def _yaml(text: str) -> str:
    """Text inside braces in YAML: as it is, or in quotes, in which JSON is YAML too."""
    return text if re.fullmatch(r"[A-Za-z_./][\w./-]*", text, re.ASCII) else json.dumps(text)


@command.command(short_help="Show what a certificate says.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--passphrase-env", metavar="NAME", help="Open a PFX with the passphrase in this variable.")
@format_option("certificate show", "How to print it.")
@click.pass_obj
def show(invocation: Invocation, file: Path, passphrase_env: str | None, *, form: str) -> None:
    """Show subject, dates, key and thumbprints of the certificate in FILE: PEM, DER or PFX.

    The thumbprints are those that Entra shows beside an uploaded certificate. A private key is never shown.
    """
    from reconciler.certificates.description import describe

    shown = describe(file.read_bytes(), _passphrase(invocation, passphrase_env))
    if form == "json":
        click.echo(json.dumps(_document(shown), indent=2))
    else:
        click.echo("\n".join(f"{name:<11}  {value}" for name, value in _rows(shown, invocation.now())))


def _rows(shown: Description, now: datetime) -> Iterator[tuple[str, str]]:
    """A certificate for people. Its names come from outside."""
    from reconciler.render.escape import plain

    early = " (not yet)" if now < shown.not_before else ""
    late = " (expired)" if now > shown.not_after else ""
    unusable = "" if shown.key_type == "RSA" else " (Entra accepts RSA only)"
    yield "Subject", plain(shown.subject)
    yield "Issuer", plain(shown.issuer)
    yield "Valid from", f"{shown.not_before:%Y-%m-%d %H:%M:%S} UTC{early}"
    yield "Valid until", f"{shown.not_after:%Y-%m-%d %H:%M:%S} UTC{late}"
    yield "Key", f"{shown.key_type} {shown.bits or ''}".rstrip() + unusable
    yield "SHA-1", shown.sha1
    yield "SHA-256", shown.sha256


def _document(shown: Description) -> dict[str, Any]:
    """A certificate for programs. JSON as it is written here holds no character that acts on a terminal."""
    return {
        "subject": shown.subject,
        "issuer": shown.issuer,
        "not_before": f"{shown.not_before:%Y-%m-%dT%H:%M:%SZ}",
        "not_after": f"{shown.not_after:%Y-%m-%dT%H:%M:%SZ}",
        "key": {"type": shown.key_type, "bits": shown.bits},
        "thumbprints": {"sha1": shown.sha1, "sha256": shown.sha256},
    }
