"""How bad an incident is: by its error code, how often it fails, whether that grows, who sees it."""

from collections.abc import Mapping
from datetime import datetime
from math import log2

from prunella.model.alerts import Spread
from prunella.model.ids import IncidentId
from prunella.model.incidents import Incident
from prunella.model.records import ExceptionInfo
from prunella.taxonomy import CODES, classify_recorded

#: A severity one step higher weighs as much as so many times the failures.
_STEP = 4.0
#: The trend counts for twice to half, at most.
_MOST_TREND = 2.0


def severity_of(incident: Incident) -> int:
    """Return the severity of an incident's error, from 1 to 5.

    That of its code; a project's own codes have none, so that the exception's class decides.
    """
    known = CODES.get(incident.error_code)
    if known is None:
        kind = incident.error_type
        info = ExceptionInfo(type=kind, mro=(kind,), message=incident.message)
        known = classify_recorded(info).code
    return known.severity


def harm_per_hour(incident: Incident, spread: Spread | None, *, at: datetime) -> float:
    """Return how bad an incident is, in a unit of its own that grows with

    - the severity of its error: one step weighs as much as four times the failures;
    - its rate: failures an hour since the first that `spread` counts, over an hour at least, and one
      more, so that what failed once has a rank too;
    - the trend: how many more fail in the later part of that time, from half to twice;
    - how many processes and machines see it: each doubling of either adds one to a factor of 1.
      Who the users are isn't recorded; that is the nearest to them.

    Without a `spread` all failures count as if they fell into one hour in one process.
    """
    weight = _STEP ** (severity_of(incident) - 1)
    if spread is None:
        return weight * (1 + incident.count)
    length_s = max((at - spread.first_at).total_seconds(), 3600)
    rate = (spread.earlier + spread.later) * 3600 / length_s
    trend = (spread.later + 1) / (spread.earlier + 1)
    seen_by = 1 + log2(max(spread.processes, 1)) + log2(max(spread.hosts, 1))
    return weight * (1 + rate) * min(max(trend, 1 / _MOST_TREND), _MOST_TREND) * seen_by


#: What `worst_first` asks a store for.
Spreads = Mapping[IncidentId, Spread]
