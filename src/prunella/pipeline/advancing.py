"""Rollouts go on by what was counted: idempotent, and safe with many healers and programs at once.

A step is kept with its reason and with what it means for the incident, in one transaction and only
where nobody else was faster. A process that is killed between keeping a step and telling the running
programs has left the telling to whoever looks next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import Any

from prunella.experiment import Limits, strata
from prunella.model.clock import now
from prunella.model.errors import ConfigurationError, ImpossibleCounts, UnknownName
from prunella.model.incidents import IncidentStatus
from prunella.model.rollouts import LIVE, Baseline, Rollout, RolloutState
from prunella.model.settings import Settings
from prunella.pipeline.lessons import WINNING, keep_lessons
from prunella.pipeline.points import keep_point
from prunella.pipeline.releases import released
from prunella.ports import Feed, RolloutCounts, Store
from prunella.rollout import Counted, Stay, advance
from prunella.rollout.rivals import rivals_of, weight_of
from prunella.rollout.times import baseline_of

#: Passing calls of a site that its baseline is made from.
_CALLS = 500
#: Nearly all units on which a fix fires fail without it, where it fires after failures.
_AFTER_FAILURE = frozenset({"retry", "fallback"})
_TRIGGERED_RATE = 0.99


def advance_rollouts(
    store: Store, feed: Feed, settings: Settings, at: datetime | None = None
) -> tuple[Rollout, ...]:
    """Take every step that the counts ask for; return the rollouts that moved.

    Cheap where nothing is live. Raises `ConfigurationError` for limits that are none.
    """
    limits = limits_of(settings)
    moved = []
    for rollout in store.rollouts(states=LIVE):
        after = _advanced(store, rollout, limits, settings, at or now())
        if after is not None:
            moved.append(after)
    feed.publish(store)
    keep_lessons(store, moved)
    return tuple(moved)


def _advanced(
    store: Store, rollout: Rollout, limits: Limits, settings: Settings, at: datetime
) -> Rollout | None:
    try:
        readings = store.counted(rollout.rollout_id)
        known = _beside(store, rollout, counted(rollout, readings, at))
        if rollout.state is RolloutState.GRADUATED:
            known = replace(known, released=released(store, rollout, readings, at))
        keep_point(store, rollout, known, at)
        found = advance(rollout, known, now=at, limits=limits)
    except ImpossibleCounts:
        return None  # what can't be true decides nothing; others go on
    if isinstance(found, Stay):
        return None
    after, because = found
    if after.ratio > rollout.ratio and is_quiet(settings.quiet_hours, at):
        return None  # the same counts say the same when the hours are over
    status = status_after(store, rollout, after, by_itself=True)
    return after if store.step_rollout(after, because, status=status) else None


def _beside(store: Store, rollout: Rollout, known: Counted) -> Counted:
    """Return what is known together with the fixes that were tested for the same incident."""
    if rollout.incident_id is None or rollout.state is not RolloutState.TESTING:
        return known
    others = store.rollouts(incident_id=rollout.incident_id)
    if len(others) < 2:
        return known
    return replace(
        known,
        weight=weight_of(rollout, rivals_of(rollout, others)),
        winner=_winner(store, rollout, others),
    )


def _winner(store: Store, rollout: Rollout, others: Sequence[Rollout]) -> str:
    """Return the fix that went to all traffic while this one was tested."""
    began = rollout.started_at or rollout.changed_at
    for each in others:
        if each.state is RolloutState.GRADUATED and any(
            entry.action in WINNING and entry.at >= began
            for entry in store.audit(subject=each.rollout_id)
        ):
            return each.fix_id
    return ""


def counted(rollout: Rollout, found: RolloutCounts, at: datetime) -> Counted:
    """Return what `advance` asks about a rollout; raises `ImpossibleCounts`."""
    known = strata(
        {
            meter: reading
            for meter, reading in found.readings.items()
            if meter.epoch <= rollout.epoch and 0 < reading.ratio < 1
        },
        rollout.rollout_id,
    )
    quiet_since = found.fired_at or rollout.started_at or rollout.changed_at
    after_failure = rollout.document.get("fix_type") in _AFTER_FAILURE
    return Counted(
        strata=known,
        base_rate=_TRIGGERED_RATE if after_failure else None,
        # Programs count the calls on which a fix fires, and no others.
        triggered=True,
        breakers=sum(effects.get("disabled", 0) > 0 for effects in found.effects.values()),
        quiet_s=max(0.0, (at - quiet_since).total_seconds()),
        quiet_calls=sum(effects.get("quiet_calls", 0) for effects in found.effects.values()),
    )


def limits_of(settings: Settings) -> Limits:
    """Return what the project demands of rollouts; raises `ConfigurationError`."""
    alpha = settings.alpha
    return Limits(
        alpha=alpha,
        alpha_errors=0.6 * alpha,
        alpha_latency=0.2 * alpha,
        alpha_cost=0.2 * alpha,
        max_error_increase=settings.max_error_increase,
        max_latency_ratio=settings.max_latency_ratio,
        max_duration_s=settings.max_rollout_hours * 3600.0,
        min_exposures=settings.min_exposures,
    )


def status_after(
    store: Store, before: Rollout, after: Rollout, *, by_itself: bool
) -> IncidentStatus | None:
    """Return what a step makes of its incident; ``None`` where it stays as it is."""
    if after.incident_id is None or before.state is after.state:
        return None
    try:
        status = store.incident(after.incident_id).status
    except UnknownName:
        return None
    match after.state:
        case RolloutState.GRADUATED if status in _FAILING:
            return IncidentStatus.MITIGATED
        case RolloutState.RETIRED if by_itself and status in {*_FAILING, IncidentStatus.MITIGATED}:
            return IncidentStatus.CURED
    if before.state is RolloutState.GRADUATED and status is IncidentStatus.MITIGATED:
        return IncidentStatus.OPEN
    return None


_FAILING = (IncidentStatus.OPEN, IncidentStatus.REGRESSED)


def baseline(store: Store, document: Mapping[str, Any], settings: Settings) -> Baseline:
    """Return what the units of a fix are to be measured by, from recorded calls of its sites."""
    target = document.get("target")
    sites = target.get("sites", ()) if isinstance(target, Mapping) else ()
    found: Sequence[Any] = sites if isinstance(sites, (list, tuple)) else ()
    durations_s = [
        call.duration_us / 1e6
        for site_id in found
        for call in store.calls(str(site_id), limit=_CALLS)
    ]
    return baseline_of(document, durations_s, max_latency_ratio=settings.max_latency_ratio)


def is_quiet(hours: str, at: datetime) -> bool:
    """Tell whether `at`, in the machine's own time, is within ``HH:MM-HH:MM``; never for ``""``.

    Raises `ConfigurationError` for other text.
    """
    if not hours.strip():
        return False
    begin, dash, end = hours.partition("-")
    try:
        first, last = time.fromisoformat(begin.strip()), time.fromisoformat(end.strip())
    except ValueError:
        dash = ""
    if not dash or first.tzinfo or last.tzinfo:
        raise ConfigurationError(
            f"quiet_hours = {hours!r} is no span of a day; write it as 22:00-06:00"
        )
    present = at.astimezone().time()
    if first <= last:
        return first <= present < last
    return present >= first or present < last
