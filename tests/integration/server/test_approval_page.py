"""The page behind an approval link, for people who have nothing but the link."""

import re
from datetime import timedelta

import pytest

from prunella.model import clock
from prunella.model.directory import Role
from prunella.model.rollouts import RolloutState
from prunella.server import door
from prunella.server.sessions import Sessions
from prunella.wiring import approvals

FIX = "fix-averages"


@pytest.fixture
def healer(several):
    return several.open("shop").healer


@pytest.fixture
def path(healer):
    made = healer.approvals.link(FIX, actor="ana")
    return f"/approve/shop/{made.token}"


@pytest.fixture
def nobody(browser):
    return browser()


def state(healer):
    return healer.store.rollout(FIX).state


def send(client, path, **fields):
    """Load the page, and send its form as a browser does."""
    token = re.search(r'name="csrf_token" value="([^"]*)"', client.get(path).text)[1]
    form = {**fields, "csrf_token": token}
    return client.post(path, data=form, headers={"sec-fetch-site": "same-origin"})


def test_looking_changes_nothing(nobody, healer, path):
    """However often a link is followed, with GET or HEAD, the fix waits, and the page says for what."""
    before = healer.store.rollout(FIX), healer.store.audit()
    for _ in range(3):
        page = nobody.get(path)
        assert page.status_code == 200
        assert nobody.head(path).status_code == 200
    assert (healer.store.rollout(FIX), healer.store.audit()) == before
    for told in (FIX, "shop.prices:average", "max_retries", "it helped before", "ana made"):
        assert told in page.text


@pytest.mark.parametrize(
    ("answer", "after", "said"),
    [
        ("approve", RolloutState.TESTING, "is approved"),
        ("decline", RolloutState.RETIRED, "is declined"),
    ],
)
def test_an_answer_is_taken_once(nobody, healer, path, answer, after, said):
    """A button approves or declines in the holder's name; then the link says that it was used."""
    done = send(nobody, path, answer=answer, reason="tried by hand")
    assert (done.status_code, said in done.text) == (200, True)
    assert state(healer) is after
    last = healer.store.audit(subject=healer.store.rollout(FIX).rollout_id)[-1]
    assert last.actor == "whoever has the link"
    assert last.reason.endswith("by a link that ana made: tried by hand")
    page = nobody.get(path)
    assert (page.status_code, "was used" in page.text) == (403, True)
    assert 'name="answer"' not in page.text


def test_who_has_logged_in_answers_in_their_own_name(browser, directory, people, healer, path):
    """A session's name is kept; it needs no role in the project, for the link is all that it takes."""
    person, _ = people.add_person("ben", {"bank": Role.VIEWER})
    client = browser("http://prunella.example")
    client.cookies.set(door.COOKIE, Sessions(directory).begin(person, place="here"))
    assert send(client, path, answer="approve").status_code == 200
    last = healer.store.audit(subject=healer.store.rollout(FIX).rollout_id)[-1]
    assert last.actor == "ben"


def test_links_that_are_none_say_so(nobody, healer, path, monkeypatch):
    """Forged, of another project or none, expired: a page says which, and nothing is done."""
    forged = path[:-3] + ("AAA" if not path.endswith("AAA") else "BBB")
    others = [path.replace("/shop/", f"/{name}/") for name in ("bank", "none")]
    pages = [nobody.get(each) for each in (forged, *others)]
    for page in pages:
        assert page.status_code == 403
        assert "isn&#39;t one of this project" in page.text
    shown = [page.text.partition("</style>")[2] for page in pages]
    assert shown[1].replace("bank", "") == shown[2].replace("none", "") != ""
    form = {"answer": "approve", "csrf_token": "x"}
    for each in (forged, *others):
        assert nobody.post(each, data=form).status_code == 403
    later = clock.now() + timedelta(days=2)
    monkeypatch.setattr(approvals, "now", lambda: later)
    page = nobody.get(path)
    assert (page.status_code, "expired at" in page.text) == (403, True)
    assert state(healer) is RolloutState.CANDIDATE


def test_a_form_of_others_answers_nothing(nobody, healer, path):
    """Without the page's token, from another site, or with an answer that is none: the fix waits."""
    token = re.search(r'name="csrf_token" value="([^"]*)"', nobody.get(path).text)[1]
    approve = {"answer": "approve"}
    assert nobody.post(path, data=approve).status_code == 403
    form = {**approve, "csrf_token": token}
    assert nobody.post(path, data=form, headers={"origin": "http://evil"}).status_code == 403
    assert send(nobody, path, answer="promote").status_code == 422
    assert state(healer) is RolloutState.CANDIDATE


def test_where_approvers_are_named_others_are_told_to_log_in(nobody, healer, path, monkeypatch):
    """The page says who may, and leads to the login and back; the link stays good."""
    from dataclasses import replace

    settings = replace(healer.settings, approvers="grace")
    monkeypatch.setattr(healer.approvals, "_settings", settings)
    page = send(nobody, path, answer="approve")
    assert (page.status_code, "the setting approvers names grace" in page.text) == (409, True)
    assert f'href="/login?next={path.replace("/", "%2F")}"' in page.text
    assert state(healer) is RolloutState.CANDIDATE


def test_operators_make_links_on_the_fixs_page(browser, directory, people, healer):
    """The page shows a link that works; a viewer has no such button, and is refused."""
    for name, role in (("opal", Role.OPERATOR), ("vic", Role.VIEWER)):
        person, _ = people.add_person(name, {"shop": role})
        client = browser("http://prunella.example")
        client.cookies.set(door.COOKIE, Sessions(directory).begin(person, place="here"))
        page = f"/p/shop/fixes/{FIX}"
        assert ("Make an approval link" in client.get(page).text) == (role is Role.OPERATOR)
        token = re.search(r'name="csrf_token" value="([^"]*)"', client.get(page).text)[1]
        made = client.post(f"{page}/approval-link", data={"csrf_token": token})
        if role is Role.VIEWER:
            assert made.status_code == 403
            continue
        link = re.search(r'value="(http://prunella.example/approve/shop/[^"]+)"', made.text)[1]
        assert browser("http://prunella.example").get(link).status_code == 200
    entry = healer.store.audit(subject=healer.store.rollout(FIX).rollout_id)[-1]
    assert (entry.actor, entry.action) == ("opal", "approval.link_made")


def test_the_api_declines_too(nobody, several, healer):
    """What pages do, programs do; a project that isn't there looks like a link of another."""
    made = healer.approvals.link(FIX)
    at = f"/api/v1/projects/shop/approvals/{made.token}"
    hidden = nobody.get(at.replace("/shop/", "/none/"))
    assert hidden.json() == nobody.get(at.replace("/shop/", "/bank/")).json()
    declined = nobody.post(f"{at}/decline", json={"reason": "no"})
    assert (declined.status_code, declined.json()["state"]) == (200, "retired")
