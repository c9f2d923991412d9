"""Whether new code of a site has made its fix needless: the patch was deployed."""

from datetime import datetime, timedelta

from prunella.experiment import Arm, Counts
from prunella.experiment.holdback import Released
from prunella.model.errors import UnknownName
from prunella.model.records import Call
from prunella.model.rollouts import Rollout
from prunella.ports import RolloutCounts, Store

#: Latest passing calls that the versions in force are seen by, and failures that the old one is.
_CALLS = 200
_FAILURES = 50
#: Old code that has recorded nothing for so long isn't in force any more.
_QUIET = timedelta(minutes=10)


def released(store: Store, rollout: Rollout, found: RolloutCounts, at: datetime) -> Released | None:
    """Return how a fix fares at the new code of its incident's site.

    ``None`` where no code is in force but that which has failed, or some of that still is.
    """
    if rollout.incident_id is None:
        return None
    try:
        incident = store.incident(rollout.incident_id)
    except UnknownName:
        return None
    calls = [kept.call for kept in store.kept_calls(incident.site_id, limit=_CALLS)]
    if len({call.source_hash for call in calls}) < 2:
        return None  # nearly always: nothing was deployed
    failures = store.occurrences(incident.incident_id, limit=_FAILURES)
    faulty = {failure.source_hash for failure in failures}
    new = [call for call in calls if call.source_hash not in faulty]
    old = [call for call in calls if call.source_hash in faulty]
    if not new or not old or _is_in_force(old, new, at):
        return None
    fresh = {str(call.process_id) for call in new}
    stale = {str(call.process_id) for call in old} - fresh
    called = {
        str(each.process_id): each.sites.get(incident.site_id, {}).get("calls", 0)
        for each in store.counts()
    }
    before, after = _arms(found, stale), _arms(found, fresh)
    fired = before[Arm.CONTROL].n + before[Arm.TREATMENT].n
    earlier = sum(called.get(name, 0) for name in stale)
    return Released(
        name=_name(store, new[0]),
        calls=sum(called.get(name, 0) for name in fresh),
        fired=after[Arm.CONTROL].n + after[Arm.TREATMENT].n,
        # Calls from before the rollout are among them: if anything, it fired more often.
        fired_rate=min(fired / earlier, 1.0) if earlier else 0.0,
        holdback=after[Arm.CONTROL],
        holdback_rate=before[Arm.CONTROL].rate or 0.0,
    )


def _is_in_force(old: list[Call], new: list[Call], at: datetime) -> bool:
    latest = max(call.started_at for call in old)
    return latest >= min(call.started_at for call in new) and latest > at - _QUIET


def _arms(found: RolloutCounts, processes: set[str]) -> dict[Arm, Counts]:
    sums = {arm: Counts() for arm in Arm}
    for meter, reading in found.readings.items():
        if meter.process_id in processes:
            sums[meter.arm] += reading.counts
    return sums


def _name(store: Store, call: Call) -> str:
    process = store.process(call.process_id)
    if process is not None and process.release:
        return f"release {process.release[:80]}"
    return f"the new code of {call.site_id} ({call.source_hash[:8]})"
