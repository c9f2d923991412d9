"""The REST API over an embedded store: what it answers, and how it says no."""

import pytest

from prunella.server.api.reading import MAX_BODY_BYTES, MAX_DEPTH, depth
from prunella.server.api.table import OPERATIONS

AT = "/api/v1/projects/local"


@pytest.fixture
def incident(client):
    return client.get(f"{AT}/incidents").json()["items"][0]


def test_operations_have_one_name_and_one_place_each():
    """No two operations share a name, or a method and a path."""
    assert len({each.name for each in OPERATIONS}) == len(OPERATIONS)
    assert len({(each.method, each.path) for each in OPERATIONS}) == len(OPERATIONS)


def test_incidents_are_listed_filtered_and_paged(client, incident):
    """A filter narrows the list, and the total says how many there are beyond the page."""
    listed = client.get(f"{AT}/incidents").json()
    assert (listed["total"], incident["site_id"]) == (1, "shop.prices:average")
    for wanted, number in (
        ({"status": "open"}, 1),
        ({"status": "cured"}, 0),
        ({"site": "shop.prices:average"}, 1),
        ({"site": "shop.prices"}, 1),
        ({"site": "shop"}, 0),
        ({"code": incident["error_code"].partition(".")[0]}, 1),
        ({"text": "NO rows"}, 1),
        ({"text": "no bananas"}, 0),
    ):
        assert client.get(f"{AT}/incidents", params=wanted).json()["total"] == number, wanted
    beyond = client.get(f"{AT}/incidents", params={"offset": 1}).json()
    assert beyond == {"items": [], "total": 1}


def test_an_incident_is_told_with_its_occurrences(client, incident):
    """The story and the occurrences are found by the beginning of an id."""
    at = f"{AT}/incidents/{incident['incident_id'][:8]}"
    story = client.get(at).json()
    assert story["incident"] == incident
    (occurrence,) = client.get(f"{at}/occurrences", params={"limit": 1}).json()["items"]
    assert occurrence["occurrence_id"] == story["occurrences"][0]["occurrence_id"] == "occ_1"


def test_ignoring_and_reopening_keep_who_and_why(client, incident):
    """An incident's status is changed in the name of whoever asks, and the audit log says so."""
    at = f"{AT}/incidents/{incident['incident_id']}"
    ignored = client.post(f"{at}/ignore", json={"reason": "a test"}).json()
    assert (ignored["status"], ignored["ignored_by"]) == ("ignored", "ana@host: a test")
    assert client.post(f"{at}/reopen").json()["status"] == "open"
    decided = client.get(f"{AT}/audit", params={"subject": incident["incident_id"]}).json()["items"]
    assert [(each["actor"], each["action"], each["reason"]) for each in decided] == [
        ("ana@host", "incident.ignored", "a test"),
        ("ana@host", "incident.reopened", "by hand"),
    ]


def test_jobs_are_asked_for_watched_and_cancelled(client, incident):
    """A job is asked for in the name of whoever asks, found again, and ends when cancelled."""
    wanted = {"kind": "heal", "subject": incident["incident_id"][:8], "force": True}
    asked = client.post(f"{AT}/jobs", json=wanted)
    job = asked.json()
    assert (asked.status_code, job["state"], job["actor"]) == (202, "waiting", "ana@host")
    assert (job["subject"], job["is_forced"]) == (incident["incident_id"], True)
    assert client.post(f"{AT}/jobs", json=wanted).json() == job
    assert client.get(f"{AT}/jobs/{job['job_id']}").json() == job
    assert client.get(f"{AT}/jobs", params={"kind": "replay"}).json()["items"] == []
    ended = client.post(f"{AT}/jobs/{job['job_id']}/cancel").json()
    assert ended["state"] == "cancelled"
    assert client.get(f"{AT}/jobs", params={"state": "cancelled"}).json()["items"] == [ended]


def test_calls_are_marked_as_references(client):
    """A call is golden until the mark is taken back."""
    assert client.get(f"{AT}/calls", params={"site": "average"}).json()["items"][0]["call"]
    golden = client.put(f"{AT}/calls/call_1/golden").json()
    assert golden["golden_at"]
    assert len(client.get(f"{AT}/calls", params={"golden": "true"}).json()["items"]) == 1
    assert client.delete(f"{AT}/calls/call_1/golden").json()["golden_at"] is None
    assert client.get(f"{AT}/calls/call_1").json()["call"]["call_id"] == "call_1"


