"""Who gets into a server that wants people to log in, and how long they stay."""

from datetime import timedelta

import pytest

from logging_in import field, log_in
from prunella.model.directory import EVERYWHERE, Role
from prunella.server import sessions
from prunella.server.door import COOKIE, LOGIN_COOKIE, SECURE_COOKIE
from prunella.server.login import local_path

PASSWORD = "correct horse battery"  # noqa: S105 - nobody's
READ = "/api/v1/projects/shop/incidents"
MUTE = "/api/v1/projects/shop/mutes/NET"


@pytest.fixture
def ana(people):
    person, _ = people.add_person("ana", {"shop": Role.OPERATOR}, password=PASSWORD)
    return person


def test_nobody_gets_in_without_a_login(browser):
    """Programs are told to send a token, people are led to the login and back to where they were."""
    client = browser()
    assert client.get(READ).status_code == 401
    assert client.get(READ).headers["www-authenticate"] == "Bearer"
    led = client.get("/p/shop/incidents?status=open")
    assert (led.status_code, led.headers["location"]) == (
        303,
        "/login?next=%2Fp%2Fshop%2Fincidents%3Fstatus%3Dopen",
    )
    refused = client.post("/p/shop/incidents")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert 'href="/login"' in refused.text


def test_a_login_begins_a_session_in_a_cookie_that_scripts_cannot_read(browser, ana):
    """The cookie is for this host and https alone, and no script or page of others gets at it."""
    client = browser()
    answer = log_in(client, "ana", PASSWORD, to="/p/shop/fixes")
    assert (answer.status_code, answer.headers["location"]) == (303, "/p/shop/fixes")
    (cookie,) = [
        item for item in answer.headers.get_list("set-cookie") if item.startswith(SECURE_COOKIE)
    ]
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert client.get(READ).status_code == 200
    assert PASSWORD not in answer.text


def test_without_https_the_cookie_has_another_name(browser, ana):
    """A session over http isn't one over https."""
    client = browser("http://prunella.example")
    log_in(client, "ana", PASSWORD)
    assert COOKIE in client.cookies
    assert client.get(READ).status_code == 200


@pytest.mark.parametrize(
    ("name", "password"),
    [("ana", "wrong password"), ("ana", ""), ("eve", PASSWORD), ("", ""), ("ana", "x" * 5000)],
)
def test_wrong_names_and_passwords_look_the_same(browser, ana, name, password):
    """A failed login doesn't say whether there is such a name."""
    client = browser()
    answer = log_in(client, name, password)
    assert answer.status_code == 401
    assert "the name or the password is wrong" in answer.text
    assert client.get(READ).status_code == 401


def test_the_directory_holds_no_password_and_no_cookie(browser, ana, tmp_path):
    """Whoever reads the file can't log in with what they read."""
    client = browser()
    log_in(client, "ana", PASSWORD)
    kept = b"".join(path.read_bytes() for path in (tmp_path / ".prunella").iterdir())
    assert b"argon2id" in kept
    for secret in (PASSWORD, client.cookies[SECURE_COOKIE]):
        assert secret.encode() not in kept


def test_guessing_is_slowed_down_and_others_may_still_log_in(browser, ana, people):
    """After five wrong guesses from one place the right password doesn't help either, for a while."""
    people.add_person("ben", {"shop": Role.VIEWER}, password=PASSWORD)
    client = browser()
    for _ in range(5):
        assert log_in(client, "ana", "wrong password").status_code == 401
    assert log_in(client, "ana", PASSWORD).status_code == 429
    assert log_in(client, "ben", PASSWORD).status_code == 303


def test_a_login_forgets_the_failures_before_it(browser, ana):
    """Typing errors don't add up over successful logins."""
    client = browser()
    for _ in range(3):
        for _ in range(4):
            log_in(client, "ana", "wrong password")
        assert log_in(client, "ana", PASSWORD).status_code == 303
        client.cookies.clear()


def test_a_form_of_another_page_logs_nobody_in(browser, ana):
    """The login needs the token of its own page, and a browser that says it comes from there."""
    client = browser()
    page = client.get("/login")
    form = {"name": "ana", "password": PASSWORD, "next": "/"}
    assert client.post("/login", data=form).status_code == 403
    form["csrf_token"] = field(page, "csrf_token")
    cross = client.post("/login", data=form, headers={"sec-fetch-site": "cross-site"})
    assert cross.status_code == 403
    del client.cookies[LOGIN_COOKIE]
    assert client.post("/login", data=form).status_code == 403


