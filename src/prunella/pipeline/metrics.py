"""How well healing works, in numbers; docs/reference/metrics.md has their formulas.

``None`` is what nothing is known of yet: never the same as 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from statistics import median

from prunella.experiment import Stratum
from prunella.experiment.confidence import ratio_interval
from prunella.experiment.ramp import HOLDBACK_RATIO
from prunella.model.clock import from_us
from prunella.model.errors import ImpossibleCounts, UnknownName
from prunella.model.exchanges import ModelExchange
from prunella.model.ids import FixId, IncidentId, RolloutId
from prunella.model.incidents import HEALER_SITE, Incident, IncidentStatus
from prunella.model.rollouts import ENDED, LIVE, Rollout, RolloutState
from prunella.pipeline.advancing import counted
from prunella.ports import RolloutCounts, RolloutStore, Store

#: Where a rollout stands that has graduated and wasn't taken back.
_GOOD = (RolloutState.GRADUATED, RolloutState.RETIRED)
_HEALED = (IncidentStatus.MITIGATED, IncidentStatus.CURED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """By which share a graduated fix reduces failures, measured against its holdback."""

    fix_id: FixId
    rollout_id: RolloutId
    #: Units of the graduated epochs that were counted with the fix, and in the holdback.
    with_fix: int
    without_fix: int
    #: 1 minus the risk ratio; below 0 it does harm. ``None`` where the holdback had no failure.
    estimate: float | None
    #: Holds at every look at once, with 95 %; ``None`` where that side is open.
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What fixes did to the calls of programs, all rollouts together."""

    #: Failures that fixes made successes of: callers saw nothing of them.
    errors_masked: int
    #: Times that fixes acted, and how many of these were retries.
    acted: int
    retries: int
    #: Seconds that fixes have made calls wait, and for each time that one acted.
    added_s: float
    added_s_each: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What healing has cost."""

    #: What language models were asked, and how often no price was known.
    exchanges: int
    unpriced: int
    #: Of those with a price; ``None`` where models were asked and none has one.
    dollars: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """How well healing works."""

    #: Beginning of the period; ``None`` for everything that is kept.
    since: datetime | None
    #: Incidents that failed in the period, and of these mitigated or cured now.
    incidents: int
    healed: int
    fix_rate: float | None
    #: Rollouts that acted and came to graduated or an end in the period; of these graduated.
    ended: int
    graduated: int
    success_rate: float | None
    #: Medians over the incidents, from the first failure on.
    to_mitigated_s: float | None
    to_cured_s: float | None
    reductions: tuple[Reduction, ...]
    #: ``None`` where nothing was counted.
    effects: Effects | None
    #: Failures counted of incidents that are cured now; ``None`` without incidents.
    errors_solved: int | None
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class _Path:
    """A rollout, and when it took the steps that count."""

    rollout: Rollout
    graduated_at: datetime | None
    #: When it came to its present state.
    since: datetime

    @property
    def is_good(self) -> bool:
        return self.graduated_at is not None and self.rollout.state in _GOOD


def measure(store: Store, *, since: datetime | None = None, at: datetime) -> Metrics:
    """Return the metrics of what happened from `since` on, as they stand at the moment `at`."""
    totals = store.totals(since=since)
    counted_in = [status for status in totals.incidents if status is not IncidentStatus.IGNORED]
    incidents = sum(totals.incidents[status] for status in counted_in)
    paths = [_path(store, item) for item in store.rollouts()]
    recent = [item for item in paths if since is None or _is_recent(item.rollout, since)]
    counts = {
        item.rollout.rollout_id: store.counted(item.rollout.rollout_id)
        for item in recent
        if item.rollout.started_at is not None
    }
    ended = [
        item
        for item in paths
        if item.rollout.started_at is not None
        and item.rollout.state in {RolloutState.GRADUATED, *ENDED}
        and (since is None or item.since >= since)
    ]
    healed = sum(totals.incidents.get(status, 0) for status in _HEALED)
    mitigated_at = _mitigated_at(paths)
    graduated = sum(item.is_good for item in ended)
    return Metrics(
        since=since,
        incidents=incidents,
        healed=healed,
        fix_rate=_share(healed, incidents),
        ended=len(ended),
        graduated=graduated,
        success_rate=_share(graduated, len(ended)),
        to_mitigated_s=time_to_mitigated_s(_seen(store, mitigated_at, since), mitigated_at),
        to_cured_s=median_s(totals.cured),
        reductions=_reductions(recent, counts, at),
        effects=effects_of([item.rollout for item in recent], counts),
        errors_solved=totals.failures.get(IncidentStatus.CURED, 0) if incidents else None,
        cost=cost_of(store.exchanges_since(since or from_us(0))),
    )


def _seen(
    store: Store, incident_ids: Iterable[IncidentId], since: datetime | None
) -> list[Incident]:
    """Return those incidents that are kept and count."""
    found = []
    for name in incident_ids:
        try:
            item = store.incident(name)
        except UnknownName:
            continue  # it is forgotten
        is_recent = since is None or item.last_seen_at >= since
        if is_recent and item.site_id != HEALER_SITE and item.status is not IncidentStatus.IGNORED:
            found.append(item)
    return found


def _path(store: RolloutStore, rollout: Rollout) -> _Path:
    steps = [
        entry
        for entry in store.audit(subject=rollout.rollout_id)
        if entry.evidence.get("before") != entry.evidence.get("after")
    ]
    graduated = [entry.at for entry in steps if entry.evidence.get("after") == "graduated"]
    arrived = [entry.at for entry in steps if entry.evidence.get("after") == rollout.state.value]
    return _Path(
        rollout=rollout,
        graduated_at=min(graduated, default=None),
        since=max(arrived, default=rollout.changed_at),
    )


def _is_recent(rollout: Rollout, since: datetime) -> bool:
    return rollout.state in LIVE or rollout.changed_at >= since


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mitigated_at(paths: Iterable[_Path]) -> Mapping[IncidentId, datetime]:
    found: dict[IncidentId, datetime] = {}
    for item in paths:
        name, at = item.rollout.incident_id, item.graduated_at
        if name is not None and at is not None and item.is_good:
            found[name] = min(at, found.get(name, at))
    return found


def time_to_mitigated_s(
    incidents: Sequence[Incident], mitigated_at: Mapping[IncidentId, datetime]
) -> float | None:
    """Return the median from first failure to the first graduation that wasn't taken back."""
    return median_s(
        (item.first_seen_at, mitigated_at[item.incident_id])
        for item in incidents
        if item.incident_id in mitigated_at
    )