def test_sites_come_with_their_counters(client):
    """A site is told with what all processes have counted of it."""
    (listed,) = client.get(f"{AT}/sites").json()["items"]
    assert (listed["site"]["site_id"], listed["counts"]) == ("shop.prices:average", {"calls": 1})
    assert client.get(f"{AT}/sites/average").json() == listed


def test_a_fix_is_checked_kept_and_steered(client):
    """Every step of a fix is taken in the name of whoever asks; a wrong one says why not."""
    document = {"fix_id": "fix-web", "fix_type": "retry", "config": {}}
    checked = client.post(f"{AT}/fixes/validate", json={"document": document}).json()
    assert checked["fix_id"] == "fix-web"
    added = client.post(f"{AT}/fixes", json={"document": document, "reason": "try it"})
    assert (added.status_code, added.json()["state"]) == (201, "candidate")
    assert client.post(f"{AT}/fixes/fix-web/approve", json={}).json()["state"] == "testing"
    assert client.post(f"{AT}/fixes/fix-web/pause").json()["paused"] is True
    assert client.post(f"{AT}/fixes/fix-web/resume").json()["paused"] is False
    assert client.post(f"{AT}/fixes/fix-web/promote").json()["state"] == "graduated"
    refused = client.post(f"{AT}/fixes/fix-web/approve")
    assert (refused.status_code, refused.json()["error"]["type"]) == (409, "StepRefused")
    assert client.post(f"{AT}/fixes/fix-web/rollback").json()["state"] == "rolled_back"
    story = client.get(f"{AT}/fixes/fix-web").json()
    assert {each["actor"] for each in story["history"]} == {"ana@host"}
    assert client.get(f"{AT}/fixes/fix-web/look").json()["rollout"]["fix_id"] == "fix-web"
    waiting = client.get(f"{AT}/fixes", params={"state": "candidate"}).json()["items"]
    assert [each["fix_id"] for each in waiting] == ["fix-averages"]


def test_a_bad_document_is_refused_at_its_key(client):
    """A fix that isn't valid answers the path of the bad key, and nothing is kept."""
    document = {"fix_id": "fix-bad", "fix_type": "retry", "config": {"max_retries": -1}}
    answer = client.post(f"{AT}/fixes", json={"document": document})
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "FixError")
    assert answer.json()["error"]["path"] == "config.max_retries"
    assert client.get(f"{AT}/fixes/fix-bad").status_code == 404


def test_whoever_has_the_token_may_see_and_approve_once(client):
    """A link shows what it approves, approves it once, and is void then; a forged one is nothing."""
    made = client.post(f"{AT}/fixes/fix-averages/approval-link", json={"expires_s": 60})
    at = f"{AT}/approvals/{made.json()['token']}"
    assert made.status_code == 201
    assert client.get(at).json()["fix_id"] == "fix-averages"
    assert client.get(at).json()["state"] == "candidate"  # looking approves nothing
    assert client.post(at).json()["state"] == "testing"
    assert client.post(at).status_code == 403
    assert client.get(at).json()["error"]["type"] == "TokenRefused"
    assert client.get(f"{AT}/approvals/forged").status_code == 403


def test_mutes_last_for_a_while(client):
    """A mute names who made it, and ends when it is taken back."""
    muted = client.put(f"{AT}/mutes/NET", json={"for_s": 60}).json()
    assert (muted["what"], muted["by"]) == ("NET", "ana@host")
    assert client.get(f"{AT}/mutes").json()["items"] == [muted]
    assert client.delete(f"{AT}/mutes/NET").status_code == 204
    assert client.delete(f"{AT}/mutes/NET").status_code == 404


