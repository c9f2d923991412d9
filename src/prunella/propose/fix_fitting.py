"""Numbers of fixes from recorded calls: how long successes take, how soon a target recovers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from prunella.codec import entries
from prunella.fixes.configs import Budget
from prunella.model.records import Call, Occurrence, Site
from prunella.model.roles import roles_of
from prunella.model.tree import Tree

#: Calls below which a distribution says nothing.
ENOUGH = 5
#: A success this long after a failure says nothing about how soon the target recovered.
LONGEST = timedelta(minutes=10)

#: Share of the calls which retries may leave failing, of those that failed before.
_STILL_FAILING = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What another site answered to the site that an incident is at."""

    site: Site
    #: Its calls within calls that failed afterwards, and within calls that passed.
    failing: Sequence[Call]
    passing: Sequence[Call]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is recorded of the site that an incident is at."""

    site: Site
    failing: Sequence[Occurrence]
    passing: Sequence[Call]
    #: Other sites of the project.
    others: Sequence[Site] = ()
    #: Those of its passing calls that a person has marked as references.
    golden: Sequence[Call] = ()
    #: Models, tools and agents that its recorded calls asked.
    asked: Sequence[Asked] = ()
    #: Calls of the site and those that failed, by its own counts; both 0 where they aren't known.
    calls: int = 0
    errors: int = 0

    @property
    def failed_ratio(self) -> float | None:
        """Share of the site's calls that failed, ``None`` where that isn't known."""
        return self.errors / self.calls if self.calls else None

    def role(self, name: str) -> str:
        """Return the parameter that has a role (timeout, max_tokens, …), empty where none has."""
        return roles_of(self.site.parameters, {}).get(name, "")


def durations_s(calls: Sequence[Call]) -> list[float]:
    """Return how long the calls took, ascending, in seconds."""
    return sorted(call.duration_us / 1e6 for call in calls)


def quantile(ascending: Sequence[float], share: float) -> float:
    """Return the value that `share` of them don't exceed; raises `IndexError` for none."""
    return ascending[min(int(share * len(ascending)), len(ascending) - 1)]


def recoveries_s(observed: Observed) -> list[float]:
    """Return, ascending, how long after each failure the site succeeded next, in seconds.

    Failures that no recorded success followed within `LONGEST` are left out.
    """
    return sorted(
        after.total_seconds()
        for after in (recovery(item, observed.passing) for item in observed.failing)
        if after is not None
    )


def recovery(failure: Occurrence, passing: Sequence[Call]) -> timedelta | None:
    """Return how long after the end of a failure the next success began; ``None`` if none did."""
    ended_at = failure.started_at + timedelta(microseconds=failure.duration_us)
    waits = [call.started_at - ended_at for call in passing if call.started_at >= ended_at]
    soonest = min(waits, default=None)
    return soonest if soonest is not None and soonest <= LONGEST else None


def retries_for(failed_ratio: float, *, most: int) -> int:
    """Return after how many retries at most one in ten calls still fails, where each fails anew."""
    retries = 1
    while failed_ratio ** (retries + 1) > _STILL_FAILING * failed_ratio and retries < most:
        retries += 1
    return retries


def budget_for(failed_ratio: float | None, retries: int) -> dict[str, float]:
    """Return the retry budget that a target which fails so often needs; empty for the usual one.

    Half as much again as the retries that each call leads to, and no more than one a call: what
    fails more often is down rather than flaky.
    """
    if failed_ratio is None:
        return {}
    a_call = sum(failed_ratio**number for number in range(1, retries + 1))
    ratio = min(1.0, round(1.5 * a_call, 2))
    return {"ratio": ratio} if ratio > Budget().ratio else {}


def values_of(records: Sequence[Occurrence | Call], parameter: str) -> list[Tree]:
    """Return a parameter's recorded values."""
    return [dict(entries(record.inputs)).get(parameter) for record in records]


def usual(values: Sequence[Any]) -> Any:
    """Return the median of numbers."""
    return median(values)


def siblings(observed: Observed) -> list[Site]:
    """Return other sites of the same kind that take the same parameters."""
    own = observed.site
    return [
        other
        for other in observed.others
        if other.site_id != own.site_id
        and other.kind == own.kind
        and other.shape == own.shape
        and other.parameters == own.parameters
        and bool(own.parameters)
    ]


def repeats_ratio(calls: Sequence[Call]) -> float:
    """Return the share of calls whose inputs another call had as well."""
    seen: dict[str, int] = {}
    for call in calls:
        key = repr(call.inputs)
        seen[key] = seen.get(key, 0) + 1
    again = sum(count for count in seen.values() if count > 1)
    return again / len(calls) if calls else 0.0
