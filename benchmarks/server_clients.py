"""Simulated programs for ``benchmarks/server.py``: thousands of connections from one event loop.

They report as `prunella.sdk.shipping` and `prunella.sdk.reporting` do: what failed while an answer was
waited for goes with the next post, a megabyte at most; a server that can't take it is left alone for as
long as it says, and longer each time.
"""

import asyncio
import json
import os
import random
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from store import an_occurrence

from prunella.codec.wire import frame, write_record
from prunella.model.clock import now_us
from prunella.sdk.groups import Group
from prunella.sdk.shipping import CHUNK_BYTES

HOST = "127.0.0.1"
#: Wait after a failure, at first and at most, in seconds. At the most the SDK waits five minutes; what
#: is killed here is back sooner.
_RETRY_S = (1.0, 8.0)
#: Sites that fail.
FUNCTIONS = 100


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
    #: Lines that weren't kept yet.
    spool: bytearray = field(default_factory=bytearray)
    #: Seconds that each answer took, and requests that weren't answered by 200.
    waits_s: list[float] = field(default_factory=list)
    refused: int = 0
    _retry_s: float = _RETRY_S[0]
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ship(self) -> None:
        """Post what is in the spool until the server has kept it, whatever dies meanwhile."""
        while self.spool:
            wait_s = await self._post()
            if wait_s is None:
                self._retry_s = _RETRY_S[0]
            else:
                self.refused += 1
                own_s = self._retry_s * random.uniform(0.5, 1.0)
                self._retry_s = min(2 * self._retry_s, _RETRY_S[1])
                await asyncio.sleep(max(own_s, wait_s))

    async def _post(self) -> float | None:
        """Post the next lines; return how long the server is to be left alone, ``None``: not at all."""
        end = self.spool.rindex(b"\n", 0, CHUNK_BYTES) + 1
        began = time.perf_counter()
        rest = f"spool/{self.name}?offset={self.offset}"
        request = self.target.request("POST", rest, self.sender, packed(bytes(self.spool[:end])))
        try:
            status, headers, answer = await self._ask(request)
        except (OSError, asyncio.IncompleteReadError, ValueError):
            self._streams = None
            return 0.0
        if status == 200 or (status == 409 and answer["offset"] > self.offset):
            self.waits_s.append(time.perf_counter() - began)
            del self.spool[: answer["offset"] - self.offset]
            self.offset = answer["offset"]
            return None
        if status not in (429, 503):
            raise RuntimeError(f"status {status}: {answer}")
        return float(headers.get("retry-after", "0"))

    async def _ask(self, request: bytes):
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self.target.port)
        reader, writer = self._streams
        writer.write(request)
        status, headers = await _head(reader)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return status, headers, json.loads(body) if body else {}

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
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {}
    for line in lines[1:-2]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return int(lines[0].split()[1]), headers


class Failing:
    """Failures of one sort in one process: the 1st, 2nd, 4th … with full context, others as repeats."""

    def __init__(self, number: int) -> None:
        function = number % FUNCTIONS
        self._process_id = f"proc_{number}"
        self._group = Group("g1", None, None)
        text = (
            f'{{"class":"repeat","process_id":"{self._process_id}",'
            f'"group":"g1","site_id":"shop.orders:function_{function}_0","count":1,"at":'
        )
        self._group.begin_repeats_with(text.encode(), "error")
        self._described = described(function)

    def lines(self, count: int, *, over_s: float) -> Iterator[bytes]:
        """Yield the lines of the next `count` failures, which happened in the last `over_s`."""
        group, at_us = self._group, now_us()
        for number in range(count):
            group.count += 1
            if group.is_due:
                text = self._described.replace(b"@process", self._process_id.encode())
                yield frame(text.replace(b"@", f"{self._process_id}_{group.count}".encode()))
            else:
                yield group.repeat_line(at_us - int(over_s * 1e6 * (count - number) / count))


def described(function: int) -> bytes:
    """Return the JSON of a failure with full context; ``@`` stands for its number."""
    occurrence = replace(
        an_occurrence(7, function),
        occurrence_id="occ_@",
        call_id="call_@",
        process_id="@process",
        group="g1",
    )
    return write_record(occurrence)[9:-1]


def full(first: int, count: int) -> bytes:
    """Return lines of `count` failures, each with full context."""
    return b"".join(
        write_record(an_occurrence(number, number % FUNCTIONS))
        for number in range(first, first + count)
    )
