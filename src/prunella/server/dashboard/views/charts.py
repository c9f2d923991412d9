"""Series to draw, as JSON types."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from prunella.model.alerts import TALLY_S
from prunella.model.audit import AuditEntry
from prunella.ports import FailureCount
from prunella.wiring.healer import Healer

#: Points that a trend is drawn with, at most.
_MAX_POINTS = 160
_MAX_MARKS = 40
_MAX_ENTRIES = 500
_MAX_LABEL_CHARS = 60
#: Steps of rollouts that a trend marks: the verb to its tone.
_MARKED = {
    "approved": "fix",
    "advanced": "fix",
    "promoted": "fix",
    "graduated": "good",
    "rolled_back": "bad",
    "withdrawn": "bad",
    "revoked": "bad",
    "retired": "fix",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened while a series was counted."""

    at: datetime
    #: ``release``, ``fix``, ``good``, ``bad`` or ``patch``.
    tone: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Failures over time."""

    #: Seconds since the epoch at which each stretch begins, and the failures counted in it.
    at_s: tuple[int, ...]
    failures: tuple[int, ...]
    stretch_s: int
    marks: tuple[Mark, ...]

    @property
    def total(self) -> int:
        return sum(self.failures)

    def to_plain(self) -> dict[str, Any]:
        """Return what the browser draws."""
        return {
            "kind": "trend",
            "x": self.at_s,
            "y": self.failures,
            "stretch_s": self.stretch_s,
            "marks": [
                {"x": mark.at.timestamp(), "tone": mark.tone, "label": mark.label}
                for mark in self.marks
            ],
        }


def trend(healer: Healer, *, since: datetime, at: datetime) -> Trend:
    """Return how often anything failed, with the releases and steps of rollouts in between."""
    step = max(timedelta(seconds=TALLY_S), (at - since) / _MAX_POINTS)
    step = timedelta(seconds=TALLY_S) * -(-step // timedelta(seconds=TALLY_S))
    counted = healer.store.failures(since=since, step=step).get(None, ())
    found = spread_out(counted, since=since, until=at, step=step)
    return replace(found, marks=tuple(_marks(healer, since, step)))


def spread_out(
    counted: Sequence[FailureCount], *, since: datetime, until: datetime, step: timedelta
) -> Trend:
    """Return a value for each step from `since` to `until`, 0 where nothing was counted."""
    step_s = int(step.total_seconds())
    known = {int(each.at.timestamp()): each.failures for each in counted}
    first, last = int(since.timestamp()) // step_s, int(until.timestamp()) // step_s
    at_s = tuple(number * step_s for number in range(first, last + 1))
    return Trend(
        at_s=at_s, failures=tuple(known.get(each, 0) for each in at_s), stretch_s=step_s, marks=()
    )


def _marks(healer: Healer, since: datetime, step: timedelta) -> Iterator[Mark]:
    """Yield what to mark; what happened within one step is one mark."""
    names = {str(item.rollout_id): str(item.fix_id) for item in healer.store.rollouts()}
    together: dict[tuple[int, str], list[AuditEntry]] = {}
    for entry in healer.store.audit(limit=_MAX_ENTRIES):
        verb = entry.action.rpartition(".")[2]
        if verb in _MARKED and entry.at >= since:
            number = int(entry.at.timestamp() // step.total_seconds())
            together.setdefault((number, verb), []).append(entry)
    for (_, verb), entries in list(together.items())[-_MAX_MARKS:]:
        said = verb.replace("_", " ")
        name = (
            names.get(entries[0].subject, "a fix") if len(entries) == 1 else f"{len(entries)} fixes"
        )
        yield Mark(at=entries[0].at, tone=_MARKED[verb], label=f"{name} {said}"[:_MAX_LABEL_CHARS])
