"""A proxy of HTTP: opens tunnels, passes requests on, wants a password if told one, remembers who asked."""

import base64
import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit


class ProxyServer:
    """Listens on loopback. Whatever host is asked for, all that comes through goes to `target`."""

    def __init__(self, target: int, *, password: str = "", refuses: int = 0) -> None:
        self._target, self._refuses = target, refuses
        said = f"Basic {base64.b64encode(password.encode()).decode()}"
        self._wanted = f"proxy-authorization: {said}".lower() if password else ""
        #: First lines of what was asked.
        self.asked: list[str] = []
        #: Whatever came before a tunnel was open, or a request that was passed on.
        self.read = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65_536)
            self.read += head
            first, *lines = head.partition(b"\r\n\r\n")[0].decode().split("\r\n")
            self.asked.append(first)
            if self._wanted and self._wanted not in [line.lower() for line in lines]:
                connection.sendall(b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n")
            elif self._refuses:
                connection.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % self._refuses)
            else:
                self._pass_on(connection, first, head)

    def _pass_on(self, connection: socket.socket, first: str, head: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self._target)) as target:
            if first.startswith("CONNECT "):
                connection.sendall(b"HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")
            else:
                _, address, _ = first.split(" ")
                path = urlsplit(address)._replace(scheme="", netloc="").geturl()
                target.sendall(head.replace(address.encode(), path.encode(), 1))
            while True:
                for ready in select.select([connection, target], [], [], 30)[0]:
                    data = ready.recv(65_536)
                    if not data:
                        return
                    (target if ready is connection else connection).sendall(data)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextlib.contextmanager
def proxying(target: int = 0, *, password: str = "", refuses: int = 0) -> Iterator[ProxyServer]:
    found = ProxyServer(target, password=password, refuses=refuses)
    try:
        yield found
    finally:
        found.close()
