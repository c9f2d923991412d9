"""What the doubles of code hosts share: real HTTP, faults, and pull requests over a bare repository."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from doubles.bare_repository import BareRepository

TOKEN = "tok-1234567890"  # noqa: S105 - of the double


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as the double got it."""

    verb: str
    #: Without query, unquoted.
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]
    #: As it was sent, with query.
    address: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the double answers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Sent in place of `body`.
    raw: bytes | None = None
    #: The connection ends without an answer.
    dropped: bool = False


@dataclass(slots=True)
class Pull:
    """A pull request."""

    number: int
    branch: str
    base: str
    title: str
    body: str
    draft: bool
    state: str = "open"
    merged: bool = False
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    #: ``owner/name`` that the branch lies in.
    home: str = "shop/backend"


Fault = Callable[[Asked, int], Answered | None]


class CodeHostDouble:
    """A host over `repository`; subclasses say how it speaks.

    `fault` is asked about each request with its number, from 1; what it answers is sent instead of
    doing anything. With `drops_after` set, that request is carried out, and neither it nor any later
    one is answered: what a healer sees that dies there.
    """

    def __init__(self, repository: BareRepository) -> None:
        self.repository = repository
        self.pulls: list[Pull] = []
        self.asked: list[Asked] = []
        self.complaints: list[str] = []
        self.fault: Fault = lambda asked, number: None
        self.drops_after: int | None = None
        #: What the host says of its asker's right to push; None where it says nothing.
        self.may_push: bool | None = True
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def restarted(self) -> None:
        """Forget faults and requests; what was made stays."""
        self.asked, self.drops_after = [], None
        self.fault = lambda asked, number: None

    def answer(self, asked: Asked) -> Answered:
        """Take one request in."""
        with self._lock:
            self.asked.append(asked)
            number = len(self.asked)
            if self.drops_after is not None and number > self.drops_after:
                return Answered(dropped=True)
            scripted = self.fault(asked, number)
            if scripted is not None:
                return scripted
            try:
                answered = self.do(asked)
                self.check(asked, answered)
            except Exception as error:  # noqa: BLE001 - a test has to see it
                why = f"{error!r} {[str(item)[:300] for item in causes(error)]}"
                self.complaints.append(f"{asked.verb} {asked.address}: {why}"[:3000])
                return Answered(status=500, body={"message": f"double: {error!r}"[:300]})
            return Answered(dropped=True) if number == self.drops_after else answered

    def do(self, asked: Asked) -> Answered:
        """Carry a request out."""
        raise NotImplementedError

    def check(self, asked: Asked, answered: Answered) -> None:
        """Raise where either isn't what the host documents."""

    def open_pulls(self) -> list[Pull]:
        return [pull for pull in self.pulls if pull.state == "open"]

    def remove_branch(self, branch: str) -> None:
        """Remove a branch; what was open for it is closed, as hosts do."""
        self.repository.move(branch, None)
        for pull in self.open_pulls():
            if pull.branch == branch:
                pull.state = "closed"

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def running(double: CodeHostDouble) -> Iterator[Any]:
    """Serve a double while the block runs."""
    thread = threading.Thread(target=double.serve, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        double.stop()
        thread.join(5)


def causes(error: BaseException) -> list[object]:
    """Return what a failed check has found, which its message doesn't say."""
    cause = error.__cause__
    return [] if cause is None else [*getattr(cause, "schema_errors", [cause])]


def encoded(answered: Answered) -> bytes:
    """Return the bytes of an answer's body."""
    if answered.raw is not None:
        return answered.raw
    return b"" if answered.status == 204 else json.dumps(answered.body).encode()


def _handler(double: CodeHostDouble) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _take(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            answered = double.answer(
                Asked(
                    verb=self.command,
                    path=unquote(parts.path),
                    query=dict(parse_qsl(parts.query)),
                    body=json.loads(raw) if raw else None,
                    headers={name.lower(): value for name, value in self.headers.items()},
                    address=self.path,
                    raw=raw,
                )
            )
            if answered.dropped:
                self.close_connection = True
                return
            content = encoded(answered)
            self.send_response(answered.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in answered.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _take  # noqa: N815 - the base's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Keep quiet."""

    return Handler
