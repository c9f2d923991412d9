"""Ships the spool of a folder to the server: exactly once, whatever dies in between.

Each post brings the next lines of one file and the offset at which they stand in it. The server keeps
them together with the offset behind them and answers with that; a post that doesn't fit to what it
has is answered with the offset that does. So it is the server that knows, whoever of this side lived
to remember. A file goes away when its writer is gone and all of it is kept.
"""

import email.utils
import json
import os
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from urllib.parse import quote

from prunella.codec.wire import gap, is_gap
from prunella.model.clock import from_us, now_us
from prunella.sdk.connection import DEADLINE_S, Answer, Connection, NoAnswerError
from prunella.sdk.counters import count
from prunella.sdk.files import SPOOL_SUFFIX, LeftAloneError, is_unheld, is_young, names, opened
from prunella.sdk.reporting_state import ReportState
from prunella.sdk.spool_reader import Chunk, SpoolReader

#: Lines of one post, in bytes.
CHUNK_BYTES = 1024 * 1024
#: Suffix of files from which the least useful records were taken.
THIN_SUFFIX = ".thin"
#: How long a server that refuses the key is left alone.
REFUSED_S = 300.0
_MAX_RETRY_AFTER_S = 3600.0
#: Times that the server may want a file from elsewhere on, or in smaller pieces, in one pass.
_MAX_CORRECTIONS = 12


class NotShippedError(Exception):
    """The server didn't take records; the argument says why, without the key."""

    def __init__(self, problem: str, *, wait_s: float | None = None) -> None:
        super().__init__(problem)
        #: How long to wait at least, where that is known.
        self.wait_s = wait_s


