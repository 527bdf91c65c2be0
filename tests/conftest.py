"""What holds for every test: no home directory, no proxy, no options or credentials from outside."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

_OUTSIDE = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "MSAL_FORCE_REGION")


_OUTSIDE_PREFIXES = ("RECONCILE_", "REQUESTS_", "CURL_", "GITHUB_", "GITLAB_", "CI_", "BUILD_", "SYSTEM_", "TF_BUILD")
"""The last six are those of a CI that runs the tests: in a pull request the product behaves otherwise."""


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    home: Path = tmp_path_factory.mktemp("home", numbered=True)
    home.chmod(0o500)
    monkeypatch.setenv("HOME", str(home))
    for name in list(os.environ):
        if name.upper() in _OUTSIDE or name.startswith(_OUTSIDE_PREFIXES):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """A command sets the product's log up for the process, which here goes on."""
    logger = logging.getLogger("reconciler")
    before = (logger.handlers, logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = before
