"""Whether new code of a site has made its fix needless: the patch was deployed."""

from datetime import datetime, timedelta

from prunella.experiment import Arm, Counts
from prunella.experiment.holdback import Released
from prunella.model.errors import UnknownName
from prunella.model.incidents import Incident
from prunella.model.records import Call, Occurrence
from prunella.model.rollouts import Rollout
from prunella.ports import RolloutCounts, Store

#: Latest passing calls that the code in force is seen by, and failures that the old code is.
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
    if not _may_be_new(store, incident):
        return None
    calls = [kept.call for kept in store.kept_calls(incident.site_id, limit=_CALLS)]
    failures = store.occurrences(incident.incident_id, limit=_FAILURES)
    faulty = {failure.source_hash for failure in failures}
    new = [call for call in calls if call.source_hash not in faulty]
    old: list[Call | Occurrence] = [
        *failures,
        *(call for call in calls if call.source_hash in faulty),
    ]
    latest = max([incident.last_seen_at, *(each.started_at for each in old)])
    # Both at the same time: some processes haven't been started anew yet.
    if not new or (latest >= min(call.started_at for call in new) and latest > at - _QUIET):
        return None
    fresh = {str(call.process_id) for call in new}
    stale = {str(each.process_id) for each in old} - fresh
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


def _may_be_new(store: Store, incident: Incident) -> bool:
    """Tell whether the latest call that passed ran other code than the latest that failed."""
    passed = store.kept_calls(incident.site_id, limit=1)
    failed = store.occurrences(incident.incident_id, limit=1)
    return bool(passed and failed) and passed[0].call.source_hash != failed[0].source_hash


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