class Shipper:
    """Ships what is in one folder. Used by one thread of one process, which holds the lock."""

    def __init__(
        self,
        folder: Path,
        state: ReportState,
        connection: Connection,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._folder = folder
        self._state = state
        self._connection = connection
        self._clock = clock
        self._chunk_bytes = CHUNK_BYTES
        self._deadline: float | None = None

    def ship(self, *, within_s: float | None = None) -> int:
        """Ship all that is complete; return how many bytes of records the server has kept.

        Raises `NotShippedError` where it doesn't take something, or `within_s` has passed; what it
        kept until then is remembered.
        """
        self._deadline = None if within_s is None else self._clock() + within_s
        found = spool_names(self._folder)
        for name in self._state.offsets.keys() - set(found):
            del self._state.offsets[name]
        return sum(self._ship_file(name, path) for name, path in found.items())

    def close(self) -> None:
        """Close the connection; a further `ship` opens one."""
        self._connection.close()

    def _ship_file(self, name: str, path: Path) -> int:
        try:
            with opened(path) as descriptor:
                writer_gone = is_unheld(descriptor)
                reader = SpoolReader(
                    descriptor,
                    is_thinned=path.suffix == THIN_SUFFIX,
                    writer_gone=writer_gone,
                )
                shipped = self._ship_lines(name, reader)
                status = os.fstat(descriptor)
                if writer_gone and (status.st_size or not is_young(status)):
                    self._finish(name, path)
                return shipped
        except FileNotFoundError:
            return 0
        except (OSError, LeftAloneError) as error:
            count(f"report_left_alone_{type(error).__name__}")
            return 0

    def _ship_lines(self, name: str, reader: SpoolReader) -> int:
        offsets = self._state.offsets
        if not reader.seek(offsets.get(name, 0)):
            offsets[name] = 0
        shipped = corrections = 0
        while chunk := reader.next(want_bytes=self._chunk_bytes):
            reached = self._post(name, chunk)
            if reached == chunk.end:
                shipped += chunk.end - chunk.start
            else:
                corrections += 1
                if corrections > _MAX_CORRECTIONS or not reader.seek(reached):
                    raise NotShippedError("the server claims to have what was never sent")
            offsets[name] = reader.offset
        return shipped

    def _post(self, name: str, chunk: Chunk) -> int:
        """Return the offset from which on the server wants the file: all is well at the chunk's end."""
        rest = f"spool/{quote(name, safe='')}?offset={chunk.start}"
        answer = self._ask("POST", rest, _packed(chunk.content))
        match answer.status:
            case 200:
                if (kept := _said(answer, "offset")) != chunk.end:
                    raise NotShippedError(f"the server claims {kept} where {chunk.end} was reached")
                self._chunk_bytes = min(2 * self._chunk_bytes, CHUNK_BYTES)
                return kept
            case 409:
                if (kept := _said(answer, "offset")) == chunk.start:
                    raise NotShippedError("the server contradicts itself about an offset")
                return kept
            case 410 if _said(answer, "removed"):
                return chunk.end  # all of it was kept before
            case 413:
                return self._smaller(name, chunk)
        raise _refusal(answer)

    def _smaller(self, name: str, chunk: Chunk) -> int:
        """Send less at once; a record that is too large by itself is left out."""
        if chunk.content.count(b"\n") > 1:
            self._chunk_bytes = max(self._chunk_bytes // 8, 1)
            return chunk.start
        if is_gap(chunk.content[:-1]):
            raise NotShippedError("the server takes nothing, however small")
        left_out = gap(chunk.end - chunk.start)
        reached = self._post(name, Chunk(start=chunk.start, end=chunk.end, content=left_out))
        count("dropped_report_too_large")
        self._state.dropped += 1
        return reached

    def _ask(self, method: str, rest: str, body: bytes = b"") -> Answer:
        deadline_s = DEADLINE_S
        if self._deadline is not None:
            deadline_s = min(deadline_s, self._deadline - self._clock())
            if deadline_s <= 0:
                raise NotShippedError("no time is left")
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-ndjson"}
        try:
            answer = self._connection.request(
                method, rest, body=body, headers=headers if body else {}, deadline_s=deadline_s
            )
        except NoAnswerError as error:
            raise NotShippedError(f"the server can't be reached: {error}") from error
        self._state.answered_at_us = now_us()
        return answer

    def _finish(self, name: str, path: Path) -> None:
        """Remove a file that is kept, then tell the server that its name can be forgotten."""
        path.unlink()
        self._state.offsets.pop(name, None)
        with suppress(NotShippedError):  # the server then remembers a name for nothing
            self._ask("DELETE", f"spool/{quote(name, safe='')}")


def spool_names(folder: Path) -> dict[str, Path]:
    """Return the spool's files under the names that the server knows them by, oldest first.

    A thinned file stands for the one it was made from, which may be there still.
    """
    thinned = {
        name.removesuffix(THIN_SUFFIX) + SPOOL_SUFFIX: folder / name
        for name in names(folder, THIN_SUFFIX)
    }
    whole = {name: folder / name for name in names(folder, SPOOL_SUFFIX)}
    return dict(sorted({**whole, **thinned}.items()))


def pending_bytes(folder: Path, state: ReportState) -> int:
    """Return about how many bytes of records wait to be reported."""
    total = 0
    for name, path in spool_names(folder).items():
        with suppress(OSError):
            total += max(0, path.stat().st_size - state.offsets.get(name, 0))
    return total


def _packed(content: bytes) -> bytes:
    packer = zlib.compressobj(3, zlib.DEFLATED, 31)  # in the framing of gzip
    return packer.compress(content) + packer.flush()


def _said(answer: Answer, name: str) -> int:
    """Return a number of the answer."""
    try:
        found = json.loads(answer.body)[name]
    except (ValueError, KeyError, TypeError, RecursionError):
        found = None
    if type(found) is not int or found < 0:
        raise NotShippedError("the server's answer isn't one of Prunella's")
    return found


def _refusal(answer: Answer) -> NotShippedError:
    status = answer.status
    if status in (401, 403, 404):
        what = "knows no such project" if status == 404 else "refuses the key"
        return NotShippedError(f"the server {what} (status {status})", wait_s=REFUSED_S)
    if 300 <= status < 400:
        return NotShippedError(
            f"the server redirects (status {status}), which isn't followed: correct the DSN",
            wait_s=REFUSED_S,
        )
    wait_s = _retry_after_s(answer.headers.get("retry-after", ""))
    return NotShippedError(f"the server answers with status {status}", wait_s=wait_s)


def _retry_after_s(text: str) -> float | None:
    """Return how long the server asks to be left alone, within an hour."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(float(text), _MAX_RETRY_AFTER_S)
    with suppress(ValueError, TypeError, OverflowError):
        wanted = email.utils.parsedate_to_datetime(text) - from_us(now_us())
        return min(max(wanted.total_seconds(), 0.0), _MAX_RETRY_AFTER_S)
    return None
