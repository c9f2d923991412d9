"""Pages on which admins say who may do what."""

import re
from datetime import timedelta
from html import unescape

import pytest
from starlette.testclient import TestClient

from prunella.model.clock import now
from prunella.model.directory import EVERYWHERE, Role
from prunella.server import door
from prunella.server.app import create_guarded_app
from prunella.server.sessions import Sessions

ACCESS = "/p/shop/access"
READ = "/api/v1/projects/shop/incidents"


@pytest.fixture
def visitor(browser, directory, people):
    """Return a browser in which somebody with these roles is logged in."""

    def log_in(name="root", **roles):
        roles = {key.replace("everywhere", EVERYWHERE): role for key, role in roles.items()}
        person, _ = people.add_person(name, roles)
        client = browser("http://prunella.example")
        client.cookies.set(door.COOKIE, Sessions(directory).begin(person, place="here"))
        return client

    return log_in


@pytest.fixture
def root(visitor):
    return visitor("root", everywhere=Role.ADMIN)


@pytest.fixture(autouse=True)
def believes_nothing(monkeypatch):
    monkeypatch.setattr(door, "_BELIEVED_S", 0.0)


def send(client, path, page=ACCESS, **fields):
    """Send a form of a page, as a browser does."""
    token = re.search(r'name="csrf_token" value="([^"]*)"', client.get(page).text)[1]
    return client.post(path, data={**fields, "csrf_token": token})


def shown(answer, label):
    """Return what a page shows once below a label."""
    return unescape(re.search(rf'{label} <input[^>]* value="([^"]*)"', answer.text)[1])


def decisions(directory):
    return [(entry.actor, entry.action) for entry in directory.audit()]


def test_a_key_is_shown_once_works_and_ends(visitor, directory, people, browser):
    """The page that makes a key shows it, no other does; a program gets in with it until it ends."""
    ana = visitor("ana", shop=Role.ADMIN)
    made = send(ana, f"{ACCESS}/keys", name="checkout", per_minute="60", mb_per_day="5")
    secret = shown(made, "Key")
    assert shown(made, "environment") == f"PRUNELLA_DSN=http://{secret}@prunella.example/shop"
    (key,) = people.credentials(keys=True, project="shop")
    assert (key.name, key.made_by, key.role) == ("checkout", "ana", Role.REPORTER)
    assert (key.per_minute, key.bytes_per_day) == (60, 5_000_000)
    page = ana.get(ACCESS).text
    assert secret not in page
    assert "checkout" in page
    program, feed = browser(), "/api/v1/projects/shop/feed"
    assert program.get(feed, headers={"x-prunella-key": secret}).status_code == 200
    ended = send(ana, f"{ACCESS}/keys/{key.credential_id}/end")
    assert (ended.status_code, ended.headers["location"]) == (303, ACCESS)
    assert program.get(feed, headers={"x-prunella-key": secret}).status_code == 401
    assert decisions(directory)[-2:] == [("ana", "key.made"), ("ana", "key.ended")]


def test_a_token_has_its_role_and_time(root, people, browser):
    """A token made on a project's page, or on the server's, does what was chosen, for so long."""
    made = send(root, f"{ACCESS}/tokens", name="ci", role="operator", days="30")
    secret = shown(made, "Token")
    (token,) = people.credentials(keys=False, project="shop")
    assert token.role is Role.OPERATOR
    assert timedelta(days=29) < token.expires_at - now() <= timedelta(days=30)
    assert browser().get(READ, headers={"authorization": f"Bearer {secret}"}).status_code == 200
    page = "/server/tokens"
    made = send(root, page, page, name="watch", role="viewer", days="")
    (everywhere,) = people.credentials(keys=False, project=EVERYWHERE)
    assert (everywhere.role, everywhere.expires_at) == (Role.VIEWER, None)
    send(root, f"/server/tokens/{everywhere.credential_id}/end", page)
    send(root, f"{ACCESS}/tokens/{token.credential_id}/end")
    assert people.credentials(keys=False) == []
    bearer = {"authorization": f"Bearer {shown(made, 'Token')}"}
    assert browser().get(READ, headers=bearer).status_code == 401


def test_users_are_added_given_roles_invited_and_removed(root, directory, people, browser):
    """What the commands do with users, the page does, in the name of who did it."""
    page = "/server/users"
    added = send(root, page, page, name="ben", project="shop", role="viewer")
    link = shown(added, "Invitation")
    assert browser("http://prunella.example").get(link).status_code == 200
    assert directory.person("ben").roles == {"shop": Role.VIEWER}
    fields = {"project": ["shop", "bank", ""], "role": ["", "operator", "admin"]}
    changed = send(root, f"{page}/ben/roles", page, **fields)
    assert changed.headers["location"] == page
    assert directory.person("ben").roles == {"bank": Role.OPERATOR}
    again = shown(send(root, f"{page}/ben/invite", page), "Invitation")
    assert again != link
    assert link not in root.get(page).text
    send(root, f"{page}/ben/remove", page)
    assert directory.person("ben") is None
    assert ("root", "user.removed") in decisions(directory)
    audit = root.get("/server/audit").text
    assert audit.index("user.removed") < audit.index("user.roles_changed")


