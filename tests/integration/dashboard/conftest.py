"""The example program's records, served, and a browser that looks at them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from browsing import ARGUMENTS, CHROMIUM, Served, serving, visiting
from prunella.cli.example import copy_example, drive
from prunella.wiring.healer import Healer

#: What is to be seen on a page may take so long on a busy machine, in milliseconds.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example program, after its day of traffic."""
    root = copy_example(tmp_path_factory.mktemp("shop") / "shop")
    for _line in drive(root):
        pass
    with Healer(root=root, model="") as healer:
        healer.refresh()
    return root


@pytest.fixture(scope="session")
def served(shop: Path) -> Iterator[Served]:
    with serving(shop) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of one module.

    Not for the session: as long as it runs, its event loop counts as this thread's, and no other
    test could start one.
    """
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with visiting(browser, viewport={"width": 1280, "height": 900}) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that must not say anything in the console, nor fail."""
    page = context.new_page()
    page.set_default_timeout(60_000)
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    page.close()
    assert not said
