"""Simulated programs for ``benchmarks/server.py``: thousands of connections from one event loop."""

import asyncio
import json
import os
import time
import zlib
from dataclasses import dataclass, field

HOST = "127.0.0.1"


@dataclass
class Target:
    """The server, and the key of a project on it."""

    port: int
    key: str
    project: str

    def request(self, method: str, rest: str, sender: str, body: bytes = b"") -> bytes:
        lines = [
            f"{method} /api/v1/projects/{self.project}/{rest} HTTP/1.1",
            f"Host: {HOST}:{self.port}",
            f"X-Prunella-Sender: {sender}",
            f"Content-Length: {len(body)}",
        ]
        if self.key:
            lines.append(f"Authorization: Bearer {self.key}")
        if body:
            lines += ["Content-Type: application/x-ndjson", "Content-Encoding: gzip"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def packed(lines: bytes) -> bytes:
    packer = zlib.compressobj(3, zlib.DEFLATED, 31)
    return packer.compress(lines) + packer.flush()


@dataclass
class Program:
    """One program with one spool file, as the SDK ships it."""

    target: Target
    name: str
    sender: str = field(default_factory=lambda: os.urandom(16).hex())
    offset: int = 0
    waits_s: list[float] = field(default_factory=list)
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ship(self, lines: bytes) -> None:
        """Post lines until the server has kept them, whatever dies meanwhile."""
        body, start = packed(lines), self.offset
        while True:
            began = time.perf_counter()
            try:
                rest = f"spool/{self.name}?offset={start}"
                status, answer = await self._ask(
                    self.target.request("POST", rest, self.sender, body)
                )
            except (OSError, asyncio.IncompleteReadError, ValueError):
                self._streams = None
                await asyncio.sleep(0.25)
                continue
            if status == 200 or (status == 409 and answer["offset"] == start + len(lines)):
                self.waits_s.append(time.perf_counter() - began)
                self.offset = start + len(lines)
                return
            if status not in (429, 503):
                raise RuntimeError(f"status {status}: {answer}")
            await asyncio.sleep(0.25)

    async def _ask(self, request: bytes):
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self.target.port)
        reader, writer = self._streams
        writer.write(request)
        status, headers = await _head(reader)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return status, json.loads(body) if body else {}

    async def listen(self, heard: list[float], is_news) -> None:
        """Note when an event comes that `is_news` says yes to."""
        while True:
            try:
                reader, writer = await asyncio.open_connection(HOST, self.target.port, limit=2**20)
                writer.write(self.target.request("GET", "feed/events", self.sender))
                await _head(reader)
                while line := await reader.readline():
                    if line.startswith(b"data:") and is_news(line):
                        heard.append(time.perf_counter())
                writer.close()
            except OSError:
                pass
            await asyncio.sleep(0.5)


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    status = int((await reader.readuntil(b"\r\n")).split()[1])
    headers = {}
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    return status, headers
