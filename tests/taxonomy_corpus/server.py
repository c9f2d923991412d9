"""A server on the loopback that answers as a scenario says: statuses, slowness, broken wires."""

import json
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from taxonomy_corpus.cases import Unavailable

Answer = Callable[[socket.socket], None]

_END = b"\r\n\r\n"
#: How a client begins that expects TLS.
_TLS = b"\x16\x03"


class Server:
    """Listens until the process ends; what a path's part ``s-NAME`` names is how it answers."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._scenarios: dict[str, Answer] = {}
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def url(self, answer: Answer, scheme: str = "http") -> str:
        """Return an address that answers so, without a slash at its end."""
        name = f"s-{len(self._scenarios)}"
        self._scenarios[name] = answer
        return f"{scheme}://127.0.0.1:{self.port}/{name}"

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                if self._context is not None:
                    connection = self._context.wrap_socket(connection, server_side=True)
                head = _read_request(connection)
                if head.startswith(_TLS):
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    return
                name = next(part for part in head.split(b" ")[1].split(b"/") if part[:2] == b"s-")
                self._scenarios[name.partition(b"?")[0].decode()](connection)
            except OSError:
                pass  # the client has gone, as some cases want it to


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while _END not in data and not data.startswith(_TLS):
        data += connection.recv(65_536)
    head, _, body = data.partition(_END)
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
            while len(body) < length:
                body += connection.recv(65_536)
    return head


@cache
def server() -> Server:
    """Return the one server of these cases."""
    return Server()


def status(code: int, body: Any = None, **headers: str) -> Answer:
    """Answer with a status and a JSON body."""
    return raw(code, json.dumps({} if body is None else body).encode(), **headers)


def raw(
    code: int, body: bytes, *, content_type: str = "application/json", **headers: str
) -> Answer:
    """Answer with a status and these bytes."""
    lines = {
        "Content-Type": content_type,
        "Content-Length": str(len(body)),
        "Connection": "close",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return wire(f"HTTP/1.1 {code} Reason\r\n{head}\r\n".encode() + body)


def wire(data: bytes) -> Answer:
    """Send exactly this and close."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(data)

    return answer


def silence(connection: socket.socket) -> None:
    """Send nothing until the client goes away, but not for ever."""
    connection.settimeout(3)
    connection.recv(1)


def reset(connection: socket.socket) -> None:
    """Break the connection off with a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


CLOSED = wire(b"")
GARBAGE = wire(b"\x00\x01 what is this\r\n\r\n")
CUT = wire(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"a"')
CUT_CHUNK = wire(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc")
BAD_GZIP = raw(200, b"this is no gzip", Content_Encoding="gzip")


def redirect_to_itself() -> str:
    """Return an address that sends its visitors to itself."""
    own = server()
    name = f"s-{len(own._scenarios)}"
    return own.url(status(302, Location=f"/{name}"))


@cache
def untrusted_server() -> Server:
    """Return a server whose certificate nobody trusts."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise Unavailable("no openssl command")
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder, "key.pem"), Path(folder, "cert.pem")
        subprocess.run(
            [
                openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate),
            ],
            check=True, capture_output=True,
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    return Server(context)


def closed_port() -> int:
    """Return a port that nothing listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@cache
def full_port() -> int:
    """Return a port whose queue is full, so that connecting takes for ever."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    port: int = listener.getsockname()[1]
    _kept.append(listener)
    for _ in range(4):
        waiting = socket.socket()
        waiting.setblocking(False)
        waiting.connect_ex(("127.0.0.1", port))
        _kept.append(waiting)
    return port


_kept: list[socket.socket] = []
