"""Outputs without drawing, and a browser that opens their pages as people do: from files, without a network."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from outputs import Output

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture
def output(tmp_path: Path) -> Output:
    (tmp_path / "out").mkdir()
    return Output(tmp_path / "out")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Viewer:
    """Opens pages, and keeps what went wrong and what was asked for."""

    browser: Any
    troubles: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    contexts: list[Any] = field(default_factory=list)

    def open(self, path: Path, *, script: str = "", address: str = "", within: Any = None, **options: Any) -> Any:
        """A page in a window of its own, or ``within`` an earlier one's, once its scripts have run.

        ``script`` is run before them, ``address`` is what follows the file's; options are the window's.
        """
        if within is None:
            within = self.browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **options})
            self.contexts.append(within)
        page = within.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda said: self.troubles.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", lambda request: self._failed(request))
        if script:
            page.add_init_script(script)
        page.goto(path.as_uri() + address)
        return page

    def _failed(self, request: Any) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # the page let go of it
            self.troubles.append(f"{request.url}: {request.failure}")

    def loaded(self, ending: str) -> list[str]:
        """What was asked for so far, by its ending."""
        return [url for url in self.requests if url.endswith(ending)]


@pytest.fixture
def viewer(browser: Any, tmp_path: Path) -> Iterator[Viewer]:  # tmp_path is removed after the pages are closed
    """Fails the test if a page had errors, or asked for anything but files beside it."""
    made = Viewer(browser)
    yield made
    for context in made.contexts:
        context.close()
    assert made.troubles == []
    assert [url for url in made.requests if not url.startswith(("file:", "data:", "blob:file:"))] == []
