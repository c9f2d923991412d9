"""On loopback nobody logs in, and yet no page of another site can do or read anything."""

import pytest
from starlette.testclient import TestClient

from prunella.model.errors import StoreError
from prunella.server.app import create_app
from prunella.server.guard import MAX_FORM_BYTES

FORM, HTML = "application/x-www-form-urlencoded", "text/html; charset=utf-8"
MUTE = "/api/v1/projects/local/mutes/NET"
READ = "/api/v1/projects/local/incidents"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8787", "127.0.0.1.evil.example", "10.0.0.5:8787"]
)
def test_a_name_that_was_pointed_here_is_refused(workspaces, host):
    """Whatever a name resolves to, only names of this machine are answered."""
    client = TestClient(create_app(workspaces, actor="ana"), base_url=f"http://{host}")
    assert client.get(READ).status_code == 403
    assert "--auth" in client.get(READ).json()["error"]["message"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8787", "[::1]:8787", "LOCALHOST:1"])
def test_names_of_this_machine_are_answered(workspaces, host):
    """A browser on this machine may use any of its names."""
    client = TestClient(create_app(workspaces, actor="ana"), base_url=f"http://{host}")
    assert client.get(READ).status_code == 200


@pytest.mark.parametrize("host", ["", "a b", "a/b", "user@localhost", "localhost:123456"])
def test_a_host_that_is_none_is_refused(client, host):
    """A header that no browser sends isn't guessed at."""
    assert client.get(READ, headers={"host": host}).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8787"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
    ],
)
def test_a_page_of_another_site_changes_nothing(client, headers):
    """What a browser sends for others is refused, and so is a form without this server's token."""
    answer = client.put(MUTE, headers=headers, content=b"{}")
    assert answer.status_code == 403
    assert client.get("/api/v1/projects/local/mutes").json()["items"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1:8787"},
        {"sec-fetch-site": "same-origin"},
    ],
)
def test_programs_and_own_pages_may(client, headers):
    """A program on this machine, and the server's own pages, change what they want."""
    assert client.put(MUTE, headers=headers, json={}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        ({"host": "evil.example"}, 403, "answers on this machine alone"),
        ({"host": "a b"}, 400, "no host&#39;s name"),
        ({"origin": "http://evil.example"}, 403, "a page of another site"),
        ({"content-type": FORM}, 403, "load the page again"),
        ({"content-type": FORM, "content": b"a" * (MAX_FORM_BYTES + 1)}, 413, "Send less"),
    ],
)
def test_people_are_refused_with_a_page(client, headers, status, said):
    """What the guard refuses on a page is a page that says what to do; programs get JSON."""
    content = headers.pop("content", b"{}")
    page = client.post("/p/local/alerts/test", headers=headers, content=content)
    assert (page.status_code, page.headers["content-type"]) == (status, HTML)
    assert said in page.text
    assert 'class="problem"' in page.text
    assert page.headers["content-security-policy"]
    program = client.put(MUTE, headers=headers, content=content)
    assert program.headers["content-type"] == "application/json"
    wanted = {**headers, "accept": "application/json"}
    asked = client.post("/p/local/alerts/test", headers=wanted, content=content)
    assert (asked.status_code, asked.headers["content-type"]) == (status, "application/json")
    assert asked.json() == program.json()


def test_a_page_that_fails_answers_as_it_is_asked(client):
    """Whoever asks a page for JSON alone hears why it can't be shown in that; a browser by a page."""
    for path, status in (("/p/local/nothing", 404), ("/p/none/", 404), ("/nothing", 404)):
        browser = client.get(path, headers={"accept": "text/html,application/json;q=0.9"})
        assert (browser.status_code, browser.headers["content-type"]) == (status, HTML)
        program = client.get(path, headers={"accept": "application/json"})
        assert (program.status_code, program.json()["error"]["type"]) == (status, "NotFound")


def test_every_answer_binds_the_browser(client):
    """No page may be framed, run what isn't a file of this server, or have its type guessed."""
    for path in (READ, "/api/v1/nothing", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in headers
        assert "access-control-allow-origin" not in headers


def test_https_is_kept_to(workspaces):
    """Over https a browser is told to stay with it."""
    client = TestClient(create_app(workspaces, actor="ana"), base_url="https://localhost")
    assert client.get(READ).headers["strict-transport-security"].startswith("max-age=")


def test_a_fault_is_answered_without_its_details(workspaces, monkeypatch):
    """What went wrong inside stays inside."""
    from prunella.adapters.sql_store import SqlStore

    def broken(_self, _query):
        raise RuntimeError("the secret plan")

    monkeypatch.setattr(SqlStore, "find_incidents", broken)
    app = create_app(workspaces, actor="ana")
    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    answer = client.get(READ)
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "InternalFault")
    assert "secret plan" not in answer.text


def test_who_asks_while_the_database_is_away_comes_again(workspaces):
    """Nobody is let in, or turned away for good, by a directory that doesn't answer."""

    class Away:
        is_local = False

        async def enter(self, _connection):
            raise StoreError("the database is being restarted")

        async def standing(self, _connection):
            return None

    client = TestClient(create_app(workspaces, actor="ana", gate=Away()))
    answer = client.get(READ, headers={"accept": "application/json"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "being restarted" not in answer.text
    page = client.get("/p/local/", headers={"accept": HTML})
    assert (page.status_code, page.headers["content-type"]) == (503, HTML)
