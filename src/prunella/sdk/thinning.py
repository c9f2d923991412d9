"""Makes room in a spool that nobody takes in: the least useful records of finished files go.

First the recorded successes, oldest first, then, where that isn't enough, failures; what counts them,
and what describes processes and functions, stays. What goes is counted. A thinned file keeps the offset
of everything that stays (`prunella.codec.wire.gap`), so that nothing is reported twice.
"""

import os
from contextlib import suppress
from pathlib import Path

from prunella.codec.wire import gap, size_of
from prunella.sdk.counters import count
from prunella.sdk.files import LeftAloneError, is_unheld, opened, put
from prunella.sdk.reporting_state import ReportState
from prunella.sdk.shipping import THIN_SUFFIX, spool_names
from prunella.sdk.spool_reader import lines_of

#: Shares of the room at which thinning begins, and ends.
_HIGH_RATIO = 0.75
_LOW_RATIO = 0.5
#: What goes, first to last: how such records begin behind their checksum, and what they are called.
_KINDS = ((b'{"class":"call"', "calls"), (b'{"class":"occurrence"', "failures"))
_CHECKSUM = 9


def thin(folder: Path, state: ReportState, *, room_bytes: int) -> int:
    """Make room where the spool in `folder` fills it; return how many records went."""
    files = spool_names(folder)
    sizes = {name: _size(path) for name, path in files.items()}
    total = sum(sizes.values())
    if total < _HIGH_RATIO * room_bytes:
        return 0
    gone = 0
    for beginning, what in _KINDS:
        for name in files:
            if total <= _LOW_RATIO * room_bytes:
                break
            number = _thin_file(files, name, state.offsets.get(name, 0), beginning)
            if number:
                count(f"dropped_report_room_{what}", number)
                gone += number
            total += (size := _size(files[name])) - sizes[name]
            sizes[name] = size
    state.dropped += gone
    return gone


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _thin_file(files: dict[str, Path], name: str, offset: int, beginning: bytes) -> int:
    """Leave out of a finished file what was reported and what begins so; return how many records."""
    path = files[name]
    try:
        with opened(path) as descriptor:
            if not is_unheld(descriptor):
                return 0
            with os.fdopen(os.dup(descriptor), "rb") as file:
                content, number = _thinned(file.read(), offset, beginning)
        if number:
            thinned = path.with_suffix(THIN_SUFFIX)
            put(thinned, content)
            if thinned != path:
                path.unlink()
                files[name] = thinned
    except (OSError, LeftAloneError) as error:
        count(f"report_left_alone_{type(error).__name__}")
        return 0
    return number


def _thinned(content: bytes, offset: int, beginning: bytes) -> tuple[bytes, int]:
    whole, _, rest = content.rpartition(b"\n")
    parts: list[bytes] = []
    at = left_out = number = 0
    for line in lines_of(whole + b"\n") if whole else ():
        size = size_of(line)
        goes = line.startswith(beginning, _CHECKSUM)
        number += goes and at >= offset
        if goes or line.startswith(b"gap ") or at + size <= offset:
            left_out += size
        else:
            if left_out:
                parts.append(gap(left_out))
                left_out = 0
            parts.append(line + b"\n")
        at += size
    if left_out:
        parts.append(gap(left_out))
    return b"".join(parts) + rest, number
