"""A server with users, in a browser: in, around by role, and out."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accessible import is_for_everybody
from browsing import Served, awake, serving, visiting
from builders import process, site
from prunella.model.directory import EVERYWHERE, Role
from prunella.model.rollouts import RolloutState
from prunella.server.people import People
from prunella.wiring.directory import open_directory
from prunella.wiring.healer import Healer
from recorded import a_call, an_occurrence

PASSWORD = "correct horse battery"  # noqa: S105 - nobody's
ROLES = {
    "vic": {"local": Role.VIEWER},
    "ada": {"local": Role.ADMIN},
    "root": {EVERYWHERE: Role.ADMIN},
}
FIX = {
    "fix_id": "fix-averages",
    "fix_type": "retry",
    "target": {"sites": ["shop.prices:average"]},
    "config": {"max_retries": 2},
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on which somebody of each role may log in."""
    root = tmp_path_factory.mktemp("guarded")
    (root / "pyproject.toml").write_text("")
    with Healer(root=root) as healer:
        healer.make_store()
        records = [process(), site(), a_call(), an_occurrence()]
        healer.store.ingest(records, spool_name="s", end_offset=1)
        healer.fixes.add(FIX)
    directory = open_directory(root)
    for name, roles in ROLES.items():
        People(directory, actor="the test").add_person(name, roles, password=PASSWORD)
    directory.close()
    with serving(root, "--auth") as found:
        yield found


def fill(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def log_in(page: Page, served: Served, name: str, path: str = "/") -> None:
    page.goto(f"{served.url}{path}")
    fill(page, name)
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_in_and_out(context: BrowserContext, guarded: Served) -> None:
    """Led to the login, refused with a wrong password, let in with the right one, back, and out."""
    page = context.new_page()
    page.goto(f"{guarded.home}/settings")
    expect(page).to_have_url(re.compile(r"/login\?next=%2Fp%2Flocal%2Fsettings$"))
    fill(page, "vic", "a wrong password")
    expect(page.get_by_role("alert")).to_have_text("the name or the password is wrong")
    expect(page.get_by_label("Name")).to_have_value("vic")
    assert not sessions(context)
    fill(page, "vic")
    expect(page).to_have_url(f"{guarded.home}/settings")
    (session,) = sessions(context)
    assert session["httpOnly"]
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{guarded.url}/login")
    assert not sessions(context)
    page.goto(f"{guarded.home}/settings")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    context.add_cookies([session])  # somebody kept it: it is void
    page.goto(f"{guarded.home}/settings")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


def sessions(context: BrowserContext) -> list:
    return [each for each in context.cookies() if each["name"] == "prunella_session"]


def test_pages_are_those_of_the_role(context: BrowserContext, guarded: Served) -> None:
    """A viewer has neither buttons nor the admins' pages, and is told so at their addresses."""
    page = context.new_page()
    log_in(page, guarded, "vic", "/p/local/fixes/fix-averages")
    expect(page.get_by_role("heading", level=1)).to_contain_text("fix-averages")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    expect(page.get_by_role("link", name="Access")).to_have_count(0)
    for path in ("/p/local/access", "/server/users"):
        page.goto(f"{guarded.url}{path}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Not allowed")


def test_an_admin_makes_a_key_and_ends_it(page: Page, guarded: Served) -> None:
    """The key is shown by the page that made it; ending it asks once more."""
    log_in(page, guarded, "ada")
    awake(page)
    page.keyboard.press("g")
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Access")
    is_for_everybody(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    keys = page.get_by_role("region", name="Keys")
    keys.get_by_label("Name").fill("checkout")
    keys.get_by_role("button", name="Make a key").click()
    expect(page.get_by_label("Key", exact=True)).to_have_value(re.compile("^prk_[0-9a-f]{32}$"))
    is_for_everybody(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{guarded.home}/access")
    expect(page.get_by_label("Key", exact=True)).to_have_count(0)
    page.once("dialog", lambda dialog: dialog.accept())
    keys.get_by_role("row", name="checkout").get_by_role("button", name="End").click()
    expect(page.get_by_role("status")).to_contain_text("The key has ended")
    expect(keys.get_by_role("row", name="checkout")).to_have_count(0)


def test_the_servers_pages_are_for_everybody(page: Page, guarded: Served) -> None:
    """Its admin finds them from any page, and axe finds nothing to object to."""
    log_in(page, guarded, "root")
    page.get_by_role("link", name="Server").click()
    for name in ("Users", "Projects", "Tokens", "Audit"):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(page.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")
        is_for_everybody(page)


def test_an_invited_user_comes_in(browser: Browser, page: Page, guarded: Served) -> None:
    """The link that an admin is shown lets somebody set a password, and they are in."""
    log_in(page, guarded, "root", "/server/users")
    page.get_by_label("Name").fill("ben")
    page.get_by_role("button", name="Add a user").click()
    link = page.get_by_label("Invitation").input_value()
    with visiting(browser) as context:
        theirs = context.new_page()
        theirs.goto(link)
        theirs.get_by_label("Choose a password").fill(PASSWORD)
        theirs.get_by_label("Once more").fill(PASSWORD)
        theirs.get_by_role("button", name="Set it and log in").click()
        expect(theirs.get_by_role("button", name="Log out")).to_have_attribute("title", "ben")


def test_a_session_that_ends_ends_the_pages_stream(
    browser: Browser, context: BrowserContext, guarded: Served
) -> None:
    """A page that is open when its user is logged out hears no more, and asks to log in by itself."""
    page = context.new_page()
    log_in(page, guarded, "ada")
    expect(page.locator("#live")).to_have_text("live")
    with visiting(browser) as another:  # the same session, logged out in another window
        another.add_cookies(sessions(context))
        elsewhere = another.new_page()
        elsewhere.goto(f"{guarded.home}/alerts")
        elsewhere.get_by_role("button", name="Log out").click()
        expect(elsewhere).to_have_url(f"{guarded.url}/login")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


def test_whoever_has_the_link_approves(page: Page, guarded: Served) -> None:
    """Without a login the page shows what is asked; a button answers, once."""
    with Healer(root=guarded.root) as healer:
        token = healer.approvals.link("fix-averages").token
    link = f"{guarded.url}/approve/local/{token}"
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("May this fix act?")
    is_for_everybody(page)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("fix-averages is approved")
    with Healer(root=guarded.root) as healer:
        assert healer.store.rollout("fix-averages").state is RolloutState.TESTING
