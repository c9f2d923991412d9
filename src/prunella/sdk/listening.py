"""Hears from the server which fixes are to act, and brings the project's folder up to that.

What the server says comes as a stream of events, or is asked for each few seconds where the stream
doesn't come through. It is put into the files that every program of the folder looks at anyhow
(`prunella.sdk.feed`), so that one connection serves them all, and what was said last holds while the
server is away. A kill switch that was made here by hand isn't the server's to take back.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import Any

from prunella.model.project import DISABLED, FIXES_OFF, fix_of_name, fixes_off_name
from prunella.sdk.connection import Connection, NoAnswerError
from prunella.sdk.counters import count, guarded
from prunella.sdk.feed import FILE_NAME, MAX_BYTES
from prunella.sdk.files import LeftAloneError, put

#: Without a sign of life for so long, the stream has died.
IDLE_S = 30.0
#: How often is asked where the stream doesn't come through.
POLL_S = 5.0
#: The stream is tried again after so long, at first and at most.
_RETRY_S = (5.0, 60.0)
#: Time between two applied documents at least: what a server floods us with waits in the socket.
_CALM_S = 0.1
#: First words of the files that the server's kill switches make.
_MARK = b"switched off by the server"


class Listener:
    """Keeps the files of one data folder at what the server says. Runs in a thread of its own."""

    def __init__(self, folder: Path, connection: Connection, stop: Event) -> None:
        self._folder = folder
        self._connection = connection
        self._stop = stop
        self._etag = ""
        self._retry_s = _RETRY_S[0]

    def run(self) -> None:
        """Listen until `stop` is set."""
        while not self._stop.wait(_CALM_S):
            guarded("listen", self._round)

    def _round(self) -> None:
        try:
            self._listen()
        except NoAnswerError:
            self._poll(self._retry_s)
            self._retry_s = min(2 * self._retry_s, _RETRY_S[1])

    def _listen(self) -> None:
        """Apply what the stream brings; raises `NoAnswerError` when it ends."""
        data: list[bytes] = []
        size = 0
        lines = self._connection.lines(
            "feed/events",
            headers={"Accept": "text/event-stream"},
            idle_s=IDLE_S,
            max_bytes=MAX_BYTES,
        )
        for line in lines:
            if self._stop.is_set():
                return
            if line.startswith(b"data:"):
                size += len(line)
                if size > MAX_BYTES:
                    raise NoAnswerError("an event of more than a feed's size")
                data.append(line[5:].removeprefix(b" "))
            elif not line and data:
                self._heard(b"\n".join(data))
                data, size = [], 0
                self._retry_s = _RETRY_S[0]
                self._stop.wait(_CALM_S)

    def _poll(self, for_s: float) -> None:
        """Ask now and then instead, for so long."""
        left_s = for_s
        while left_s > 0 and not self._stop.is_set():
            try:
                headers = {"If-None-Match": self._etag} if self._etag else {}
                answer = self._connection.request(
                    "GET", "feed", headers=headers, max_bytes=MAX_BYTES
                )
                if answer.status == 200:
                    self._heard(answer.body)
                    self._etag = _header_safe(answer.headers.get("etag", ""))
            except NoAnswerError:
                pass
            self._stop.wait(min(POLL_S, left_s))
            left_s -= POLL_S

    def _heard(self, content: bytes) -> None:
        try:
            apply(self._folder, content)
        except (ValueError, RecursionError) as error:
            count(f"feed_unreadable_{type(error).__name__}")
        except (OSError, LeftAloneError) as error:
            count(f"feed_unwritten_{type(error).__name__}")


def _header_safe(text: str) -> str:
    return text if len(text) < 200 and text.isascii() and text.isprintable() else ""


def apply(folder: Path, content: bytes) -> None:
    """Bring the files of `folder` up to the feed's document; raises `ValueError`, `OSError`.

    Whether each installation can be used is found out by the programs, one by one.
    """
    document = json.loads(content)
    if type(document) is not dict or type(document.get("installations")) is not list:
        raise ValueError("no feed")
    off = document.get("off")
    _switch(folder, off if type(off) is dict else {})
    installations = {"installations": document["installations"]}
    wanted = json.dumps(installations, indent=1, sort_keys=True).encode() + b"\n"
    path = folder / FILE_NAME
    if not path.exists() and not document["installations"]:
        return
    if not path.exists() or path.read_bytes() != wanted:
        put(path, wanted)


def _switch(folder: Path, off: Mapping[str, Any]) -> None:
    """Make and remove the files of kill switches, those of people left alone."""
    wanted = set()
    if off.get("sdk") is True:
        wanted.add(DISABLED)
    if off.get("all") is True:
        wanted.add(FIXES_OFF)
    fixes = off.get("fixes")
    if type(fixes) is list:
        names = [fixes_off_name(each) for each in fixes if type(each) is str]
        wanted.update(name for name in names if 0 < len(name.encode()) <= 255 and _is_ours(name))
    for name in wanted:
        if not (folder / name).exists():
            put(folder / name, _MARK + b"\n")
    for path in folder.iterdir():
        if path.name not in wanted and _was_switched_by_server(path):
            path.unlink(missing_ok=True)


def _is_ours(name: str) -> bool:
    return fixes_off_name(fix_of_name(name)) == name and name != f"{FIXES_OFF}-"


def _was_switched_by_server(path: Path) -> bool:
    if path.name != DISABLED and not path.name.startswith(FIXES_OFF):
        return False
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_MARK)) == _MARK