def test_what_cannot_be_is_said_on_a_page(root, directory):
    """A bad name, a name that is there, the only admin: a page says why, and nothing has changed."""
    page = "/server/users"
    for path, fields, status, why in (
        (page, {"name": "Ben", "project": "shop", "role": "viewer"}, 422, "no user&#39;s name"),
        (page, {"name": "root", "project": "shop", "role": "viewer"}, 422, "a user root already"),
        (page, {"name": "ben", "project": "none", "role": "viewer"}, 404, "no project"),
        (page, {"name": "ben", "project": "shop", "role": "king"}, 422, "king"),
        (f"{page}/root/remove", {}, 422, "the only admin"),
        (f"{page}/root/roles", {}, 422, "the only admin"),
        (f"{page}/nobody/remove", {}, 404, "there is no user"),
        (f"{ACCESS}/keys", {"name": ""}, 422, "name"),
        (f"{ACCESS}/keys", {"name": "k", "per_minute": "many"}, 422, "per_minute"),
        (f"{ACCESS}/tokens", {"name": "t", "role": "viewer", "days": "-1"}, 422, "in the past"),
        ("/server/projects", {"name": "No Project"}, 422, "place"),
    ):
        answer = send(root, path, page, **fields)
        assert (answer.status_code, why in answer.text) == (status, True), (path, answer.text)
    assert [person.name for person in directory.people()] == ["root"]
    assert directory.credentials() == []


def test_only_admins_manage(visitor, directory):
    """Who is less sees no link to these pages, and neither page nor form answers; nor to others."""
    for name, roles in (
        ("vic", {"shop": Role.VIEWER}),
        ("opal", {"everywhere": Role.OPERATOR}),
        ("bob", {"bank": Role.ADMIN}),
        ("ada", {"shop": Role.ADMIN}),
    ):
        client = visitor(name, **roles)
        own = "/p/bank/" if name == "bob" else "/p/shop/"
        text = client.get(own).text
        assert "/server/users" not in text
        assert (f"{own}access" in text) == (name in {"ada", "bob"})
        status = {"bob": 404, "ada": 200}.get(name, 403)
        assert client.get(ACCESS).status_code == status
        for path in (f"{ACCESS}/keys", f"{ACCESS}/tokens", "/server/users", "/server/tokens"):
            if name == "ada" and path.startswith(ACCESS):
                continue
            answer = send(client, path, own + "alerts", name="mine", role="admin", project="shop")
            assert answer.status_code == (404 if path.startswith(ACCESS) and name == "bob" else 403)
        assert client.get("/server/users").status_code == 403
    assert directory.credentials() == []


def test_a_forged_form_makes_nothing(root, directory):
    """Without the session's token, or from a page of others, nothing is made or ended."""
    for data, headers in (
        ({"name": "k"}, {}),
        ({"name": "k", "csrf_token": "another"}, {}),
        ({"name": "k"}, {"origin": "http://evil.example"}),
    ):
        for path in (f"{ACCESS}/keys", f"{ACCESS}/tokens", "/server/users", "/server/tokens"):
            assert root.post(path, data=data, headers=headers).status_code == 403
    assert directory.credentials() == []


def test_where_nobody_logs_in_the_page_says_what_for(workspaces):
    """The embedded server has no keys: its page tells how to begin, and the server's pages aren't."""
    from starlette.testclient import TestClient

    from prunella.server.app import create_app

    client = TestClient(create_app(workspaces, actor="ana"), base_url="http://localhost")
    page = client.get("/p/local/access")
    assert page.status_code == 200
    assert "prunella serve --auth" in page.text
    assert "/server/users" not in page.text
    assert client.get("/server/users").status_code == 404


def test_what_is_shown_to_copy_is_by_the_servers_address(several, directory, people):
    """With `server_url` DSNs, invitations and approval links lead there, whatever Host a request has."""
    app = create_guarded_app(several, directory, address="https://prunella.example/")
    client = TestClient(app, base_url="http://evil.example:8787", follow_redirects=False)
    person, _ = people.add_person("root", {EVERYWHERE: Role.ADMIN})
    client.cookies.set(door.COOKIE, Sessions(directory).begin(person, place="here"))
    made = send(client, f"{ACCESS}/keys", name="checkout")
    dsn = shown(made, "For the program&#39;s environment")
    assert re.fullmatch(r"PRUNELLA_DSN=https://[^@]+@prunella\.example/shop", dsn)
    invited = send(
        client, "/server/users", "/server/users", name="ben", project="shop", role="viewer"
    )
    assert shown(invited, "Invitation").startswith("https://prunella.example/invitation/")
    page = "/p/shop/fixes/fix-averages"
    link = shown(send(client, f"{page}/approval-link", page), "Approval link")
    assert link.startswith("https://prunella.example/approve/shop/")
    for answer in (made, invited):
        assert "evil.example" not in answer.text