def median_s(spans: Iterable[tuple[datetime, datetime]]) -> float | None:
    """Return the median length of spans of time; ``None`` where there is none."""
    # Not below 0: programs and healer may run on machines whose clocks differ.
    times_s = [max(0.0, (end - begin).total_seconds()) for begin, end in spans]
    return median(times_s) if times_s else None


def _reductions(
    paths: Iterable[_Path], counts: Mapping[RolloutId, RolloutCounts], at: datetime
) -> tuple[Reduction, ...]:
    found = []
    for item in paths:
        known = counts.get(item.rollout.rollout_id)
        if item.graduated_at is None or known is None:
            continue
        try:
            strata = counted(item.rollout, known, at).strata
        except ImpossibleCounts:
            continue  # what can't be true measures nothing
        found.append(reduction(item.rollout, strata))
    return tuple(found)


def reduction(rollout: Rollout, strata: Sequence[Stratum]) -> Reduction:
    """Return what the graduated epochs say; the others' arms don't count.

    The estimate is the risk ratio of Mantel and Haenszel, so that no two epochs are pooled.
    """
    held = [item for item in strata if item.ratio == 1 - HOLDBACK_RATIO]
    treated = untreated = 0.0
    for item in held:
        units = item.treatment.n + item.control.n
        if units:
            treated += item.treatment.failures * item.control.n / units
            untreated += item.control.failures * item.treatment.n / units
    failures = sum(item.treatment.failures + item.control.failures for item in held)
    ratio = ratio_interval(held) if failures else None
    return Reduction(
        fix_id=rollout.fix_id,
        rollout_id=rollout.rollout_id,
        with_fix=sum(item.treatment.n for item in held),
        without_fix=sum(item.control.n for item in held),
        estimate=1 - treated / untreated if untreated else None,
        low=1 - ratio.high if ratio and isfinite(ratio.high) else None,
        high=1 - ratio.low if ratio else None,
    )


def effects_of(
    rollouts: Iterable[Rollout], counts: Mapping[RolloutId, RolloutCounts]
) -> Effects | None:
    """Return what the rollouts did to calls; ``None`` where no process counted anything of them."""
    masked = acted = retries = added_ms = 0
    told = False
    for rollout in rollouts:
        known = counts.get(rollout.rollout_id)
        for each in known.effects.values() if known else ():
            told = True
            masked += each.get("healed", 0)
            acted += each.get("acted", 0)
            added_ms += each.get("added_ms", 0)
            if rollout.document.get("fix_type") == "retry":
                retries += each.get("acted", 0)
    if not told:
        return None
    return Effects(
        errors_masked=masked,
        acted=acted,
        retries=retries,
        added_s=added_ms / 1000,
        added_s_each=added_ms / 1000 / acted if acted else None,
    )


def cost_of(exchanges: Sequence[ModelExchange]) -> Cost:
    """Return what the exchanges cost; without any, nothing was spent."""
    priced = [item.cost_dollars for item in exchanges if item.cost_dollars is not None]
    return Cost(
        exchanges=len(exchanges),
        unpriced=len(exchanges) - len(priced),
        dollars=sum(priced) if priced or not exchanges else None,
    )
