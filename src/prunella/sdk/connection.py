"""One connection to the server, whatever the server does: every wait and every answer is bounded.

A request ends by its deadline, also where the other side sends a byte now and then; an answer is
read up to a number of bytes; redirects aren't followed, because they would carry the key elsewhere.
Where the environment names a proxy, what is encrypted goes through a tunnel that it opens.
"""

import http.client
import io
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any, NamedTuple

from prunella._version import __version__
from prunella.sdk.dsn import Dsn
from prunella.sdk.proxies import Proxy, ProxyError, authority, proxy_for

#: A request that takes longer has failed.
DEADLINE_S = 15.0
#: Bytes of an ordinary answer.
MAX_ANSWER_BYTES = 65_536
#: A connection that has been idle for longer is made anew: servers close theirs after a while.
_IDLE_S = 20.0


class NoAnswerError(Exception):
    """The server gave no usable answer; the argument says why, without the key."""


class _UnusableError(ValueError):
    """The answer isn't one of this protocol; the argument is our own text."""


class Answer(NamedTuple):
    """What the server said; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Timed:
    """A socket whose operations end by a common deadline, as far as `http.client` uses one."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self.deadline = deadline

    def arm(self) -> None:
        """Let the next operation end by the deadline; raises `TimeoutError` behind it."""
        left_s = self.deadline - monotonic()
        if left_s <= 0:
            raise TimeoutError("the deadline has passed")
        self._sock.settimeout(left_s)

    def sendall(self, data: Any) -> None:
        view = memoryview(data).cast("B")
        while view:
            self.arm()
            view = view[self._sock.send(view[:65_536]) :]

    def makefile(self, mode: str, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self, self._sock.makefile("rb", buffering=0)))

    def close(self) -> None:
        self._sock.close()

    def abandon(self) -> None:
        """Close this process's copy of the socket, whoever still refers to it, and tell nobody."""
        descriptor = self._sock.detach()
        if descriptor >= 0:
            os.close(descriptor)


class _Reader(io.RawIOBase):
    def __init__(self, timed: _Timed, raw: Any) -> None:
        self._timed = timed
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._timed.arm()
        found: int | None = self._raw.readinto(buffer)
        return found

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Http(http.client.HTTPConnection):
    """`HTTPConnection` over a `_Timed` socket."""

    def __init__(self, dsn: Dsn, context: ssl.SSLContext | None, deadline: float) -> None:
        super().__init__(dsn.host, dsn.port)
        self._proxy = proxy_for("http" if context is None else "https", dsn.host, dsn.port)
        self._context = context
        self._until = deadline
        #: Kept apart from `sock`, which is forgotten as soon as the server says it will close.
        self._timed: _Timed | None = None

    def connect(self) -> None:
        sock = self._dialled()
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                if self._proxy is not None:
                    self._tunnel(_Timed(sock, self._until), self._proxy)
                sock.settimeout(max(self._until - monotonic(), 0.001))
                sock = self._context.wrap_socket(sock, server_hostname=self.host)
        except BaseException:
            sock.close()
            raise
        self.sock = self._timed = _Timed(sock, self._until)

    def _dialled(self) -> socket.socket:
        left_s = max(self._until - monotonic(), 0.001)
        proxy = self._proxy
        if proxy is None:
            return socket.create_connection((self.host, self.port), timeout=left_s)
        try:
            return socket.create_connection((proxy.host, proxy.port), timeout=left_s)
        except OSError as error:
            raise ProxyError(f"the proxy {proxy.place}: {_why(error)}") from error

    def _tunnel(self, timed: _Timed, proxy: Proxy) -> None:
        """Have the proxy pass on what comes next, which it can't read."""
        to = authority(self.host, self.port)
        lines = [f"CONNECT {to} HTTP/1.1", f"Host: {to}"]
        lines += [f"{name}: {value}" for name, value in proxy.headers.items()]
        timed.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        socket_like: Any = timed
        with http.client.HTTPResponse(socket_like, method="CONNECT") as answer:
            answer.begin()
            status = answer.status
        if status == 407:
            raise ProxyError(
                f"the proxy {proxy.place} wants a name and a password, or others: "
                "HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT"
            )
        if status != 200:
            raise ProxyError(f"the proxy {proxy.place} refuses: status {status}")

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        """Send a request; to a proxy that reads it, with its whole address."""
        if self._proxy is not None and self._context is None:
            path = f"http://{authority(self.host, self.port)}{path}"
            headers = headers | self._proxy.headers
        self.request(method, path, body=body or None, headers=headers)

    def abandon(self) -> None:
        if self._timed is not None:
            self._timed.abandon()

    def until(self, deadline: float) -> None:
        self._until = deadline
        if self._timed is not None:
            self._timed.deadline = deadline


