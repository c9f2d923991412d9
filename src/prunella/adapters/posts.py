"""What programs post of their spools, into the store: exactly once, whatever dies in between.

As in `prunella.adapters.spool` the store keeps records together with the offset behind them. A post
that was sent twice, came late or out of order doesn't begin there, so nothing of it is kept, and the
answer says from where on the file is wanted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from prunella.codec import wire
from prunella.model.errors import RecordError
from prunella.model.records import Record
from prunella.ports import SPOOL_REMOVED, Store

#: Lines of one post, at most.
MAX_LINES = 50_000


class Take(Protocol):
    """Keeps records, as `Store.ingest` promises."""

    def __call__(
        self,
        records: Sequence[Record],
        *,
        spool_name: str,
        end_offset: int,
        start_offset: int | None = None,
    ) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A post whose lines are all dealt with."""

    #: The offset behind them.
    offset: int
    records: int
    #: Lines that are no record, or none of this release.
    unreadable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A post that doesn't begin where the file was kept to."""

    #: Where that is.
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """All of the file was kept before, and its program has removed it."""


def expected(store: Store, spool_name: str, offset: int) -> Elsewhere | Removed | None:
    """Tell what is in the way of a post that begins at `offset`; ``None``: nothing."""
    kept_to = store.spool_offset(spool_name)
    if kept_to == SPOOL_REMOVED:
        return Removed()
    return None if kept_to == offset else Elsewhere(offset=kept_to)


def keep_post(
    store: Store,
    take: Take,
    spool_name: str,
    offset: int,
    content: bytes,
    loads: Callable[[bytes], Any],
) -> Kept | Elsewhere | Removed:
    """Keep the lines in `content`, which stand at `offset` of the file.

    `take` keeps records as `Store.ingest` does; `loads` reads JSON. Raises `StoreError` where the store can't, and `RecordError` where `content` isn't whole lines, or
    more than `MAX_LINES`.
    """
    if content and not content.endswith(b"\n"):
        raise RecordError("a post consists of whole lines")
    if content.count(b"\n") > MAX_LINES:
        raise RecordError(f"a post has at most {MAX_LINES:,} lines")
    records: list[Record] = []
    end, unreadable = offset, 0
    for line in wire.read_lines(content, offset, loads=loads):
        end = line.end_offset
        if line.record is not None:
            records.append(line.record)
        elif line.problem != wire.LEFT_OUT:
            unreadable += 1
    if take(records, spool_name=spool_name, start_offset=offset, end_offset=end):
        return Kept(offset=end, records=len(records), unreadable=unreadable)
    return expected(store, spool_name, offset) or Elsewhere(offset=offset)


def forget_post(store: Store, spool_name: str) -> None:
    """Note that the program has removed a file of which everything was kept."""
    kept_to = store.spool_offset(spool_name)
    if kept_to > 0:
        store.ingest((), spool_name=spool_name, start_offset=kept_to, end_offset=SPOOL_REMOVED)
