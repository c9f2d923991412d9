"""Stands in front of all routes: who asks, from where, and whether a browser was tricked into it.

What the gate can't know from a credential alone is decided here for every route at once, so that no
route can forget it: the host's name (a page of others that has its name resolved to this machine),
the origin of what changes anything, and the session's token in forms. It also sets the headers that
bind browsers.
"""

import hmac
import logging
import re
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prunella.model.errors import StoreError
from prunella.server.gate import Entry, Gate, Refusal

#: Names of this machine, as a browser on it may use them.
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
#: Methods that change nothing.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM = "application/x-www-form-urlencoded"
_FORMS = frozenset({_FORM, "multipart/form-data", "text/plain"})
#: Bytes of a form.
MAX_FORM_BYTES = 1_000_000
#: Name of the form's field, and of the header, that hold a session's token.
CSRF_FIELD, CSRF_HEADER = "csrf_token", "x-csrf-token"

#: What browsers are told with every answer. Scripts and styles come from files of this server alone;
#: pages add the digests of the sheet and the script that stand in them.
HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_SET = [
    *((name.encode(), value.encode()) for name, value in HEADERS.items()),
    (b"cache-control", b"no-store"),
]
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_log = logging.getLogger("prunella.server")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?", re.IGNORECASE)


class Guard:
    """The ASGI middleware; `refuse` makes the answer for whom it turns away."""

    def __init__(
        self, app: ASGIApp, *, gate: Gate, refuse: Callable[[Request, Refusal], Response]
    ) -> None:
        self._app, self._gate, self._refuse = app, gate, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        send = _with_headers(scope, send)
        connection = HTTPConnection(scope)
        refusal = self._misled(connection)
        if refusal is None:
            entered = await self._entered(connection)
            if isinstance(entered, Entry):
                state = scope.setdefault("state", {})
                state["access"] = entered.access
                state["standing"] = partial(self._gate.standing, connection)
                if entered.count is not None:
                    receive = _counted(receive, entered.count)
                if entered.is_ambient and scope.get("method", "GET") not in _SAFE:
                    refusal, receive = await _forged(connection, entered, receive)
            else:
                refusal = entered
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._refuse(Request(scope), refusal)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _entered(self, connection: HTTPConnection) -> Entry | Refusal:
        try:
            return await self._gate.enter(connection)
        except StoreError as error:
            _log.warning("who asks can't be found out: %s", error)
            return Refusal(
                status=503,
                message="the database doesn't answer, so nobody can be let in now; try again soon",
                headers={"Retry-After": "5"},
            )

    def _misled(self, connection: HTTPConnection) -> Refusal | None:
        """Refuse a browser that was made to believe that this machine is another."""
        host = connection.headers.get("host", "")
        found = _HOST.fullmatch(host)
        if found is None:
            return Refusal(status=400, message="the header Host is no host's name")
        if self._gate.is_local and found[1].lower() not in LOCAL_NAMES:
            return Refusal(
                status=403,
                message=f"this server answers on this machine alone, not as {found[1][:80]}; with "
                "--auth it answers whoever logs in",
            )
        return None


async def _forged(
    connection: HTTPConnection, entry: Entry, receive: Receive
) -> tuple[Refusal | None, Receive]:
    """Refuse what a page of others sends; return how the body, read for its token, is read again."""
    headers = connection.headers
    if not is_same_origin(headers):
        return _refused("it comes from a page of another site"), receive
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    token = headers.get(CSRF_HEADER, "")
    if not token and kind == _FORM:
        body = await _body(receive)
        if body is None:
            return Refusal(status=413, message="the form is too large"), receive
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=1000)
        token, receive = fields.get(CSRF_FIELD, [""])[0], _again(body, receive)
    # A form can be sent from any page, and so can whatever a session's cookie goes with.
    needs_token = entry.access.has_session or kind in _FORMS
    if needs_token and not _equal(token, entry.access.csrf_token):
        return _refused(f"its {CSRF_FIELD} isn't that of the page; load the page again"), receive
    return None, receive


def is_same_origin(headers: Headers) -> bool:
    """Say whether a browser sends it from a page of this server; true for what is no browser."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def _equal(given: str, expected: str) -> bool:
    return bool(expected) and hmac.compare_digest(
        given.encode("utf-8", "replace"), expected.encode()
    )


def _refused(why: str) -> Refusal:
    return Refusal(status=403, message=f"this request was refused: {why}")


async def _body(receive: Receive) -> bytes | None:
    """Return the body, ``None`` where it is too large."""
    data = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(data)
        data += message.get("body", b"")
        if len(data) > MAX_FORM_BYTES:
            return None
        if not message.get("more_body"):
            return bytes(data)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives `body` first."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    return receive_again


def _counted(receive: Receive, count: Callable[[int], None]) -> Receive:
    async def receive_counted() -> Message:
        message = await receive()
        count(len(message.get("body", b"")))
        return message

    return receive_counted


def _with_headers(scope: Scope, send: Send) -> Send:
    is_secure = scope.get("scheme") in {"https", "wss"}

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            there = {name.lower() for name, _ in headers}
            headers += [pair for pair in _SET if pair[0] not in there]
            if is_secure:
                headers.append(_HSTS)
            message = {**message, "headers": headers}
        await send(message)

    return send_with_headers
