"""Files of a data folder that several programs read and write: opened, locked, put in place.

The folder may be shared with people who mean no good: no link is followed, no pipe waited for, and
a file of a stranger is left alone.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prunella.model.clock import now_us

#: Suffix of spool files.
SPOOL_SUFFIX = ".jsonl"
#: Suffix of a file that isn't in its place yet: what only it has is no failure.
UNREADY_SUFFIX = ".new"
#: A file without records may be one whose writer has yet to lock it; it gets this long.
_GRACE_S = 60.0


class LeftAloneError(Exception):
    """A file isn't read; the argument says why."""


def names(folder: Path, suffix: str) -> list[str]:
    """Return the names of files with that suffix, sorted: spool files begin with a time."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.name.endswith(suffix))
    return []


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a file that may have been put there by anybody, for reading; yield its descriptor.

    Raises `LeftAloneError` for what isn't to be read, and `OSError`.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if path.is_symlink():
            raise LeftAloneError("a symbolic link") from error
        raise
    try:
        _refuse_strangers(descriptor, path.parent)
        yield descriptor
    finally:
        os.close(descriptor)


def _refuse_strangers(descriptor: int, folder: Path) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise LeftAloneError("not a regular file")
    if status.st_nlink > 1:
        raise LeftAloneError("a hard link to another file")
    if status.st_uid not in {0, os.geteuid(), folder.stat().st_uid}:
        raise LeftAloneError(f"owned by user {status.st_uid}")


def is_unheld(descriptor: int) -> bool:
    """Try to share the file's lock: possible only when its writer is gone.

    Shared, so that two readers don't take each other for a writer. Where the file system knows no
    locks nobody is ever taken for gone.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_young(status: os.stat_result) -> bool:
    """Tell whether a file was changed a moment ago."""
    return now_us() / 1e6 - status.st_mtime < _GRACE_S


def sweep(folder: Path) -> None:
    """Remove what writers left behind that were killed before their file was in its place."""
    for name in names(folder, UNREADY_SUFFIX):
        with suppress(OSError, LeftAloneError), opened(folder / name) as descriptor:
            if is_unheld(descriptor) and not is_young(os.fstat(descriptor)):
                (folder / name).unlink()


def put(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Put a file with `content` in place of what is there, whole or not at all; raises `OSError`.

    Without `durable`, a power cut may leave the old one.
    """
    unready = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(unready, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        unready.replace(path)
    except BaseException:
        with suppress(OSError):
            unready.unlink()
        raise


def try_lock(path: Path) -> int | None:
    """Take the lock that `path` stands for; return the descriptor that holds it, if it was free."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
