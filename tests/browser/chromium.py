"""The browser of the tests: one that is on this machine, since tests download none.

A plugin: `pytest_plugins = ["chromium"]`. It goes with the tests of one file: as long as it is
there, an event loop runs in this process, and nothing else can start one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-quic", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
)
NONE_HERE = (
    "no Chromium, Chrome or Edge is on this machine: install one, such as by "
    "`.venv/bin/playwright install chromium` or `apt-get install chromium`"
)


def find_browser(playwright: Playwright) -> str | None:
    """Chromium, Chrome or Edge on this machine, or the Chromium that Playwright installed."""
    found = (shutil.which(name) for name in BROWSERS)
    own = Path(playwright.chromium.executable_path)
    return next(filter(None, found), None) or (str(own) if own.is_file() else None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser that runs; skips the test where there is none."""
    with sync_playwright() as playwright:
        path = find_browser(playwright)
        if path is None:
            pytest.skip(NONE_HERE)
        yield (running := playwright.chromium.launch(executable_path=path, args=list(FLAGS)))
        running.close()
