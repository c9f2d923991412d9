"""Hears of the fixes that this process is to apply: one file in the project's data folder.

Whoever decides about fixes puts a new file in place of the old one (`prunella.adapters.feed`); the
background thread looks at its name four times a second and reads it only when another file stands
there. The file is data of at most a few megabytes; what can't be read counts as no fix at all,
because a fix that nobody can take back is worse than none.
"""

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from prunella.model.project import FIXES_OFF
from prunella.sdk.counters import count

#: Name of the file in the data folder.
FILE_NAME = "fixes.json"
#: A longer file is no feed.
MAX_BYTES = 16 * 1024 * 1024

Apply = Callable[[Sequence[Mapping[str, Any]]], object]
"""Brings the process to exactly these installations, as their documents."""


class Feed:
    """The feed as this process last saw it."""

    def __init__(self, folder: Path, apply: Apply) -> None:
        self._path = os.fspath(folder / FILE_NAME)
        self._off_path = os.fspath(folder / FIXES_OFF)
        self._apply = apply
        self._seen: tuple[int, ...] | None = None

    def look(self) -> None:
        """Apply what the feed says, if it says something new."""
        is_off = os.path.exists(self._off_path)  # noqa: PTH110 - four times a second
        seen = None if is_off else self._identity()
        if seen == self._seen:
            return
        self._seen = seen
        self._apply([] if seen is None else self._read())

    def _identity(self) -> tuple[int, ...] | None:
        try:
            status = os.stat(self._path)  # noqa: PTH116 - four times a second
        except OSError:
            return None
        return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)

    def _read(self) -> list[Mapping[str, Any]]:
        import json

        try:
            found = json.loads(_content(self._path))["installations"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            count(f"feed_unreadable_{type(error).__name__}")
            return []
        return [item for item in found if isinstance(item, dict)] if type(found) is list else []


def _content(path: str) -> bytes:
    """Return the file's bytes; raises `OSError` where a stranger has put it there."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        folder = os.stat(os.path.dirname(path))  # noqa: PTH116, PTH120 - pathlib isn't needed here
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            raise OSError("not a regular file of a feed's size")
        if status.st_uid not in {0, os.geteuid(), folder.st_uid}:
            raise OSError("owned by a stranger")
        return file.read(MAX_BYTES + 1)
