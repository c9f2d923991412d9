"""From an incident to a pull request, and from a candidate to a rollback, by clicks alone."""

import json
import subprocess

from playwright.sync_api import Browser, BrowserContext, Page, expect

from browsing import Served, awake, visiting
from prunella.model.incidents import IncidentStatus
from prunella.model.rollouts import RolloutState
from prunella.wiring.healer import Healer

#: Healing runs recorded calls and the project's tests.
_HEALED_MS = 180_000
_SITE = "shop.pricing:to_euro"
_DOCUMENT = {
    "fix_id": "fix-rates",
    "fix_type": "retry",
    "target": {"sites": [_SITE]},
    "config": {"max_retries": 2, "initial_delay_ms": 100},
}


def _open_incident(page: Page, served: Served, name: str) -> None:
    page.goto(f"{served.home}/incidents?q={name}")
    page.locator("[data-item]").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def test_from_an_incident_to_a_pull_request(page: Page, served: Served) -> None:
    """One click heals: the job's progress shows live, then the proven patch, then the branch."""
    _open_incident(page, served, "redeem")
    page.get_by_role("button", name="Heal").click()
    expect(page.get_by_role("status")).to_contain_text("has begun")
    page.locator(".candidate .tag.proven").first.wait_for(timeout=_HEALED_MS)
    expect(page.get_by_role("heading", name="Diagnosis")).to_be_visible()
    expect(page.locator(".diff .add").first).to_contain_text("voucher.get")
    expect(page.locator(".matrix")).to_be_visible()
    page.get_by_role("button", name="Open pull request").click()
    branch = page.get_by_role("region", name="Published").locator(".mono").first
    expect(branch).to_contain_text("prunella/fix-redeem", timeout=_HEALED_MS)
    name = branch.inner_text()
    found = subprocess.run(
        ["git", "branch", "--list", name],
        cwd=served.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert name in found.stdout
    page.goto(f"{served.home}/")
    expect(page.get_by_role("region", name="Waits for you")).to_contain_text("redeem")
    page.goto(f"{served.home}/cases")
    expect(page.locator(".case").first).to_contain_text("shop.pricing:redeem")


def test_from_a_candidate_to_a_rollback(page: Page, served: Served) -> None:
    """A document becomes a candidate, a canary, paused, resumed, rolled back; the history has all."""
    page.goto(f"{served.home}/fixes")
    page.get_by_text("Add a fix").click()
    page.get_by_label("Document, as JSON").fill(json.dumps(_DOCUMENT))
    page.get_by_role("button", name="Keep it as a candidate").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("candidate")
    page.get_by_label("Why", exact=True).first.fill("rates fail now and then")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("testing")
    expect(page.locator(".ramp .here")).to_contain_text("canary")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("paused")
    page.get_by_role("button", name="Resume").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Roll back").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("rolled back")
    history = page.get_by_role("region", name="History")
    for step in ("fix.proposed", "fix.approved", "rollout.paused", "rollout.rolled_back"):
        expect(history).to_contain_text(step)
    expect(history).to_contain_text("rates fail now and then")
    page.goto(f"{served.home}/audit?q=fix-rates")
    with Healer(root=served.root) as healer:
        assert healer.fixes.story("fix-rates").rollout.state is RolloutState.ROLLED_BACK


def test_a_document_that_is_wrong_says_where(context: BrowserContext, served: Served) -> None:
    """A document that is refused changes nothing, and the page names the key."""
    page = context.new_page()
    page.goto(f"{served.home}/fixes")
    page.get_by_text("Add a fix").click()
    bad = _DOCUMENT | {"fix_id": "fix-bad", "config": {"max_retries": -1}}
    page.get_by_label("Document, as JSON").fill(json.dumps(bad))
    page.get_by_role("button", name="Keep it as a candidate").click()
    expect(page.get_by_role("alert")).to_contain_text("config.max_retries")


def test_a_fix_is_edited_as_a_new_version(page: Page, served: Served) -> None:
    """The next version waits for approval, and the one before is taken back."""
    document = _DOCUMENT | {"fix_id": "fix-edited"}
    with Healer(root=served.root) as healer:
        rollout = healer.fixes.add(document)
    page.goto(f"{served.home}/fixes/{rollout.rollout_id}")
    page.get_by_text("Edit as a new version").click()
    page.get_by_label("Document, as JSON").fill(
        json.dumps(document | {"config": {"max_retries": 4}})
    )
    page.get_by_role("button", name="Keep it as version 2").click()
    expect(page.locator(".facts").first).to_contain_text("version 2")
    with Healer(root=served.root) as healer:
        assert healer.store.rollout(rollout.rollout_id).state is RolloutState.RETIRED
        assert healer.store.rollout("fix-edited").document["config"]["max_retries"] == 4


def test_many_incidents_are_ignored_at_once(page: Page, served: Served) -> None:
    """What is chosen is done to all of it, and can be taken back."""
    page.goto(f"{served.home}/incidents?q=importer")
    boxes = page.locator('input[name="incident"]')
    number = boxes.count()
    assert number > 1
    awake(page)
    page.get_by_label("Choose all on this page").check()
    expect(page.get_by_text(f"{number} chosen")).to_be_visible()
    page.get_by_role("button", name="Ignore").click()
    expect(page.get_by_role("status")).to_contain_text(f"{number} incidents: ignore")
    page.goto(f"{served.home}/incidents?q=importer&status=ignored")
    expect(page.locator("#batch-form [data-item]")).to_have_count(number)
    awake(page)
    page.get_by_label("Choose all on this page").check()
    page.get_by_role("button", name="Reopen").click()
    expect(page.get_by_role("status")).to_contain_text("reopen")


def test_a_page_follows_what_others_do(page: Page, served: Served) -> None:
    """What a command changes shows without a reload, and what somebody is typing stays."""
    _open_incident(page, served, "to_euro")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    page.get_by_label("without waiting").check()
    with Healer(root=served.root) as healer:
        incident = healer.store.incident(page.url.rpartition("/")[2])
        healer.store.set_status(incident.incident_id, IncidentStatus.CURED)
    expect(page.get_by_role("heading", level=1)).to_contain_text("cured")
    expect(page.get_by_label("without waiting")).to_be_checked()
    with Healer(root=served.root) as healer:
        healer.store.set_status(incident.incident_id, IncidentStatus.OPEN)
    expect(page.get_by_role("heading", level=1)).to_contain_text("open")


def test_a_step_that_is_refused_says_why(browser: Browser, served: Served) -> None:
    """What can't be done any more is told with the reason, not dropped."""
    with visiting(browser, java_script_enabled=False) as context:
        page = context.new_page()
        with Healer(root=served.root) as healer:
            rollout = healer.fixes.add(_DOCUMENT | {"fix_id": "fix-refused"})
            page.goto(f"{served.home}/fixes/{rollout.rollout_id}")
            healer.fixes.remove(rollout.rollout_id)
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("alert")).to_contain_text("can't be approved")


