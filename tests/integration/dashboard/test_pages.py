"""Every page: shown, accessible, usable on a phone and by keys, and without a word in the console."""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from accessible import is_for_everybody
from browsing import Served, awake, visiting

PAGES = (
    "/",
    "/incidents",
    "/incidents?q=pricing&status=open",
    "/incidents?q=nothing-is-like-that",
    "/fixes",
    "/fixes?tab=candidates",
    "/sites",
    "/sites/shop.pricing%3Aredeem",
    "/cases",
    "/alerts",
    "/audit",
    "/settings",
    "/doctor?look=1",
)


def _an_incident(page: Page, served: Served, name: str = "redeem") -> str:
    page.goto(f"{served.home}/incidents?q={name}")
    return page.locator("[data-item]").first.get_attribute("href") or ""


@pytest.mark.parametrize("path", PAGES)
def test_every_pageis_for_everybody(page: Page, served: Served, path: str) -> None:
    """axe finds nothing to object to, in either scheme; on a phone nothing makes the page wider."""
    page.emulate_media(color_scheme="light")
    page.goto(f"{served.home}{path}")
    is_for_everybody(page)


def test_an_incidents_pageis_for_everybody(page: Page, served: Served) -> None:
    """So does the longest page."""
    page.goto(f"{served.url}{_an_incident(page, served)}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("shop.pricing:redeem")
    is_for_everybody(page)


def test_a_page_that_is_not_there_says_so(context, served: Served) -> None:
    """An unknown address and an unknown incident are answered by a page, not by JSON."""
    page = context.new_page()
    for path in ("/nothing", "/incidents/inc_nothing", "/fixes/fix-nothing", "/sites/nothing"):
        answer = page.goto(f"{served.home}{path}")
        assert answer is not None
        assert answer.status == 404
        expect(page.get_by_role("heading", level=1)).to_have_text("Not found")


def test_keys_find_open_and_go(page: Page, served: Served) -> None:
    """``/`` searches, ``j`` and ``k`` go through a list, ``g`` goes to a page, ``?`` tells the keys."""
    page.goto(f"{served.home}/incidents")
    awake(page)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Text")).to_be_focused()
    page.keyboard.type("redeem")
    expect(page.locator("#batch-form [data-item]")).to_have_count(1)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("[data-item]").first).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_text("1 chosen")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("shop.pricing:redeem")
    awake(page)
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Fixes")
    awake(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_the_first_stop_of_the_tabulator_skips_the_frame(page: Page, served: Served) -> None:
    """The skip link is first, visible when it is focused, and leads to the content."""
    page.goto(f"{served.home}/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_a_chosen_theme_stays(page: Page, served: Served) -> None:
    """The button changes the scheme, for the next page as well, also where no script runs before it."""
    page.emulate_media(color_scheme="light")
    page.goto(f"{served.home}/")
    awake(page)
    page.get_by_role("button", name="Light or dark").click()
    page.goto(f"{served.home}/incidents")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("meta[name=color-scheme]")).to_have_attribute("content", "dark")


def test_filters_narrow_and_are_in_the_address(page: Page, served: Served) -> None:
    """What is filtered can be sent to somebody: the address has it."""
    page.goto(f"{served.home}/incidents")
    page.get_by_role("combobox", name="Code").fill("CODE.KEY")
    page.keyboard.press("Enter")
    expect(page.locator("[data-item]")).to_have_count(2)
    page.reload()
    expect(page.locator("[data-item]")).to_have_count(2)
    page.get_by_role("link", name="Clear").click()
    expect(page.locator("[data-item]").nth(5)).to_be_visible()


def test_what_is_filtered_before_scripts_are_there_is_filtered_by(
    context: BrowserContext, served: Served
) -> None:
    """A page that is seen can be used: what was typed or chosen meanwhile isn't lost."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    context.route("**/pages.js*", hold)
    page = context.new_page()
    page.goto(f"{served.home}/incidents")
    page.get_by_role("combobox", name="Code").fill("CODE.KEY")
    page.keyboard.press("Enter")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.locator("[data-item]")).to_have_count(2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a division by zero occurred", "average_basket"),
        ("wrong encoding of an umlaut", "decode_feed"),
        ("too many recursions", "breadcrumbs"),
    ],
)
def test_incidents_are_found_by_meaning(page: Page, served: Served, text: str, found: str) -> None:
    """Where no incident has the words, those that are near to them are shown."""
    page.goto(f"{served.home}/incidents?q={text}")
    expect(page.get_by_text("No incident is like that.")).to_be_visible()
    near = page.locator("h2:has-text('Near to what you typed') + ul [data-item]")
    expect(near.first).to_contain_text(found)


def test_words_of_nothing_find_nothing(page: Page, served: Served) -> None:
    """What is near to no incident says so, and what to do."""
    page.goto(f"{served.home}/incidents?q=qqq+zzz")
    expect(page.get_by_text("No incident is like that.")).to_be_visible()
    expect(page.locator("[data-item]")).to_have_count(0)


def test_pages_work_without_scripts(browser: Browser, served: Served) -> None:
    """Scripts make pages live; what they show and do doesn't need any."""
    with visiting(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{served.home}/incidents?q=redeem")
        page.locator("[data-item]").first.click()
        page.get_by_role("button", name="Ignore").click()
        expect(page.get_by_role("status")).to_contain_text("is ignored")
        page.get_by_role("button", name="Reopen").click()
        expect(page.get_by_role("status")).to_contain_text("is open again")


def test_what_draws_is_loaded_where_there_is_something_to_draw(page: Page, served: Served) -> None:
    """A chart is drawn, once; a page without one loads nothing for it."""
    page.goto(f"{served.home}/audit")
    awake(page)
    drawing = "typeof uPlot !== 'undefined'"
    assert page.evaluate(drawing) is False
    page.goto(f"{served.home}/")
    expect(page.locator("#trend canvas")).to_have_count(1)
    assert page.evaluate(drawing) is True


def test_a_first_view_waits_for_nothing(page: Page, served: Served) -> None:
    """Until it is painted, for a second at the most, a page fetches nothing but itself."""
    page.goto(f"{served.home}/incidents")
    awake(page)
    fetched = page.evaluate(
        "performance.getEntriesByType('resource')"
        ".filter(each => ['script', 'link', 'css'].includes(each.initiatorType))"
        ".filter(each => !each.name.includes('icon.svg'))"
        ".map(each => each.startTime)"
    )
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert fetched
    assert min(fetched) >= min(painted, 1000)
