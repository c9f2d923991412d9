"""Keys and tokens: what they let programs do, how much, and how long."""

from datetime import timedelta

import pytest

from prunella.model.clock import now
from prunella.model.directory import EVERYWHERE, Role
from prunella.model.errors import ConfigurationError, UnknownName
from prunella.server import limits

READ = "/api/v1/projects/shop/incidents"


@pytest.fixture
def client(browser):
    return browser()


def bearer(secret):
    return {"authorization": f"Bearer {secret}"}


def test_a_token_does_what_its_role_says_in_its_project(client, people):
    """A viewer's token reads its project, changes nothing, and knows of no other."""
    _, secret = people.add_credential("ci", "shop", Role.VIEWER)
    assert client.get(READ, headers=bearer(secret)).status_code == 200
    muted = client.put("/api/v1/projects/shop/mutes/NET", json={}, headers=bearer(secret))
    assert muted.status_code == 403
    other = client.get("/api/v1/projects/bank/incidents", headers=bearer(secret))
    assert other.status_code == 404


def test_a_token_needs_no_csrf_token(client, people):
    """A browser sends no token by itself, so that nothing can be forged with it."""
    _, secret = people.add_credential("ci", EVERYWHERE, Role.OPERATOR)
    answer = client.put("/api/v1/projects/shop/mutes/NET", json={}, headers=bearer(secret))
    assert (answer.status_code, answer.json()["by"]) == (200, "token ci")


@pytest.mark.parametrize(
    "sent",
    [
        {"headers": {"authorization": "Bearer KEY"}},
        {"headers": {"x-prunella-key": "KEY"}},
        {"headers": {"x-sentry-auth": "Sentry sentry_version=7, sentry_key=KEY, sentry_client=x"}},
        {"params": {"sentry_key": "KEY"}},
    ],
)
def test_a_key_is_taken_from_wherever_clients_send_it(client, people, sent):
    """A key is known by all of them, and reads nothing: it is for reporting."""
    _, secret = people.add_credential("web", "shop", Role.REPORTER)
    sent = {
        where: {name: value.replace("KEY", secret) for name, value in what.items()}
        for where, what in sent.items()
    }
    assert client.get(READ, **sent).status_code == 403


def test_what_has_ended_or_expired_lets_nobody_in(client, people, monkeypatch):
    """An ended, an expired and an unknown token are the same."""
    from prunella.server import door

    monkeypatch.setattr(door, "_BELIEVED_S", 0.0)
    token, secret = people.add_credential("ci", "shop", Role.VIEWER)
    soon, expiring = people.add_credential(
        "soon", "shop", Role.VIEWER, expires_at=now() + timedelta(hours=1)
    )
    assert client.get(READ, headers=bearer(expiring)).status_code == 200
    people.end_credential(token.credential_id, keys=False)
    assert client.get(READ, headers=bearer(secret)).status_code == 401
    assert client.get(READ, headers=bearer("prt_" + "0" * 32)).status_code == 401
    monkeypatch.setattr(door, "now", lambda: soon.expires_at)
    assert client.get(READ, headers=bearer(expiring)).status_code == 401


