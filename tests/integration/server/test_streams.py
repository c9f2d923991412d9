"""Open streams: pages and programs hear of changes as long as they may, and not a moment longer."""

import asyncio
from datetime import timedelta

import pytest

from prunella.model.clock import now
from prunella.model.directory import EVERYWHERE, Role
from prunella.server import door, sessions
from prunella.server.dashboard import live
from prunella.server.ingest import feeds

PAGE, FEED = "/p/shop/events", "/api/v1/projects/shop/feed/events"
#: Within it an end is heard here; servers look every two seconds.
SOON_S = 20.0


@pytest.fixture(autouse=True)
def looks_often(monkeypatch):
    monkeypatch.setattr(door, "_BELIEVED_S", 0.0)
    monkeypatch.setattr(live, "RIGHTS_S", 0.05)
    monkeypatch.setattr(live, "_STEP_S", 0.05)
    monkeypatch.setattr(feeds, "RIGHTS_S", 0.05)


class Stream:
    """A request that stays open, without a network in between."""

    def __init__(self, app, path, headers):
        self.status, self.body, self._began = 0, b"", asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run(app, path, headers))

    async def _run(self, app, path, headers):
        scope = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [
                (name.encode(), value.encode())
                for name, value in {"host": "prunella.example", **headers}.items()
            ],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive():
            for message in asked:
                return message
            return await asyncio.get_running_loop().create_future()

        async def send(message):
            self.status = message.get("status", self.status)
            self.body += message.get("body", b"")
            if self.body:
                self._began.set()

        await app(scope, receive, send)

    async def began(self):
        await asyncio.wait_for(self._began.wait(), SOON_S)
        assert self.status == 200
        return self

    async def ends(self):
        await asyncio.wait_for(self._task, SOON_S)

    async def goes_on(self):
        done, _ = await asyncio.wait([self._task], timeout=0.5)
        assert not done

    async def leave(self):
        self._task.cancel()
        await asyncio.wait([self._task])


@pytest.fixture
def cookie(directory, people):
    """Return the header of a browser in which somebody is logged in."""

    def begin(name="ana", role=Role.VIEWER):
        person, _ = people.add_person(name, {"shop": role, "bank": role})
        secret = sessions.Sessions(directory).begin(person, place="here")
        return {"cookie": f"{door.COOKIE}={secret}"}

    return begin


def bearer(secret):
    return {"authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("path", [PAGE, FEED])
@pytest.mark.parametrize("how", ["logout", "removed", "role", "password", "idle", "old"])
def test_streams_end_with_their_session(guarded, directory, people, cookie, path, how, monkeypatch):
    """Logged out, removed, of another role, with a new password, unused, old: the stream is over."""
    headers = cookie()
    secret = headers["cookie"].partition("=")[2]
    later = {"idle": sessions.IDLE, "old": sessions.OLDEST}
    ways = {
        "logout": lambda: sessions.Sessions(directory).end(secret, actor="ana"),
        "removed": lambda: people.remove_person("ana"),
        "role": lambda: people.set_roles("ana", {"bank": Role.ADMIN}),
        "password": lambda: people.set_password("ana", "a new password"),
    }

    async def run():
        stream = await Stream(guarded, path, headers).began()
        await stream.goes_on()
        if how in later:
            moment = now() + later[how]
            monkeypatch.setattr(sessions, "now", lambda: moment)
        else:
            ways[how]()
        await stream.ends()

    asyncio.run(run())


@pytest.mark.parametrize(("path", "role"), [(PAGE, Role.VIEWER), (FEED, Role.REPORTER)])
@pytest.mark.parametrize("how", ["ended", "expired"])
def test_streams_end_with_their_key(guarded, people, path, role, how, monkeypatch):
    """A key or token that was ended or has expired ends its streams, and nobody else's."""
    mine, secret = people.add_credential(
        "mine", "shop", role, expires_at=now() + timedelta(hours=1)
    )
    _, other = people.add_credential("mine", "shop", role)

    async def run():
        streams = [await Stream(guarded, path, bearer(secret)).began() for _ in range(3)]
        others = await Stream(guarded, path, bearer(other)).began()
        if how == "ended":
            people.end_credential(mine.credential_id, keys=mine.is_key)
        else:
            monkeypatch.setattr(door, "now", lambda: mine.expires_at)
        for stream in streams:
            await stream.ends()
        await others.goes_on()
        await others.leave()

    asyncio.run(run())


def test_a_project_that_is_forgotten_ends_its_streams(guarded, people):
    """Its keys are gone, and so is who listened with them."""
    _, secret = people.add_credential("web", "shop", Role.REPORTER)

    async def run():
        stream = await Stream(guarded, FEED, bearer(secret)).began()
        people.remove_project("shop")
        await stream.ends()

    asyncio.run(run())


def test_an_open_page_is_no_use_of_a_session(guarded, directory, cookie, monkeypatch):
    """What only stays open doesn't put off the end of a session that nobody uses."""
    headers = cookie()
    digest = sessions.digest_of(headers["cookie"].partition("=")[2])
    seen_at = directory.session(digest)[0].seen_at

    async def run():
        stream = await Stream(guarded, PAGE, headers).began()
        moment = now() + timedelta(hours=1)
        monkeypatch.setattr(sessions, "now", lambda: moment)
        await stream.goes_on()
        await stream.leave()

    asyncio.run(run())
    assert directory.session(digest)[0].seen_at == seen_at


def test_a_stream_without_a_session_is_refused(browser):
    """A page whose session is over learns that from its stream's status; people see the login."""
    client = browser()
    assert client.get(PAGE).status_code == 401
    assert client.get("/p/shop/").status_code == 303


def test_of_many_who_listen_with_one_key_one_is_asked_for(guarded, people, monkeypatch):
    """What asking costs grows with keys, not with programs."""
    _, secret = people.add_credential("web", "shop", Role.REPORTER)
    asked = []
    standing = door.Door.standing

    async def counted(self, connection):
        asked.append(connection)
        return await standing(self, connection)

    monkeypatch.setattr(door.Door, "standing", counted)
    monkeypatch.setattr(feeds, "RIGHTS_S", 0.2)

    async def run():
        streams = [await Stream(guarded, FEED, bearer(secret)).began() for _ in range(20)]
        asked.clear()
        await asyncio.sleep(0.5)
        rounds = len(asked)
        for stream in streams:
            await stream.leave()
        return rounds

    assert 1 <= asyncio.run(run()) <= 5


def test_nobody_can_tell_means_go_on(guarded, people, monkeypatch):
    """While the directory can't answer, streams stay: it is asked again."""
    from prunella.model.errors import StoreError

    _, secret = people.add_credential("ci", EVERYWHERE, Role.ADMIN)

    async def run():
        streams = [await Stream(guarded, path, bearer(secret)).began() for path in (PAGE, FEED)]

        async def fails(_self, _connection):
            raise StoreError("away")

        monkeypatch.setattr(door.Door, "standing", fails)
        for stream in streams:
            await stream.goes_on()
            await stream.leave()

    asyncio.run(run())
