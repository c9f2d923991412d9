"""The spool: where records are safe from the death of the process.

One file a process at a time, ``<start µs>-<pid>-<random>.jsonl``, in the framing of
`prunella.codec.wire`. A record is one ``os.write`` to a file opened for appending, so it is in the
kernel's hands before the failing call returns. The writer holds an exclusive ``flock`` for its
life: whoever can take the lock knows that the file is finished.

Nothing here raises for a full disk, a read-only or vanished folder: `Spool.write` answers whether
the record is safe, and tries anew later.
"""

import errno
import os
import zlib
from collections.abc import Callable
from pathlib import Path

from prunella.model.clock import now_us
from prunella.sdk.counters import count

#: A file that has grown this long is closed, and a new one begun.
ROTATE_BYTES = 8 * 1024 * 1024
#: All files of the folder together, where nothing else is said; beyond that, records are dropped (and
#: counted) until somebody has made room.
TOTAL_BYTES = 128 * 1024 * 1024
#: After a failure, how long writing isn't tried again.
_RETRY_US = 200_000
#: How often it is looked whether the file is still where it was made.
_LOOK_US = 100_000
#: Descriptors near this number, or the process's limit, are the last that a program comes to use.
_HIGH = 1024
_BELOW_HIGH = 32


class Spool:
    """The records of this process on their way out. Used under the recorder's lock."""

    def __init__(
        self, folder: Path, header: Callable[[], bytes], *, room_bytes: int = TOTAL_BYTES
    ) -> None:
        """`header` gives the framed lines that each new file begins with."""
        self.folder = folder
        self._room_bytes = room_bytes
        self._header = header
        self._descriptor = -1
        #: Device and inode of the file that was opened.
        self._identity = (-1, -1)
        self._size = 0
        self._torn = False
        self._retry_at_us = 0
        #: Until then the file counts as open, whole and in its place, as when it was looked at.
        self.good_until_us = 0
        #: Ids of the site versions that the present file has described.
        self.described: set[str] = set()

    @property
    def position(self) -> tuple[int, int]:
        """The file that is written to and how far: the same as long as nothing is written."""
        return self._descriptor, self._size

    def prepare(self, at_us: int) -> bool:
        """Make sure that there is a file to write to; to be called before each record."""
        if self._descriptor >= 0 and self._size < ROTATE_BYTES:
            if at_us <= self.good_until_us or self._is_in_place(at_us):
                return True
            self.close()
        if at_us < self._retry_at_us:
            return False
        self.close()
        try:
            self._open(at_us)
        except OSError as error:
            count(f"spool_errors_{_errno_name(error)}")
            self.close()
            self._retry_at_us = at_us + _RETRY_US
            return False
        return True

    def append(self, line: bytes, at_us: int) -> bool:
        """Append one framed line at once; tell whether it is safe."""
        if at_us > self.good_until_us:
            return self.prepare(at_us) and self.write(line)
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            return self._failed(error, line)
        self._size += written
        if written == len(line) and self._size < ROTATE_BYTES:
            return True
        self.good_until_us = 0
        self._torn = written < len(line)
        return not self._torn

    def write(self, line: bytes) -> bool:
        """Append one framed line; tell whether it is safe. `prepare` has answered yes before."""
        if self._torn:
            line = b"\n" + line
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            return self._failed(error, line)
        self._size += written
        self._torn = written < len(line)
        if self._torn or self._size >= ROTATE_BYTES:
            self.good_until_us = 0
        return not self._torn

    def _failed(self, error: OSError, line: bytes) -> bool:
        count(f"spool_errors_{_errno_name(error)}")
        is_closed = error.errno == errno.EBADF and self._descriptor >= 0
        self.close()
        at_us = now_us()
        if is_closed:  # by the program, as daemons do: the next file takes the line
            return self.prepare(at_us) and self.write(line.lstrip(b"\n"))
        self._retry_at_us = at_us + _RETRY_US
        return False

    def close(self) -> None:
        """Give the file up to the drain."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            self.good_until_us = 0
            try:
                if _identity(os.fstat(descriptor)) == self._identity:
                    os.close(descriptor)
            except OSError as error:
                count(f"spool_errors_{_errno_name(error)}")

    def _open(self, at_us: int) -> None:
        import fcntl

        make_folder(self.folder)
        if _total_bytes(self.folder) >= self._room_bytes:
            count("spool_full")
            raise OSError(errno.ENOSPC, "the spool is at its bound")
        name = f"{at_us}-{os.getpid()}-{os.urandom(3).hex()}"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        # Under its final name only once it is locked: a drain that finds it sees a living writer.
        unready = self.folder / f"{name}.new"
        header = self._header()
        descriptor = os.open(unready, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.write(descriptor, header) < len(header):
                raise OSError(errno.ENOSPC, "the header could not be written")
            unready.rename(self.folder / f"{name}.jsonl")
        except BaseException:  # out of stack or interrupted: nothing half-made may stay
            os.close(descriptor)
            unready.unlink(missing_ok=True)
            raise
        self._descriptor = _out_of_the_way(descriptor)
        self._identity = _identity(os.fstat(self._descriptor))
        self._size, self._torn, self.good_until_us = len(header), False, at_us + _LOOK_US
        self.described.clear()

    def _is_in_place(self, at_us: int) -> bool:
        self.good_until_us = 0 if self._torn else at_us + _LOOK_US
        try:
            status = os.fstat(self._descriptor)
        except OSError:
            return False
        return status.st_nlink > 0 and _identity(status) == self._identity


def _out_of_the_way(descriptor: int) -> int:
    """Return a high descriptor of the file, in place of the one that it was opened with.

    A program that closes whatever is open (a daemon) closes this one, too. Its next file gets the
    lowest number that is free: were that the one written to here, records would end up in that file.
    """
    import fcntl

    lowest = min(os.sysconf("SC_OPEN_MAX"), _HIGH) - _BELOW_HIGH
    try:
        high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, max(lowest, 3))
    except OSError:
        return descriptor
    os.close(descriptor)
    return high


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def make_folder(folder: Path) -> None:
    """Make the spool's folder, private to the user, in a data folder that git leaves alone."""
    if folder.is_dir():
        return
    data = folder.parent
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = data / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    folder.mkdir(mode=0o700, exist_ok=True)


def framed(payload: bytes) -> bytes:
    """Return JSON text as one line, as `prunella.codec.wire.frame` does."""
    return b"%08x %s\n" % (zlib.crc32(payload), payload)


def _total_bytes(folder: Path) -> int:
    with os.scandir(folder) as entries:
        return sum(entry.stat(follow_symlinks=False).st_size for entry in entries)


def _errno_name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "unknown")