def test_requests_are_limited_by_the_minute(client, people):
    """Beyond its burst a token is told when to come again."""
    _, secret = people.add_credential("ci", "shop", Role.VIEWER, per_minute=3)
    answers = [client.get(READ, headers=bearer(secret)) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 20


def test_the_bucket_fills_again(directory, people, monkeypatch):
    """After the time that was said, a request is admitted."""
    credential, _ = people.add_credential("ci", "shop", Role.VIEWER, per_minute=60)
    moment = now()
    monkeypatch.setattr(limits, "now", lambda: moment)
    found = limits.Limits(directory)
    assert [found.admit(credential) for _ in range(60)] == [None] * 60
    wait_s = found.admit(credential)
    assert 0 < wait_s <= 1
    moment += timedelta(seconds=wait_s)
    assert found.admit(credential) is None


def test_bytes_are_limited_by_the_day_over_all_servers(directory, people, monkeypatch):
    """What one server has counted counts for the others, and the next day begins anew."""
    credential, _ = people.add_credential("web", "shop", Role.REPORTER, bytes_per_day=1000)
    moment = now().replace(hour=12)
    monkeypatch.setattr(limits, "now", lambda: moment)
    first, second = limits.Limits(directory), limits.Limits(directory)
    assert first.admit(credential) is None
    first.count(credential, 1000)
    assert first.admit(credential) == 12 * 3600 - moment.minute * 60 - moment.second - (
        moment.microsecond / 1e6
    )
    first.close()
    assert second.admit(credential) is not None
    moment += timedelta(days=1)
    assert second.admit(credential) is None


def test_a_body_counts_whatever_it_says(client, people):
    """Bytes are counted as they come."""
    _, secret = people.add_credential("ci", "shop", Role.OPERATOR, bytes_per_day=100)
    put = client.put(
        "/api/v1/projects/shop/mutes/NET",
        content=iter([b'{"for_s": 60}', b" " * 100]),
        headers={"content-type": "application/json", **bearer(secret)},
    )
    assert put.status_code == 200
    assert client.get(READ, headers=bearer(secret)).status_code == 429


def test_keys_and_tokens_are_told_apart(people):
    """A key is ended as a key, of its own project."""
    key, secret = people.add_credential("web", "shop", Role.REPORTER)
    assert (secret[:4], key.credential_id[:4]) == ("prk_", "key_")
    assert people.credentials(keys=True, project="shop") == [key]
    assert people.credentials(keys=False) == people.credentials(keys=True, project="bank") == []
    with pytest.raises(UnknownName):
        people.end_credential(key.credential_id, keys=False)
    with pytest.raises(UnknownName):
        people.end_credential(key.credential_id, keys=True, project="bank")
    people.end_credential(key.credential_id, keys=True, project="shop")
    assert people.credentials(keys=True) == []
    assert len(people.credentials(keys=True, with_ended=True)) == 1


def test_what_cannot_be_is_refused(people):
    """Names, projects, roles and times that make no sense are refused where they are given."""
    with pytest.raises(ConfigurationError, match="project's name"):
        people.add_project("No Project")
    with pytest.raises(ConfigurationError, match="already"):
        people.add_project("shop")
    with pytest.raises(UnknownName, match="bank, local, shop"):
        people.add_credential("ci", "shoop", Role.VIEWER)
    with pytest.raises(ConfigurationError, match="one project"):
        people.add_credential("web", EVERYWHERE, Role.REPORTER)
    with pytest.raises(ConfigurationError, match="in the past"):
        people.add_credential("ci", "shop", Role.VIEWER, expires_at=now())
    with pytest.raises(ConfigurationError, match="10 characters"):
        people.add_person("ana", {}, password="s" * 9)
    with pytest.raises(ConfigurationError, match="user's name"):
        people.add_person("Ana Banana", {})


def test_the_last_admin_stays(people):
    """Nobody can lock everybody out."""
    people.add_person("ana", {EVERYWHERE: Role.ADMIN}, password=11 * "p")
    with pytest.raises(ConfigurationError, match="only admin"):
        people.remove_person("ana")
    with pytest.raises(ConfigurationError, match="only admin"):
        people.set_roles("ana", {EVERYWHERE: Role.VIEWER})
    people.add_person("ben", {EVERYWHERE: Role.ADMIN}, password=11 * "p")
    people.remove_person("ana")


def test_removing_a_project_ends_its_keys(people, directory):
    """A project that is gone lets nobody in any more."""
    people.add_credential("web", "shop", Role.REPORTER)
    people.remove_project("shop")
    assert people.credentials(keys=True, with_ended=True) == []
    assert [project.name for project in directory.projects()] == ["bank", "local"]
