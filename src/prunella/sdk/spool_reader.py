"""Reads spool files for reporting: whole lines, at the offsets at which they were written.

A file that had to be thinned (`prunella.sdk.thinning`) says in lines ``gap N`` where it left N bytes
out, so that every offset keeps its meaning: what was reported before isn't reported again.
"""

import os
from dataclasses import dataclass

from prunella.codec.wire import gap, size_of

#: A longer line is no record; it is skipped.
MAX_LINE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some whole lines of a file, and where they stood in it."""

    start: int
    end: int
    #: Lines, each with its line break.
    content: bytes


def lines_of(content: bytes) -> list[bytes]:
    """Return the lines of `content`, which ends with one, without their line breaks."""
    return content[:-1].split(b"\n")


class SpoolReader:
    """An open spool file, read from `seek` on.

    `writer_gone` was asked before this is made: what a writer that is gone has written is final.
    """

    def __init__(self, descriptor: int, *, is_thinned: bool, writer_gone: bool) -> None:
        self._descriptor = descriptor
        self._is_thinned = is_thinned
        self._writer_gone = writer_gone
        #: Where the next chunk stands now, and where it stood when it was written.
        self._at = self.offset = 0
        #: Rest of a line that `seek` went into the middle of.
        self._rest = 0

    def seek(self, offset: int) -> bool:
        """Go to `offset`; False, at the start of the file, where it isn't that long."""
        self._rest = 0
        if self._is_thinned:
            return self._scan_to(offset)
        fits = 0 <= offset <= os.fstat(self._descriptor).st_size
        self._at = self.offset = offset if fits else 0
        return fits

    def _scan_to(self, offset: int) -> bool:
        self._at = self.offset = 0
        while self.offset < offset and (chunk := self.next(want_bytes=1024 * 1024)):
            if chunk.end <= offset:
                continue
            self._at -= len(chunk.content)
            self.offset = chunk.start
            for line in lines_of(chunk.content):
                if self.offset >= offset:
                    break
                self._at += len(line) + 1
                self.offset += size_of(line)
        if self.offset < offset:
            self._at = self.offset = 0
            return False
        self._rest = self.offset - offset
        self.offset = offset
        return True

    def next(self, *, want_bytes: int) -> Chunk | None:
        """Return whole lines of about `want_bytes`, ``None`` where there is none (yet).

        What will never be a line, because it is too long or its writer is gone, is a gap.
        """
        if self._rest:
            rest, self._rest = self._rest, 0
            return self._chunk(gap(rest), read_bytes=0, size_bytes=rest)
        content = os.pread(self._descriptor, want_bytes, self._at)
        end = content.rfind(b"\n") + 1
        if not end and len(content) == want_bytes < MAX_LINE_BYTES:
            content = os.pread(self._descriptor, MAX_LINE_BYTES, self._at)
            end = content.find(b"\n") + 1
        if end:
            content = content[:end]
            size_bytes = sum(map(size_of, lines_of(content))) if self._is_thinned else end
            return self._chunk(content, read_bytes=end, size_bytes=size_bytes)
        lost = len(content)
        if not lost or (lost < MAX_LINE_BYTES and not self._writer_gone):
            return None
        return self._chunk(gap(lost), read_bytes=lost, size_bytes=lost)

    def _chunk(self, content: bytes, *, read_bytes: int, size_bytes: int) -> Chunk:
        start = self.offset
        self._at += read_bytes
        self.offset += size_bytes
        return Chunk(start=start, end=self.offset, content=content)