def test_a_session_changes_nothing_without_its_token(browser, ana):
    """What a cookie goes with is believed only with the session's own token."""
    client = browser()
    log_in(client, "ana", PASSWORD)
    assert client.put(MUTE, json={}).status_code == 403
    assert client.put(MUTE, json={}, headers={"x-csrf-token": "0" * 64}).status_code == 403
    other = browser()
    log_in(other, "ana", PASSWORD)
    theirs = sessions.csrf_token(other.cookies[SECURE_COOKIE])
    assert client.put(MUTE, json={}, headers={"x-csrf-token": theirs}).status_code == 403
    mine = sessions.csrf_token(client.cookies[SECURE_COOKIE])
    assert client.put(MUTE, json={}, headers={"x-csrf-token": mine}).status_code == 200
    crossed = {"x-csrf-token": mine, "origin": "https://evil.example"}
    assert client.put(MUTE, json={}, headers=crossed).status_code == 403


def test_a_login_is_a_new_session_and_ends_the_old_one(browser, ana):
    """A cookie that was known before a login is worth nothing afterwards."""
    client = browser()
    client.cookies.set(SECURE_COOKIE, "chosen by somebody else")
    log_in(client, "ana", PASSWORD)
    first = client.cookies.get(SECURE_COOKIE, domain="prunella.example")
    assert first != "chosen by somebody else"


def test_logging_out_ends_the_session_for_whoever_has_its_cookie(browser, ana):
    """After a logout the cookie is void, also where it was copied."""
    client = browser()
    log_in(client, "ana", PASSWORD)
    copied = client.cookies[SECURE_COOKIE]
    assert client.get(READ).status_code == 200
    form = {"csrf_token": sessions.csrf_token(copied)}
    assert client.post("/logout", data=form).headers["location"] == "/login"
    thief = browser()
    thief.cookies.set(SECURE_COOKIE, copied)
    assert thief.get(READ).status_code == 401


@pytest.mark.parametrize("after", [sessions.IDLE, sessions.OLDEST])
def test_sessions_end_by_themselves(directory, ana, monkeypatch, after):
    """A session that rests too long, or is too old however it is used, is over."""
    found = sessions.Sessions(directory)
    secret = found.begin(ana, place="here")
    began = sessions.now()
    moment = began
    monkeypatch.setattr(sessions, "now", lambda: moment)
    while moment < began + after - sessions.IDLE / 2:
        assert found.find(secret) is not None
        moment += sessions.IDLE / 2
    moment = began + after + timedelta(seconds=1)
    if after == sessions.OLDEST:
        directory.touch_session(sessions.digest_of(secret), at=moment)
    assert found.find(secret) is None
    monkeypatch.undo()
    assert found.find(secret) is None  # it is forgotten


def test_a_new_password_ends_all_sessions(browser, ana, people, directory):
    """Whoever was logged in with the old password isn't any more."""
    found = sessions.Sessions(directory)
    secret = found.begin(ana, place="here")
    people.set_password("ana", "another password")
    assert found.find(secret) is None
    assert log_in(browser(), "ana", PASSWORD).status_code == 401
    assert log_in(browser(), "ana", "another password").status_code == 303


def test_an_invitation_sets_a_password_once(browser, people):
    """Whoever is invited chooses a password and is logged in; the link is void then."""
    _, secret = people.add_person("ben", {EVERYWHERE: Role.VIEWER})
    client = browser()
    page = client.get(f"/invitation/{secret}")
    assert "Welcome, ben" in page.text
    form = {"csrf_token": field(page, "csrf_token"), "password": "short", "again": "short"}
    assert client.post(f"/invitation/{secret}", data=form).status_code == 422
    form |= {"password": PASSWORD, "again": PASSWORD + "!"}
    assert client.post(f"/invitation/{secret}", data=form).status_code == 422
    form |= {"again": PASSWORD}
    assert client.post(f"/invitation/{secret}", data=form).status_code == 303
    assert client.get(READ).status_code == 200
    assert browser().get(f"/invitation/{secret}").status_code == 404
    assert log_in(browser(), "ben", PASSWORD).status_code == 303


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\evil",
        "javascript:alert(1)",
        "evil",
        "",
        "/\t/evil.example",
    ],
)
def test_a_login_leads_to_no_other_server(to):
    """Where a login goes on to is a path of this server."""
    assert local_path(to) == "/"
    assert local_path("/p/shop/?a=1") == "/p/shop/?a=1"


def test_who_came_and_who_failed_is_kept(browser, ana, directory):
    """Logins, failed ones and logouts stand in the server's audit log."""
    client = browser()
    log_in(client, "ana", "wrong password")
    log_in(client, "ana", PASSWORD)
    token = sessions.csrf_token(client.cookies[SECURE_COOKIE])
    client.post("/logout", data={"csrf_token": token})
    actions = [(entry.actor, entry.action) for entry in directory.audit()]
    assert actions[-3:] == [("ana", "login.failed"), ("ana", "login"), ("ana", "logout")]
    assert ("the test", "user.added") in actions
