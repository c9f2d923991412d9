"""The gate of a server that wants to know people: keys, tokens, and sessions in a browser."""

import re
from collections.abc import Callable
from math import ceil
from typing import TypeVar
from urllib.parse import parse_qs, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from prunella.model.clock import now
from prunella.model.directory import Credential, Person
from prunella.ports import Directory
from prunella.server.access import Access
from prunella.server.gate import Entry, Refusal
from prunella.server.limits import Limits
from prunella.server.people import digest_of
from prunella.server.remembered import Remembered
from prunella.server.sessions import Sessions, csrf_token

#: The session's cookie; over https the browser keeps it to this very host.
COOKIE, SECURE_COOKIE = "prunella_session", "__Host-prunella_session"
#: The cookie of a browser that is about to log in.
LOGIN_COOKIE = "prunella_login"
#: What is answered to anybody: logging in, its files, and approvals, whose token is all they take.
_PUBLIC = re.compile(
    r"/(login|invitation|oidc)(/.*)?|/static/.*|/api/v1/openapi\.json"
    r"|/api/v1/projects/[^/]+/approvals/[^/]+(/decline)?|/approve/[^/]+/[^/]+"
)
#: What answers programs, so that it doesn't lead to the login.
FOR_PROGRAMS = re.compile(r"/(api|v1)/.*")
_STREAM = re.compile(r"/p/[^/]+/events")
_SENTRY_KEY = re.compile(r"\bsentry_key=([\w-]+)")
#: What was found out is believed for so long, in seconds: an ended key works on at the most so long.
_BELIEVED_S = 2.0
_MOST_REMEMBERED = 10_000

V = TypeVar("V")


class Door:
    """Lets in who has a session, a key or a token; a `prunella.server.gate.Gate`."""

    is_local = False

    def __init__(self, directory: Directory) -> None:
        self._limits = Limits(directory)
        sessions = Sessions(directory)
        self._credentials = _remembered(directory.credential)
        self._sessions = _remembered(sessions.find)
        self._open_sessions = _remembered(sessions.look)

    async def enter(self, connection: HTTPConnection) -> Entry | Refusal:
        given = given_credential(connection)
        if given:
            digest = digest_of(given)
            known = self._credentials.known(digest)
            if known is not None and not self._limits.is_due(known):
                return self._admitted(known)  # nothing has to be asked: no thread, no waiting
            return await run_in_threadpool(self._program, digest)
        secret = session_of(connection)
        if secret:
            person = await run_in_threadpool(self._sessions.get, secret)
            if person is not None:
                return _person_enters(person, secret)
        if _PUBLIC.fullmatch(connection.scope["path"]):
            return _nobody_enters(connection)
        return _turned_away(connection)

    async def standing(self, connection: HTTPConnection) -> Access | None:
        given = given_credential(connection)
        if given:
            digest = digest_of(given)
            credential = self._credentials.known(digest)
            if credential is None:
                credential = await run_in_threadpool(self._credentials.get, digest)
            is_valid = credential is not None and _is_valid(credential)
            return _access_of(credential) if credential is not None and is_valid else None
        secret = session_of(connection)
        person = await run_in_threadpool(self._open_sessions.get, secret) if secret else None
        return None if person is None else _person_enters(person, secret).access

    def forget(self, secret: str) -> None:
        """Believe nothing of a session any more: it was just ended."""
        self._sessions.forget(secret)
        self._open_sessions.forget(secret)

    def close(self) -> None:
        """Keep what was counted."""
        self._limits.close()

    def _program(self, digest: str) -> Entry | Refusal:
        return self._admitted(self._credentials.get(digest))

    def _admitted(self, credential: Credential | None) -> Entry | Refusal:
        if credential is None or not _is_valid(credential):
            return Refusal(
                status=401,
                message="the key or token is unknown, or has ended",
                headers={"WWW-Authenticate": "Bearer"},
            )
        wait_s = self._limits.admit(credential)
        if wait_s is not None:
            return Refusal(
                status=429,
                message=f"{credential.name}: {credential.per_minute} requests a minute and "
                f"{credential.bytes_per_day} bytes a day are allowed",
                headers={"Retry-After": str(ceil(wait_s))},
            )
        return Entry(
            access=_access_of(credential),
            is_ambient=False,
            count=lambda size_bytes: self._limits.count(credential, size_bytes),
        )


def given_credential(connection: HTTPConnection) -> str:
    """Return the key or token that a program sends along; "" where there is none.

    As ``Authorization: Bearer``, ``X-Prunella-Key``, or as Sentry's clients send theirs.
    """
    headers = connection.headers
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    if key := headers.get("x-prunella-key", "").strip():
        return key
    if found := _SENTRY_KEY.search(headers.get("x-sentry-auth", "")):
        return found[1]
    if "sentry_key" in connection.url.query:
        return parse_qs(connection.url.query, max_num_fields=100).get("sentry_key", [""])[0]
    return ""


def session_of(connection: HTTPConnection) -> str:
    """Return what the session's cookie holds; "" without one."""
    name = SECURE_COOKIE if is_secure(connection) else COOKIE
    return connection.cookies.get(name, "")[:200]


def is_secure(connection: HTTPConnection) -> bool:
    """Say whether the browser is connected by https, as far as the server is told."""
    return connection.url.scheme in {"https", "wss"}


def _is_valid(credential: Credential) -> bool:
    if credential.ended_at is not None:
        return False
    return credential.expires_at is None or credential.expires_at > now()


def _access_of(credential: Credential) -> Access:
    what = "key" if credential.is_key else "token"
    return Access(actor=f"{what} {credential.name}", roles={credential.project: credential.role})


def _person_enters(person: Person, secret: str) -> Entry:
    access = Access(
        actor=person.name,
        roles=dict(person.roles),
        csrf_token=csrf_token(secret),
        has_session=True,
    )
    return Entry(access=access, is_ambient=True)


def _nobody_enters(connection: HTTPConnection) -> Entry:
    secret = connection.cookies.get(LOGIN_COOKIE, "")[:200]
    token = csrf_token(secret) if secret else ""
    return Entry(access=Access(actor="nobody", roles={}, csrf_token=token), is_ambient=True)


def _turned_away(connection: HTTPConnection) -> Refusal:
    path = connection.scope["path"]
    # A page's stream is told to end, not led to a form that it would take for an empty stream.
    is_page = not FOR_PROGRAMS.fullmatch(path) and not _STREAM.fullmatch(path)
    if connection.scope.get("method") == "GET" and is_page:
        query = f"?{connection.url.query}" if connection.url.query else ""
        return Refusal(
            status=303,
            message="log in first",
            headers={"Location": f"/login?next={quote(path + query, safe='')}"},
        )
    return Refusal(
        status=401,
        message="log in, or send a token: Authorization: Bearer TOKEN",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _remembered(ask: Callable[[str], V]) -> Remembered[str, V]:
    return Remembered(ask, believed_s=_BELIEVED_S, most=_MOST_REMEMBERED)
