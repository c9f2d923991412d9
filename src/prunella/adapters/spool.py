"""Reading the spool into the store: exactly once, whatever dies in between.

A spool file belongs to one process, which appends framed records (`prunella.codec.wire`) and holds
an exclusive `flock` on the file as long as it lives. How far a file has been read is kept in the
store, in the transaction that keeps what was read: a reader that is killed, or two at once, neither
lose nor double a record. A file goes away when its writer is gone and all of it has been read.
"""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from prunella.codec import wire
from prunella.model.records import Record
from prunella.ports import SPOOL_REMOVED, Progress, Store
from prunella.sdk.files import (
    SPOOL_SUFFIX,
    LeftAloneError,
    is_unheld,
    is_young,
    names,
    opened,
    sweep,
)

#: Read and ingested at once, in bytes.
_CHUNK_BYTES = 1024 * 1024
#: A longer line is no record; it is skipped.
_MAX_LINE_BYTES = 16 * 1024 * 1024
#: Records are looked at for their age this often; for their size, after each chunk.
_PRUNE_EACH = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What the store may keep."""

    max_age: timedelta = timedelta(days=30)
    max_bytes: int = 500 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainReport:
    """What one drain did."""

    #: Records handed to the store.
    records: int = 0
    #: Lines that were no record: torn by a crash, or damaged.
    torn: int = 0
    #: Fully read files of processes that are gone.
    files_removed: int = 0
    #: Names of files that were left alone, with the reason.
    refused: tuple[tuple[str, str], ...] = ()
    #: Rows that retention removed from the store.
    pruned: int = 0


def drain(
    spool_folder: Path,
    store: Store,
    *,
    retention: Retention | None = None,
    progress: Progress | None = None,
) -> DrainReport:
    """Move everything that is complete in `spool_folder` into `store`.

    A missing folder is an empty one. A file that can't be read, is no regular file (a symbolic link,
    a pipe) or belongs to a stranger is left alone and reported. Raises `StoreError` where the store
    can't keep something; what was kept until then is remembered, and the next drain goes on there.
    """
    drainage = _Drainage(store, retention or Retention())
    found = names(spool_folder, SPOOL_SUFFIX)
    for number, name in enumerate(found, start=1):
        if progress is not None:
            progress(f"reading spool file {number} of {len(found)}")
        try:
            with opened(spool_folder / name) as descriptor:
                drainage.read_file(spool_folder / name, descriptor)
        except FileNotFoundError:
            continue  # another drain was done with it
        except LeftAloneError as error:
            drainage.refused.append((name, str(error)))
        except OSError as error:
            drainage.refused.append((name, error.strerror or type(error).__name__))
    sweep(spool_folder)
    return drainage.finish()


class _Drainage:
    """One drain under way: its tallies."""

    def __init__(self, store: Store, retention: Retention) -> None:
        self.refused: list[tuple[str, str]] = []
        self._store = store
        self._retention = retention
        self._records = self._torn = self._removed = self._pruned = 0

    def read_file(self, path: Path, descriptor: int) -> None:
        # Asked before reading: what a writer that is gone has written is final.
        writer_gone = is_unheld(descriptor)
        remembered = self._store.spool_offset(path.name)
        status = os.fstat(descriptor)
        if status.st_nlink == 0:
            return  # another drain removed it after we opened it
        if remembered > status.st_size or (remembered == SPOOL_REMOVED and status.st_size):
            # A name stands for one file only, so somebody has put another one in its place.
            if not self._store.ingest(
                (), spool_name=path.name, start_offset=remembered, end_offset=0
            ):
                return
            remembered = 0
        position = self._read_lines(path.name, descriptor, max(remembered, 0))
        if position is None or not writer_gone:
            return
        self._finish_file(path, descriptor, position)

    def _read_lines(self, name: str, descriptor: int, position: int) -> int | None:
        """Ingest all complete lines from `position`; return the offset behind them.

        ``None``: another drain is at work on this file.
        """
        want_bytes = _CHUNK_BYTES
        while chunk := os.pread(descriptor, want_bytes, position):
            records, torn, end = _parse(chunk, position)
            if end == position:  # not one complete line
                if len(chunk) < want_bytes:
                    break
                if want_bytes < _MAX_LINE_BYTES:
                    want_bytes = _MAX_LINE_BYTES
                    continue
                # The rest of the line will count as torn.
                end = position + len(chunk)
            if not self._keep(records, name, position, end):
                return None
            self._torn += torn
            position, want_bytes = end, _CHUNK_BYTES
        return position

    def _keep(self, records: list[Record], name: str, start: int, end: int) -> bool:
        kept = self._store.ingest(records, spool_name=name, start_offset=start, end_offset=end)
        if not kept:
            return False
        self._records += len(records)
        self._pruned += self._store.prune(
            max_age=self._retention.max_age,
            max_bytes=self._retention.max_bytes,
            at_most_each=_PRUNE_EACH,
        )
        return True

    def _finish_file(self, path: Path, descriptor: int, position: int) -> None:
        """Count what the writer left unfinished, and remove the file."""
        status = os.fstat(descriptor)
        if status.st_size == 0 and is_young(status):
            return
        if status.st_size > position:
            if not self._store.ingest(
                (), spool_name=path.name, start_offset=position, end_offset=status.st_size
            ):
                return
            self._torn += 1
        path.unlink()
        self._removed += 1
        self._store.ingest(
            (), spool_name=path.name, start_offset=status.st_size, end_offset=SPOOL_REMOVED
        )

    def finish(self) -> DrainReport:
        return DrainReport(
            records=self._records,
            torn=self._torn,
            files_removed=self._removed,
            refused=tuple(self.refused),
            pruned=self._pruned,
        )


def _parse(chunk: bytes, position: int) -> tuple[list[Record], int, int]:
    """Return the records of the complete lines, the number of bad ones, and the offset behind."""
    records: list[Record] = []
    torn, end = 0, position
    for line in wire.read_lines(chunk, position):
        if line.record is None:
            torn += 1
        else:
            records.append(line.record)
        end = line.end_offset
    return records, torn, end
