"""What programs post of their spools, into the store: exactly once, whatever dies in between.

As in `prunella.adapters.spool` the store keeps records together with the offset behind them. A post
that was sent twice, came late or out of order doesn't begin there, so nothing of it is kept, and the
answer says from where on the file is wanted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from prunella.codec import wire
from prunella.model.errors import RecordError, StoreError
from prunella.model.records import Occurrence, Record
from prunella.ports import SPOOL_REMOVED, Portion, Store, Triaged

#: Lines of one post, at most.
MAX_LINES = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Whole lines that stand at `offset` of a spool file."""

    spool_name: str
    offset: int
    content: bytes


class Triage(Protocol):
    """Says by their ids what triage finds out about the occurrences among records."""

    def __call__(self, records: Sequence[Record], /) -> Mapping[str, Triaged]: ...


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


Answer = Kept | Elsewhere | Removed | Exception
"""What became of a post: an exception is a `RecordError` of a post that is none, or why the store can't."""


def keep_posts(
    store: Store, triage: Triage, posts: Iterable[Post], loads: Callable[[bytes], Any]
) -> list[Answer]:
    """Keep posts, in one transaction where that is possible; return what became of each.

    `loads` reads JSON and raises `ValueError` where it is none. What is wrong with one post, or goes
    wrong with it, is no matter of the others.
    """
    read = [_read(post, triage, loads) for post in posts]
    kept = iter(store.ingest_all([each[0] for each in read if not isinstance(each, Exception)]))
    return [
        each if isinstance(each, Exception) else _answer(store, *each, next(kept)) for each in read
    ]


def _read(
    post: Post, triage: Triage, loads: Callable[[bytes], Any]
) -> tuple[Portion, int] | Exception:
    """Return the records of a post, and how many of its lines are unreadable."""
    content = post.content
    if content and not content.endswith(b"\n"):
        return RecordError("a post consists of whole lines")
    if content.count(b"\n") > MAX_LINES:
        return RecordError(f"a post has at most {MAX_LINES:,} lines")
    records: list[Record] = []
    texts: dict[str, str] = {}
    end, unreadable = post.offset, 0
    try:
        for line in wire.read_lines(content, post.offset, loads=loads):
            end = line.end_offset
            record = line.record
            if record is None:
                unreadable += line.problem != wire.LEFT_OUT
                continue
            records.append(record)
            if line.text and isinstance(record, Occurrence):
                texts[record.occurrence_id] = line.text
        portion = Portion(
            records=records,
            spool_name=post.spool_name,
            start_offset=post.offset,
            end_offset=end,
            triaged=triage(records),
            texts=texts,
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this post's
        return error
    return portion, unreadable


def _answer(store: Store, portion: Portion, unreadable: int, kept: bool | BaseException) -> Answer:
    if isinstance(kept, Exception):
        return kept
    if isinstance(kept, BaseException):
        raise kept
    if kept:
        return Kept(offset=portion.end_offset, records=len(portion.records), unreadable=unreadable)
    offset = portion.start_offset or 0
    try:
        return expected(store, portion.spool_name, offset) or Elsewhere(offset=offset)
    except StoreError as error:
        return error


def forget_post(store: Store, spool_name: str) -> None:
    """Note that the program has removed a file of which everything was kept."""
    kept_to = store.spool_offset(spool_name)
    if kept_to > 0:
        store.ingest((), spool_name=spool_name, start_offset=kept_to, end_offset=SPOOL_REMOVED)
