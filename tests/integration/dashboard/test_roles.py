"""Who may do what on the pages, and that what programs recorded stays text."""

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from builders import process, site
from prunella.model.incidents import IncidentStatus
from prunella.ports import Triaged
from prunella.server.access import Access, Role
from prunella.server.app import create_app
from prunella.server.gate import Entry
from prunella.server.workspaces import EmbeddedWorkspace
from recorded import a_call, an_exception, an_occurrence

HOME = "/p/local"
OF_THE_PAGE = "what-forms-bring"
EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>\x1b[31m\u202e"


class Someone:
    """A gate that lets one person in."""

    is_local = False

    def __init__(self, roles: dict[str, Role]) -> None:
        self._access = Access(actor="ana", roles=roles, csrf_token=OF_THE_PAGE, has_session=True)

    async def enter(self, _connection) -> Entry:
        return Entry(access=self._access, is_ambient=True)

    async def standing(self, _connection) -> Access:
        return self._access


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "pyproject.toml").write_text("")
    found = EmbeddedWorkspace(tmp_path)
    store = found.open("local").healer.store
    store.ingest([process(), site(), a_call()], spool_name="s", end_offset=1)
    evil = an_occurrence(1, exception=an_exception(message=EVIL))
    store.assign(
        replace(evil, inputs=["d", "order", EVIL]),
        Triaged(
            fingerprint="f1",
            scheme="1",
            error_code="CODE.KEY.MISSING",
            location=None,
            ignored_by=None,
        ),
    )
    yield found
    found.close()


def client(workspace, **roles: Role) -> TestClient:
    app = create_app(workspace, gate=Someone(roles))
    return TestClient(app, base_url="http://dashboard", follow_redirects=False)


def incident_of(workspace):
    return workspace.open("local").healer.incidents()[0]


def test_viewers_look_and_do_nothing(workspace):
    """Pages have no buttons for viewers, and their forms are refused with a page that says why."""
    visitor = client(workspace, local=Role.VIEWER)
    address = f"{HOME}/incidents/{incident_of(workspace).incident_id}"
    for path in ("/", "/incidents", "/fixes", "/sites", "/alerts", "/audit", "/settings"):
        answer = visitor.get(HOME + path)
        assert answer.status_code == 200
        assert 'method="post" action="/p/' not in answer.text
    assert "formaction" not in visitor.get(address).text
    refused = visitor.post(f"{address}/ignore", data={"csrf_token": OF_THE_PAGE})
    assert refused.status_code == 403
    assert "this needs operator" in refused.text
    assert incident_of(workspace).status is IncidentStatus.OPEN


def test_operators_act_in_their_own_name(workspace):
    """What an operator does is kept with who it was."""
    visitor = client(workspace, local=Role.OPERATOR)
    address = f"{HOME}/incidents/{incident_of(workspace).incident_id}"
    assert "formaction" in visitor.get(address).text
    done = visitor.post(f"{address}/ignore", data={"csrf_token": OF_THE_PAGE})
    assert done.status_code == 303
    assert incident_of(workspace).ignored_by.startswith("ana")
    assert "ignored by ana" in visitor.get(address).text


def test_a_project_of_others_is_not_there(workspace):
    """Without a role every page and every form of a project answers that there is none."""
    visitor = client(workspace, other=Role.ADMIN)
    for path in ("/", "/incidents", "/fixes", "/sites", "/events", "/nothing"):
        assert visitor.get(HOME + path).status_code == 404
    incident_id = incident_of(workspace).incident_id
    form = {"csrf_token": OF_THE_PAGE}
    assert visitor.post(f"{HOME}/incidents/{incident_id}/ignore", data=form).status_code == 404
    assert incident_of(workspace).status is IncidentStatus.OPEN


def test_forms_need_the_token_of_the_session(workspace):
    """A form without it, or with another, changes nothing."""
    visitor = client(workspace, local=Role.ADMIN)
    address = f"{HOME}/incidents/{incident_of(workspace).incident_id}/ignore"
    for form in ({}, {"csrf_token": "another"}):
        assert visitor.post(address, data=form).status_code == 403
    assert incident_of(workspace).status is IncidentStatus.OPEN


def test_what_was_recorded_is_text(workspace):
    """Markup and control characters in messages and values reach no page as such."""
    visitor = client(workspace, local=Role.ADMIN)
    incident_id = incident_of(workspace).incident_id
    for path in ("/", "/incidents", f"/incidents/{incident_id}", f"/incidents?q={EVIL[:20]}"):
        text = visitor.get(HOME + path).text
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_what_an_action_said_is_shown_once_and_as_text(workspace):
    """The message after an action is shown by the next page alone, escaped whoever made it."""
    visitor = client(workspace, local=Role.ADMIN)
    visitor.cookies.set("prunella_said", "%3Cb%3Edone%3C%2Fb%3E")
    first = visitor.get(f"{HOME}/")
    assert "&lt;b&gt;done&lt;" in first.text
    visitor.cookies.clear()
    assert "&gt;done&lt;" not in visitor.get(f"{HOME}/").text


def test_going_back_stays_within_the_project(workspace):
    """A forged referrer leads nowhere else."""
    visitor = client(workspace, local=Role.ADMIN)
    address = f"{HOME}/incidents/{incident_of(workspace).incident_id}/ignore"
    for referrer in ("http://evil/p/local/x", "http://dashboard/other", "//evil", ""):
        answer = visitor.post(
            address, data={"csrf_token": OF_THE_PAGE}, headers={"referer": referrer}
        )
        assert answer.headers["location"].startswith(f"{HOME}/incidents/")