class Connection:
    """Requests about one project, one at a time. Not for several threads."""

    def __init__(self, dsn: Dsn, *, sender: str = "") -> None:
        self._dsn = dsn
        self._sender = sender
        self._http: _Http | None = None
        self._tls: ssl.SSLContext | None = None
        self._used_at = 0.0

    def request(
        self,
        method: str,
        rest: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] = {},
        deadline_s: float = DEADLINE_S,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> Answer:
        """Return the answer; raises `NoAnswerError` where there is none within `deadline_s`.

        A request may have been received all the same. One that a kept connection didn't take is
        tried again on a new one.
        """
        deadline = monotonic() + deadline_s
        is_kept = self._http is not None and monotonic() - self._used_at < _IDLE_S
        if not is_kept:
            self.close()
        try:
            try:
                return self._try(method, rest, body, headers, deadline, max_bytes)
            except (ConnectionError, http.client.BadStatusLine):
                self.close()
                if not is_kept:
                    raise
                return self._try(method, rest, body, headers, deadline, max_bytes)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise NoAnswerError(_why(error)) from error

    def _try(
        self,
        method: str,
        rest: str,
        body: bytes,
        headers: Mapping[str, str],
        deadline: float,
        max_bytes: int,
    ) -> Answer:
        response = self._send(method, rest, body, headers, deadline)
        content = response.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise _UnusableError(f"an answer of more than {max_bytes} bytes")
        self._used_at = monotonic()
        if not response.isclosed():  # something is left in it
            self.close()
        return Answer(response.status, _headers(response), content)

    def _send(
        self, method: str, rest: str, body: bytes, headers: Mapping[str, str], deadline: float
    ) -> http.client.HTTPResponse:
        if self._http is None:
            self._http = _Http(self._dsn, self._context(), deadline)
        self._http.until(deadline)
        sent = {"User-Agent": f"prunella/{__version__}", **headers}
        if self._dsn.key:
            sent["Authorization"] = f"Bearer {self._dsn.key}"
        if self._sender:
            sent["X-Prunella-Sender"] = self._sender
        self._http.ask(method, self._dsn.path(rest), body, sent)
        return self._http.getresponse()

    def lines(
        self, rest: str, *, headers: Mapping[str, str] = {}, idle_s: float, max_bytes: int
    ) -> Iterator[bytes]:
        """Yield the lines of an answer without end as they come, without their line breaks.

        Each line has to come within `idle_s` and in `max_bytes`. Raises `NoAnswerError` when it ends,
        for whatever reason; `Refusal` of it stands in its text.
        """
        self.close()
        try:
            response = self._send("GET", rest, b"", headers, monotonic() + idle_s)
            if response.status != 200:
                raise _UnusableError(f"status {response.status}")
            while True:
                if self._http is not None:
                    self._http.until(monotonic() + idle_s)
                line = response.readline(max_bytes + 1)
                if not line.endswith(b"\n"):
                    raise _UnusableError("the stream has ended, or a line of it never does")
                yield line.rstrip(b"\r\n")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswerError(_why(error)) from error
        finally:
            self.close()

    def _context(self) -> ssl.SSLContext | None:
        if self._dsn.is_encrypted and self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def abandon(self) -> None:
        """In a forked child: give up the socket, which is the parent's as well."""
        http, self._http = self._http, None
        if http is not None:
            http.abandon()

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None


def _headers(response: http.client.HTTPResponse) -> Mapping[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


def _why(error: Exception) -> str:
    """Return an error in a few words; what a server sent is never in them."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate isn't valid: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, (socket.gaierror, ConnectionError)):
        return error.strerror or type(error).__name__
    if isinstance(error, _UnusableError | ProxyError):
        return str(error)
    return type(error).__name__
