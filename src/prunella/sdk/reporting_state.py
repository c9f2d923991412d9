"""How far the records of a folder have been reported: ``report.json``, for whoever goes on with it.

What a process that was killed didn't write is no harm: the server knows better, and says so.
"""

import json
import os
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from prunella.sdk.counters import count
from prunella.sdk.files import LeftAloneError, opened, put

#: Names in a project's data folder. Records of a folder with such a file belong to a server.
STATE_NAME = "report.json"
LOCK_NAME = "report.lock"
_MAX_BYTES = 1024 * 1024
_SENDER = re.compile(r"[0-9a-f]{32}")


@dataclass(slots=True, kw_only=True)
class ReportState:
    """What was reported from one folder, and how it went last."""

    #: The project's address, without the key.
    place: str
    #: Tells this folder's files from those of others.
    sender: str
    #: Spool file to how many bytes of it the server has kept.
    offsets: dict[str, int] = field(default_factory=dict)
    #: In microseconds since the epoch: the last time the server took something in, and when it last
    #: answered at all.
    shipped_at_us: int = 0
    answered_at_us: int = 0
    #: Why reporting doesn't go on, since when, and when it is tried again.
    problem: str = ""
    problem_since_us: int = 0
    retry_at_us: int = 0
    #: Records that left the spool unreported, for want of room or because nobody takes them.
    dropped: int = 0

    def failed(self, problem: str, *, at_us: int, retry_at_us: int) -> None:
        if not self.problem:
            self.problem_since_us = at_us
        self.problem, self.retry_at_us = problem, retry_at_us

    def went_well(self, *, at_us: int) -> None:
        self.answered_at_us = at_us
        self.problem, self.problem_since_us, self.retry_at_us = "", 0, 0


def read_state(folder: Path) -> ReportState | None:
    """Return what stands in a data folder; ``None`` where nothing usable does."""
    try:
        with opened(folder / STATE_NAME) as descriptor:
            found = json.loads(os.pread(descriptor, _MAX_BYTES, 0))
        known = {item.name: found[item.name] for item in fields(ReportState) if item.name in found}
        state = ReportState(**known)
    except (OSError, LeftAloneError, ValueError, TypeError, RecursionError):
        return None
    return state if _is_sound(state) else None


def _is_sound(state: ReportState) -> bool:
    numbers = [
        state.shipped_at_us,
        state.answered_at_us,
        state.problem_since_us,
        state.retry_at_us,
        state.dropped,
    ]
    if type(state.offsets) is not dict:
        return False
    return (
        all(type(text) is str for text in (state.place, state.sender, state.problem))
        and all(type(number) is int for number in (*numbers, *state.offsets.values()))
        and _SENDER.fullmatch(state.sender) is not None
    )


def state_for(folder: Path, place: str) -> ReportState:
    """Return the state of reporting to `place`, begun anew where it was another place."""
    found = read_state(folder)
    if found is None:
        return ReportState(place=place, sender=os.urandom(16).hex())
    if found.place != place:
        return ReportState(place=place, sender=found.sender)
    return found


def write_state(folder: Path, state: ReportState) -> None:
    """Keep `state`; a disk that doesn't take it is counted."""
    try:
        put(folder / STATE_NAME, json.dumps(asdict(state)).encode(), durable=False)
    except OSError as error:
        count(f"report_state_{type(error).__name__}")
