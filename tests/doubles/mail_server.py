"""A mail server that takes what is sent, and forwards nothing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from socketserver import StreamRequestHandler, ThreadingTCPServer


@dataclass(slots=True)
class Mailed:
    """What was sent, each message as its readers see it."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)

    def text(self) -> str:
        """Return subject and all parts of the latest message."""
        latest = self.messages[-1]
        parts = [part.get_content() for part in latest.walk() if not part.is_multipart()]
        return "\n".join([latest["Subject"], *parts])


@contextmanager
def mail_server() -> Iterator[Mailed]:
    """Serve on a free port of this machine."""
    mailed = Mailed()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 ready\r\n")
            for line in self.rfile:
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = iter(self.rfile.readline, b".\r\n")
                    content = b"".join(lines)
                    message = message_from_bytes(content, policy=policy.default)
                    mailed.messages.append(message)
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 OK\r\n")
                if verb == b"QUIT":
                    return

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        mailed.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield mailed
        server.shutdown()
        thread.join()
