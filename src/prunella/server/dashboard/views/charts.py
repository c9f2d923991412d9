"""Series to draw, as JSON types."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import log
from typing import Any

from prunella.experiment import Counts
from prunella.experiment.confidence import rate_interval
from prunella.model.alerts import TALLY_S
from prunella.model.audit import AuditEntry
from prunella.model.wording import one_line
from prunella.pipeline.looking import Look
from prunella.ports import FailureCount
from prunella.wiring.healer import Healer

#: Points that a trend is drawn with, at most.
_MAX_POINTS = 160
_MAX_MARKS = 40
_MAX_ENTRIES = 500
#: Points of a rollout that are read, drawn, and the fewest that make a drawing.
_MAX_KEPT_POINTS, _MAX_ARM_POINTS, _LEAST_POINTS = 2000, 90, 3
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


def arms_over_time(healer: Healer, look: Look) -> Mapping[str, Any] | None:
    """Return both arms' failure rates with their confidence sequences; ``None`` for a single look.

    An interval covers the truth at every look at once, so that the whole band may be read.
    """
    points = healer.store.points(look.rollout.rollout_id, limit=_MAX_KEPT_POINTS)
    if len(points) < _LEAST_POINTS:
        return None
    step = -(-len(points) // _MAX_ARM_POINTS)
    shown = points[::-1][::step][::-1]  # the latest always
    return {
        "kind": "arms",
        "x": [point.at.timestamp() for point in shown],
        **_band("control", [(each.control_units, each.control_failures) for each in shown]),
        **_band("treatment", [(each.treatment_units, each.treatment_failures) for each in shown]),
        "benefit": [point.log_benefit for point in shown],
        "harm": [point.log_harm for point in shown],
        "thresholds": {each.name: log(each.threshold) for each in look.weights[:2]},
        "marks": [
            {"x": entry.at.timestamp(), "tone": _MARKED[verb], "label": verb.replace("_", " ")}
            for entry in look.history
            if (verb := entry.action.rpartition(".")[2]) in _MARKED
        ],
    }


def _band(arm: str, counted: Sequence[tuple[int, int]]) -> Mapping[str, list[float | None]]:
    rates = [Counts(n=units, failures=failures) for units, failures in counted]
    intervals = [rate_interval(each) if each.n else None for each in rates]
    return {
        arm: [each.rate for each in rates],
        f"{arm}_low": [each.low if each else None for each in intervals],
        f"{arm}_high": [each.high if each else None for each in intervals],
    }


def _marks(healer: Healer, since: datetime, step: timedelta) -> Iterator[Mark]:
    """Yield what to mark; what happened within one step is one mark."""
    for release, at in list(healer.store.release_starts(since=since).items())[-_MAX_MARKS:]:
        yield Mark(at=at, tone="release", label=one_line(f"release {release}", _MAX_LABEL_CHARS))
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
