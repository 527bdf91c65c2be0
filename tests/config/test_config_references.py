"""Resolving references to secrets: the value, or an error that names the reference and never the value."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.references import MAX_BYTES, resolve
from reconciler.errors import SecretUnresolved
from reconciler.model import Reference

VALUE = "canary-7Qx~value"


def why(reference: Reference, root: Path, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(SecretUnresolved) as caught:
        resolve(reference, root, environ or {})
    assert caught.value.code == "secret-unresolved"
    assert caught.value.remedy
    return str(caught.value)


def test_a_variable_gives_its_value(tmp_path: Path) -> None:
    assert resolve(Reference("env", "CONTOSO_SECRET"), tmp_path, {"CONTOSO_SECRET": VALUE}).text() == VALUE


def test_a_file_gives_its_bytes_relative_to_the_repository_or_absolute(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "contoso").write_bytes(b"\x00\xff\n")
    for name in ("secrets/contoso", "secrets/../secrets/contoso", str(tmp_path / "secrets" / "contoso")):
        assert resolve(Reference("file", name), tmp_path, {}).reveal() == b"\x00\xff\n"
    assert resolve(Reference("file", str(tmp_path / "secrets" / "contoso")), tmp_path / "secrets", {})


@pytest.mark.parametrize(("environ", "reason"), [({}, "not set"), ({"X": ""}, "empty"), ({"X": " \n"}, "empty")])
def test_a_variable_without_a_value_says_so(environ: dict[str, str], reason: str, tmp_path: Path) -> None:
    message = why(Reference("env", "X"), tmp_path, environ)
    assert "{env: X}" in message
    assert reason in message


def test_a_file_that_is_no_good_says_why(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "largest").write_bytes(b"x" * MAX_BYTES)
    (tmp_path / "large").write_bytes(b"x" * (MAX_BYTES + 1))
    (tmp_path / "loop").symlink_to("loop")
    assert "no such file" in why(Reference("file", "missing"), tmp_path)
    assert "key vault" in why(Reference("keyvault", "contoso/secret"), tmp_path)
    assert "empty" in why(Reference("file", "empty"), tmp_path)
    assert "folder" in why(Reference("file", "folder"), tmp_path)
    assert "64 KiB" in why(Reference("file", "large"), tmp_path)
    assert "cannot be read" in why(Reference("file", "loop"), tmp_path)
    assert "cannot be read" in why(Reference("file", "nul\0"), tmp_path)
    assert "{file: missing}" in why(Reference("file", "missing"), tmp_path)
    assert len(resolve(Reference("file", "largest"), tmp_path, {}).reveal()) == MAX_BYTES


def test_a_file_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(VALUE)

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything
    message = why(Reference("file", "contoso"), tmp_path)
    assert "may not be read" in message
    assert VALUE not in message


def test_a_relative_path_stays_in_the_repository(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    (tmp_path / "outside").write_text(VALUE)
    (root / "link").symlink_to("../outside")
    for name in ("../outside", "link", "x/../../outside", "../repository-2/x"):
        message = why(Reference("file", name), root)
        assert "out of the repository" in message
        assert VALUE not in message


def test_a_reference_is_shown_with_escapes(tmp_path: Path) -> None:
    assert why(Reference("env", "\x1b[31m"), tmp_path).isprintable()
