"""A language model's endpoint over real HTTP, scripted: OpenAI chat completions, Anthropic messages.

A script is a list of replies, one for each request in turn; the last one is repeated. A reply may be
a function of the question, so that a double can do what a text hidden in the question says.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One scripted answer of the endpoint."""

    text: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    #: ``stop``, ``length`` or ``content_filter``.
    finish_reason: str = "stop"
    #: Seconds before the first byte.
    delay_s: float = 0.0
    #: Sent as it is instead of a well-formed body.
    raw_body: bytes | None = None
    #: Seconds between single bytes of the body.
    drip_s: float = 0.0


Scripted = Reply | Callable[[str], Reply]


def good(text: str) -> Reply:
    """The answer `text`."""
    return Reply(text=text)


def answer_json(data: Mapping[str, Any]) -> Reply:
    """A structured answer."""
    return Reply(text=json.dumps(data))


def rubbish() -> Reply:
    """A body that is no JSON at all."""
    return Reply(raw_body=b"<html>it works!</html>")


def slow(seconds: float) -> Reply:
    """No byte for that long."""
    return Reply(text="too late", delay_s=seconds)


def dripping(seconds: float) -> Reply:
    """Well-formed, one byte in so many seconds: each read succeeds, the whole never ends."""
    return Reply(text="x" * 1000, drip_s=seconds)


def refused_key() -> Reply:
    """HTTP 401."""
    return Reply(status=401)


def rate_limited(retry_after: str | None) -> Reply:
    """HTTP 429, with the header if one is given."""
    return Reply(status=429, headers={} if retry_after is None else {"Retry-After": retry_after})


def overloaded() -> Reply:
    """HTTP 503."""
    return Reply(status=503)


def truncated(text: str) -> Reply:
    """An answer cut off at the limit of tokens."""
    return Reply(text=text, finish_reason="length")


def chatter(size: int) -> Reply:
    """Words without end and without code."""
    words = "Certainly! Let me think about that some more. "
    return Reply(text=words * (size // len(words)))


class Endpoint:
    """A running double; use `endpoint`."""

    def __init__(self, script: Sequence[Scripted]) -> None:
        self._script = list(script)
        self._lock = threading.Lock()
        #: Every request's path, headers and JSON body, in order.
        self.requests: list[tuple[str, Mapping[str, str], Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        """``http://127.0.0.1:port``"""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def openai_url(self) -> str:
        """Base URL as an OpenAI client wants it."""
        return f"{self.address}/v1"

    def next_reply(self, path: str, headers: Mapping[str, str], body: Any) -> Reply:
        """Note a request and return what the script answers to it."""
        with self._lock:
            self.requests.append((path, headers, body))
            item = self._script[min(len(self.requests), len(self._script)) - 1]
        return item if isinstance(item, Reply) else item(question_of(body))

    def serve(self) -> None:
        """Answer until `stop`."""
        self._server.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def endpoint(*script: Scripted) -> Iterator[Endpoint]:
    """Run an endpoint that answers by `script`."""
    running = Endpoint(script)
    thread = threading.Thread(target=running.serve, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.stop()
        thread.join(5)


def question_of(body: Any) -> str:
    """Return the text of every message of a request, the system's included."""
    system = body.get("system", "")
    parts = [system if isinstance(system, str) else json.dumps(system)]
    for message in body.get("messages", ()):
        content = message["content"]
        if isinstance(content, str):
            parts.append(content)
        else:
            parts.extend(item.get("text", "") for item in content)
    return "\n".join(parts)


def _handler(running: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = running.next_reply(self.path, headers, body)
            time.sleep(reply.delay_s)
            try:
                self._answer(reply, body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _answer(self, reply: Reply, body: Any) -> None:
            content = reply.raw_body
            if content is None:
                content = json.dumps(_body(self.path, reply, body)).encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if not reply.drip_s:
                self.wfile.write(content)
                return
            for index in range(len(content)):
                self.wfile.write(content[index : index + 1])
                self.wfile.flush()
                time.sleep(reply.drip_s)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Keep quiet."""

    return Handler


def _body(path: str, reply: Reply, body: Any) -> Mapping[str, Any]:
    if reply.status != 200:
        return {"error": {"message": f"scripted status {reply.status}", "type": "scripted"}}
    if path.endswith("/messages"):
        return _anthropic_body(reply, body)
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": reply.text},
                "finish_reason": reply.finish_reason,
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


def _anthropic_body(reply: Reply, body: Any) -> Mapping[str, Any]:
    reasons = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": reply.text}],
        "stop_reason": reasons[reply.finish_reason],
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": 20},
    }
