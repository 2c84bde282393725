"""One server and one browser for all tests of the folder.

`make test` deals out tests in order, a stretch to each process: the few of this folder come first
and stay together. Where they do not, each process has a server of its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import Desk
from lab_server import ROOT, Server
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

SHOTS = Path(os.environ.get("COURSE_SHOTS") or ROOT / "build/shots")
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


@pytest.fixture(scope="session")
def playwright_and_path() -> Iterator[tuple[Playwright, str]]:
    """Playwright, and a browser that is on this machine: the tests download none."""
    with sync_playwright() as playwright:
        path = find_browser(playwright)
        if path is None:
            pytest.skip(NONE_HERE)
        yield playwright, path


@pytest.fixture(scope="session")
def browser(playwright_and_path: tuple[Playwright, str]) -> Iterator[Browser]:
    """The browser."""
    playwright, path = playwright_and_path
    browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def context_and_server(
    playwright_and_path: tuple[Playwright, str],
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[BrowserContext, Server]]:
    """The browser, and JupyterLab.

    The tests share what the browser keeps of JupyterLab's scripts: a page opens in half the time.
    """
    server = Server(tmp_path_factory.mktemp("jupyterlab"))  # it starts while the browser does
    try:
        browser = request.getfixturevalue("browser")
        server.wait()
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        yield context, server
        context.close()
    finally:
        server.stop()


@pytest.fixture
def desk(
    context_and_server: tuple[BrowserContext, Server], request: pytest.FixtureRequest
) -> Iterator[Desk]:
    """A page for one test. Errors in it, and requests that fail or leave this machine, fail it."""
    context, server = context_and_server
    desk = Desk(context, server, SHOTS)
    failed_before = request.session.testsfailed
    try:
        yield desk
        if request.session.testsfailed > failed_before:
            desk.shoot(f"failed-{request.node.name}")
            shutil.copy(server.log, SHOTS)
    finally:
        desk.page.close()
        server.tidy()
    assert desk.complaints == []
    assert not server.reached_out(), "JupyterLab or a kernel asked for something in the network"
