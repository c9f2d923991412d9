"""A server that answers what a test says, byte by byte, and remembers what it was asked."""

import contextlib
import json
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def lines(self) -> bytes:
        return zlib.decompress(self.body, 47) if self.body else b""

    @property
    def offset(self) -> int:
        return int(self.path.partition("offset=")[2] or -1)


Answering = Callable[[Asked, socket.socket], bytes | None]
"""Returns the bytes of the whole answer, or ``None`` where it has sent what it wanted itself."""


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Keeping:
    """A server that does as it should, and keeps the lines of each file as they stood in it."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def __call__(self, asked: Asked, _connection: socket.socket) -> bytes:
        name = asked.path.split("/spool/")[1].partition("?")[0]
        if asked.method == "DELETE":
            return answer(204)
        have = self.kept.setdefault(name, b"")
        if asked.offset != len(have):
            return answer(409, json.dumps({"offset": len(have)}).encode())
        for line in asked.lines.splitlines(keepends=True):
            self.kept[name] += bytes(int(line[4:])) if line.startswith(b"gap ") else line
        return answer(200, json.dumps({"offset": len(self.kept[name])}).encode())


class HostileServer:
    """Listens on loopback until it is closed; one thread a connection, encrypted with `tls`."""

    def __init__(
        self, answering: Answering, port: int = 0, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.answering = answering
        self._tls = tls
        #: Connections that came, whether anything was asked or not.
        self.came = 0
        self.asked: list[Asked] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def dsn(self) -> str:
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://secret-key@127.0.0.1:{self.port}/shop"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.came += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            if self._tls is None:
                self._converse(connection)
            else:
                with self._tls.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                ) as encrypted:
                    encrypted.do_handshake()
                    self._converse(encrypted)

    def _converse(self, connection: socket.socket) -> None:
        file = connection.makefile("rb")
        while first := file.readline():
            method, path, _ = first.decode().split(" ", 2)
            headers = {}
            while (line := file.readline().decode().strip()) != "":
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            body = file.read(int(headers.get("content-length", 0)))
            asked = Asked(method, path, headers, body)
            self.asked.append(asked)
            said = self.answering(asked, connection)
            if said is None:
                return
            connection.sendall(said)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextlib.contextmanager
def serving(
    answering: Answering, port: int = 0, *, tls: ssl.SSLContext | None = None
) -> Iterator[HostileServer]:
    found = HostileServer(answering, port, tls=tls)
    try:
        yield found
    finally:
        found.close()
