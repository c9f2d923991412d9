"""What people need of a page, on screens of all sorts."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: What people need, on screens of all sorts.
_RULES: dict[str, object] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
}


def is_for_everybody(page: Page) -> None:
    """Fail where axe objects to the page, in either scheme, or where a phone has to scroll sideways."""
    _obeys(page, _RULES)
    page.emulate_media(color_scheme="dark")
    _obeys(page, {"runOnly": {"type": "rule", "values": ["color-contrast"]}})
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def _obeys(page: Page, rules: dict[str, object]) -> None:
    found = Axe().run(page, options=rules)
    assert not found.response["violations"], found.generate_report()
