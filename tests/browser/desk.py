"""A student's desk: a page of JupyterLab in a browser, and an open notebook."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import nbformat
from lab_server import PATIENCE, Server
from nbformat import NotebookNode
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    expect,
)

PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"  # the tab in front
IDLE = f"{PANEL} .jp-Notebook-ExecutionIndicator[data-status='idle']"
expect.set_options(timeout=PATIENCE * 1000)

# Cells above may still get their outputs, and so their height: roll until nothing moves any more.
# (An output that is empty has no height, and is seen all the same.)
ROLL = """part => {
    const box = part.getBoundingClientRect();
    const view = part.closest(".jp-WindowedPanel-outer").getBoundingClientRect();
    const still = part.lastTop === box.top && part.lastHeight === box.height;
    const seen = box.top < view.bottom - Math.min(box.height, 100) && box.bottom >= view.top;
    if (still && seen) return true;
    part.scrollIntoView({block: "start"});
    const now = part.getBoundingClientRect();
    [part.lastTop, part.lastHeight] = [now.top, now.height];
    return false;
}"""


class Desk:
    """A page of JupyterLab, what there was to complain of, and pictures of it."""

    def __init__(self, context: BrowserContext, server: Server, shots: Path) -> None:
        self.server, self.shots = server, shots
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.page.on("request", self._watch)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"in the page: {error}"))

    def _watch(self, request: Request) -> None:
        if not request.url.startswith((self.server.url, "data:", "blob:", "about:")):
            self.complaints.append(f"outside of this machine: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page itself no longer wanted it
            self.complaints.append(f"{request.failure}: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def go(self, path: str = "/") -> None:
        """Open an address of the server, as one who was given the link."""
        self.page.goto(self.server.link(path))

    def shoot(self, name: str, part: Locator | None = None) -> None:
        """A picture of the page, or of a part of it."""
        self.shots.mkdir(parents=True, exist_ok=True)
        self.page.mouse.move(0, 0)
        clip = part.bounding_box() if part else None
        self.page.screenshot(path=self.shots / f"{name}.png", clip=clip)

    def menu(self, *words: str) -> None:
        """Choose from the menus, such as "Run", "Run All Cells"."""
        self.page.locator(".lm-MenuBar-item", has_text=words[0]).first.click()
        for word in words[1:]:
            self.page.locator(f".lm-Menu-itemLabel:text-is('{word}')").click()

    def confirm(self, word: str) -> None:
        """Press a button of the dialog, and see it go."""
        self.page.locator(".jp-Dialog-footer button", has_text=word).click()
        expect(self.page.locator(".jp-Dialog")).to_have_count(0)


def _wrote(response: Response) -> bool:
    return response.request.method == "PUT" and "/api/contents/" in response.url


class Sheet:
    """A notebook that is open on a desk; cells are known by their ids."""

    def __init__(self, desk: Desk, path: str) -> None:
        self.desk, self.page, self.path = desk, desk.page, desk.server.labs / path
        self.ids = [cell["id"] for cell in self.read()]
        self.cells = self.page.locator(f"{PANEL} .jp-Notebook .jp-Cell")
        expect(self.cells).to_have_count(len(self.ids))
        self.idle()

    def read(self) -> list[NotebookNode]:
        """The cells as the file holds them."""
        return nbformat.read(self.path, 4).cells

    def saved(self) -> dict[str, NotebookNode]:
        """Save, and read the cells by their ids."""
        with self.page.expect_response(_wrote):
            self.desk.menu("File", "Save Notebook")
        return {cell["id"]: cell for cell in self.read()}

    def cell(self, name: str) -> Locator:
        """The cell with this id, rolled into sight."""
        return self.roll(self.cells.nth(self.ids.index(name)))

    def roll(self, part: Locator) -> Locator:
        """A part of the notebook, rolled into sight."""
        self.page.wait_for_function(ROLL, arg=part.element_handle(), polling=50)
        return part

    def output(self, name: str) -> Locator:
        """What stands below a code cell, rolled into sight."""
        return self.roll(self.cell(name).locator(".jp-Cell-outputWrapper"))

    def idle(self) -> None:
        """Wait until the kernel is there and has nothing left to do."""
        self.page.wait_for_selector(IDLE)
        expect(self.waiting()).to_have_count(0)

    def waiting(self) -> Locator:
        """The marks of the cells that run or have yet to."""
        return self.cells.locator(".jp-InputPrompt", has_text="[*]")

    def start_all(self) -> None:
        """Run > Run All Cells; again where a notebook that has just opened took no notice."""
        for _ in range(3):
            self.desk.menu("Run", "Run All Cells")
            with suppress(AssertionError):
                expect(self.waiting()).not_to_have_count(0, timeout=PATIENCE / 4 * 1000)
                return
        raise AssertionError("no cell runs after Run > Run All Cells")

    def run_all(self) -> None:
        """Run > Run All Cells, and wait for the end."""
        self.start_all()
        self.idle()

    def write(self, name: str, text: str) -> None:
        """Replace all that stands in a code cell, and run it."""
        self.cell(name).locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)
        self.run(name)

    def write_above(self, name: str, text: str) -> None:
        """A new code cell above another, written and run."""
        self.cell(name).locator(".jp-InputPrompt").click()
        self.page.keyboard.press("a")
        expect(self.cells).to_have_count(len(self.ids) + 1)
        self.ids.insert(self.ids.index(name), text)
        self.write(text, text)

    def run(self, name: str) -> None:
        """Shift+Enter in a code cell, and wait for its end."""
        cell = self.cell(name)
        mark = cell.locator(".jp-InputPrompt")
        before = mark.inner_text()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        expect(mark).not_to_have_text(before)
        self.idle()
