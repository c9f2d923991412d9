"""A server that alerts are posted to, and one that takes connections and never answers."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(slots=True)
class Posted:
    """What was posted: ``(path, headers, body)`` each, and what is answered from now on."""

    address: str = ""
    #: Statuses answered one after the other; the last one stays.
    answers: list[int] = field(default_factory=lambda: [200])
    #: The body of every answer.
    content: bytes = b""
    posts: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def alert_server() -> Iterator[Posted]:
    """Serve on a free port of this machine."""
    posted = Posted()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted.posts.append((self.path, dict(self.headers), body))
            status = posted.answers.pop(0) if len(posted.answers) > 1 else posted.answers[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(posted.content)))
            self.end_headers()
            self.wfile.write(posted.content)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    posted.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield posted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def black_hole() -> Iterator[str]:
    """Take connections and never answer; gives the address."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hole"