def test_the_project_tells_of_itself(client):
    """Metrics, alerts, cases, settings and the doctor's findings are there to be read."""
    assert client.get(f"{AT}/metrics", params={"days": 30}).json()["incidents"] >= 0
    assert client.get(f"{AT}/alerts").json() == {"items": []}
    assert client.get(f"{AT}/cases").json() == {"items": []}
    settings = {each["name"]: each for each in client.get(f"{AT}/settings").json()["items"]}
    assert settings["alpha"]["value"] == 0.05
    findings = client.get(f"{AT}/doctor").json()["items"]
    assert {"store", "configuration"} <= {each["area"] for each in findings}


def test_no_answer_shows_a_secret(client, workspaces, monkeypatch):
    """Of a secret setting the API says only that it is set."""
    from prunella.server.workspaces import EmbeddedWorkspace

    monkeypatch.setenv("PRUNELLA_ALERT_SECRET", "hunter2")
    healer = workspaces.open("local").healer
    other = EmbeddedWorkspace(healer.root)
    client.app.state.workspaces = other
    try:
        shown = client.get(f"{AT}/settings").text + client.get(f"{AT}/doctor").text
    finally:
        other.close()
    assert "hunter2" not in shown
    assert "(set)" in shown


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "kind"),
    [
        ("GET", "/api/v1/nothing", {}, 404, "NotFound"),
        ("GET", "/api/v1/projects/other/incidents", {}, 404, "NotFound"),
        ("GET", f"{AT}/incidents/inc_none", {}, 404, "UnknownName"),
        ("GET", f"{AT}/incidents/%00", {}, 404, "NotFound"),
        ("GET", f"{AT}/jobs/job_none", {}, 404, "UnknownName"),
        ("PATCH", f"{AT}/incidents", {}, 405, "MethodNotAllowed"),
        ("GET", f"{AT}/incidents", {"params": {"limit": "many"}}, 422, "Invalid"),
        ("GET", f"{AT}/incidents", {"params": {"limit": 0}}, 422, "Invalid"),
        ("GET", f"{AT}/incidents", {"params": {"limits": 1}}, 422, "Invalid"),
        ("GET", f"{AT}/incidents?limit=1&limit=2", {}, 422, "Invalid"),
        ("GET", f"{AT}/incidents?text=%00", {}, 422, "Invalid"),
        ("POST", f"{AT}/jobs", {}, 415, "UnsupportedMediaType"),
        ("POST", f"{AT}/jobs", {"json": {}}, 422, "Invalid"),
        ("POST", f"{AT}/jobs", {"json": {"kind": "dance", "subject": "x"}}, 422, "Invalid"),
        ("POST", f"{AT}/jobs", {"json": {"kind": "heal", "subject": "inc_no"}}, 404, "UnknownName"),
        ("POST", f"{AT}/fixes", {"json": {"document": 1}}, 422, "Invalid"),
        ("POST", f"{AT}/fixes", {"json": {"document": {}, "more": 1}}, 422, "Invalid"),
        ("POST", f"{AT}/fixes", {"json": {"document": {"a": "\0"}}}, 422, "Invalid"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_reason(client, method, path, sent, status, kind):
    """Every refusal is a problem document with the right status, and never a fault of the server."""
    answer = client.request(method, path, **sent)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    assert answer.json()["error"]["message"]


def test_bodies_are_bounded_in_size_and_depth(client):
    """What is too large, too deep or no JSON is refused before anything looks at it."""
    json_type = {"content-type": "application/json"}

    def post(body):
        return client.post(f"{AT}/fixes", content=body, headers=json_type)

    deep = b'{"document": {"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}}"
    assert post(b" " * (MAX_BODY_BYTES + 1)).status_code == 413
    assert post(iter([b" " * MAX_BODY_BYTES, b" "])).status_code == 413
    assert post(deep).status_code == 422
    assert "deeper" in post(deep).json()["error"]["message"]
    assert post(b"{").status_code == 400
    assert post(b"\xff").status_code == 400
    assert post(b'{"document": {"a": "\\ud800"}}').status_code in {400, 422}


def test_depth_counts_brackets_outside_of_text():
    """Brackets in strings don't count, however they are escaped."""
    assert depth(b'{"a": [1, {"b": []}]}') == 4
    assert depth(rb'{"[[\"[[": "[[[\\"}') == 1
    assert depth(b"[" * (MAX_DEPTH + 1)) == MAX_DEPTH + 1
