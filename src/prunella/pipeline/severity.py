"""How bad an incident is: by its error code, how often it fails, whether that grows, who sees it."""

from collections.abc import Mapping
from datetime import datetime
from math import log2

from prunella.model.alerts import TALLY_S, Spread
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
    - its rate: failures an hour over the time that `spread` covers, and one more, so that what failed
      once has a rank too;
    - the trend: how many more fail in the later half of that time, from half to twice;
    - how many processes and machines see it: each doubling of either adds one to a factor of 1.
      Who the users are isn't recorded; that is the nearest to them.

    Without a `spread` all failures count as if they fell into one hour in one process.
    """
    weight = _STEP ** (severity_of(incident) - 1)
    if spread is None or not spread.failures:
        return weight * (1 + incident.count)
    first = spread.failures[0][0]
    length_s = max((at - first).total_seconds(), TALLY_S)
    total = sum(number for _, number in spread.failures)
    later = sum(
        number for start, number in spread.failures if (at - start).total_seconds() < length_s / 2
    )
    trend = (later + 1) / (total - later + 1)
    seen_by = 1 + log2(max(spread.processes, 1)) + log2(max(spread.hosts, 1))
    rate = total * 3600 / max(length_s, 3600)
    return weight * (1 + rate) * min(max(trend, 1 / _MOST_TREND), _MOST_TREND) * seen_by


#: What `worst_first` asks a store for.
Spreads = Mapping[IncidentId, Spread]
