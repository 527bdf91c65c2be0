"""The browser that the tests of the page use: the system's Chromium, never a downloaded one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with a home of its own that asks nobody for anything."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: see CONTRIBUTING.md")
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
    home = str(tmp_path_factory.mktemp("chromium"))
    environment: dict[str, str | float | bool] = {"HOME": home, "PATH": os.environ["PATH"], "TZ": "UTC"}
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *quiet], env=environment
        )
        yield started
        started.close()
