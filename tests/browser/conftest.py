"""One server and one browser for all tests of a file.

`make test` deals out tests in order, a stretch to each process: the few of this folder come first
and stay together. Where they do not, each process has a server of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from desk import Desk
from lab_server import SHOTS, Server
from playwright.sync_api import Browser, BrowserContext


@pytest.fixture(scope="module")
def context_and_server(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[BrowserContext, Server]]:
    """A browser, and JupyterLab.

    The tests share what the browser keeps of JupyterLab's scripts: a page opens in half the time.
    """
    server = Server(tmp_path_factory.mktemp("jupyterlab"))
    try:
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