def test_calls_are_marked_golden(page: Page, served: Served) -> None:
    """A recorded call becomes a reference by a click, and an ordinary one by another."""
    page.goto(f"{served.home}/sites/shop.pricing%3Aredeem")
    page.get_by_role("button", name="mark golden").first.click()
    expect(page.get_by_role("status")).to_contain_text("is golden")
    page.get_by_role("button", name="★ golden").click()
    expect(page.get_by_role("status")).to_contain_text("ordinary")


def test_a_site_is_muted_and_heard_of_again(page: Page, served: Served) -> None:
    """Mutes are set for a time, and ended."""
    page.goto(f"{served.home}/alerts")
    page.get_by_role("textbox", name="Mute").fill(_SITE)
    page.get_by_role("button", name="Mute", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Nobody is told")
    page.get_by_role("button", name="Hear of it again").click()
    expect(page.get_by_role("status")).to_contain_text("heard of again")


def test_a_forged_form_is_refused(browser: Browser, served: Served) -> None:
    """A form without the page's token does nothing."""
    with visiting(browser) as context:
        page = context.new_page()
        page.goto(f"{served.home}/incidents?q=next_slot")
        page.locator("[data-item]").first.click()
        expect(page.get_by_role("button", name="Ignore")).to_be_visible()
        page.evaluate("document.querySelector('.actions [name=csrf_token]').value = 'forged'")
        with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
            page.get_by_role("button", name="Ignore").click()
        assert answered.value.status == 403
        expect(page.get_by_text("load the page again")).to_be_visible()
    with Healer(root=served.root) as healer:
        states = {item.status for item in healer.incidents() if "next_slot" in item.site_id}
    assert states == {IncidentStatus.OPEN}


def test_a_page_whose_stream_is_held_back_asks_by_itself(
    context: BrowserContext, served: Served
) -> None:
    """Without the stream the page polls: it says so, and shows what changes all the same."""
    context.route("**/events", lambda route: route.abort())
    page = context.new_page()
    _open_incident(page, served, "average_basket")
    expect(page.get_by_text("polling", exact=True)).to_be_visible()
    with Healer(root=served.root) as healer:
        incident = healer.store.incident(page.url.rpartition("/")[2])
        healer.store.set_status(incident.incident_id, IncidentStatus.CURED)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("cured", timeout=60_000)
    with Healer(root=served.root) as healer:
        healer.store.set_status(incident.incident_id, IncidentStatus.OPEN)
