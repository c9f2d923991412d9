"""What fails now, what was healed, and how well healing works."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prunella.model.alerts import TALLY_S
from prunella.model.clock import now
from prunella.model.errors import UnknownName
from prunella.model.incidents import Incident, IncidentStatus
from prunella.model.jobs import Job
from prunella.model.repair import Publication, PublicationState
from prunella.model.rollouts import Rollout, RolloutState
from prunella.model.wording import failed_function, plural
from prunella.pipeline.metrics import Metrics, Reduction
from prunella.pipeline.names import spreads_of, worst_first
from prunella.ports import IncidentQuery, Store
from prunella.server.dashboard.views.charts import Trend, trend
from prunella.server.dashboard.views.recent import recalled
from prunella.wiring.healer import Healer

#: Periods that can be chosen, in hours.
PERIODS_H = {"1h": 1, "24h": 24, "7d": 168, "30d": 720}
_SHOWN = 8
#: Incidents that the worst, and the latest healed, are chosen from: those that failed last.
_MOST = 60
#: What fails now is ranked by what happened since then, however long the period is.
_NOW = timedelta(days=1)
_FAILING = (IncidentStatus.OPEN, IncidentStatus.REGRESSED)
_HEALED = (IncidentStatus.MITIGATED, IncidentStatus.CURED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Healed:
    """Something that healing has done."""

    at: datetime
    #: By what it was healed, in words.
    kind: str
    what: str
    #: Address within the project.
    link: str
    #: In a few words, where it stands.
    standing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything that the overview shows."""

    period: str
    metrics: Metrics
    #: The worst first.
    failing: tuple[Incident, ...]
    number_failing: int
    number_healed: int
    #: Fixes that wait for approval.
    waiting: tuple[Rollout, ...]
    testing: tuple[Rollout, ...]
    #: Patches that people may merge.
    open_patches: tuple[tuple[Publication, Incident | None], ...]
    healed: tuple[Healed, ...]
    #: The surest of the graduated fixes.
    reduction: Reduction | None
    trend: Trend
    running: tuple[Job, ...]


def overview(healer: Healer, period: str, running: Sequence[Job]) -> Overview:
    """Return the overview of a period of `PERIODS_H`; of any other, one that shows what there is."""
    store, at = healer.store, now()
    if period not in PERIODS_H:
        period = _fitting(store, at)
    within = timedelta(hours=PERIODS_H[period])
    failing = store.find_incidents(IncidentQuery(statuses=_FAILING, limit=_MOST))
    healed = store.find_incidents(IncidentQuery(statuses=_HEALED, limit=_MOST))
    rollouts = store.rollouts()
    publications = sorted(store.publications(), key=lambda each: each.published_at, reverse=True)
    spreads = recalled(
        healer,
        ("spreads", period),
        lambda: spreads_of(store, failing.items, since=at - min(within, _NOW)),
    )
    metrics = recalled(healer, ("metrics", period), lambda: healer.metrics(within=within))
    return Overview(
        period=period,
        metrics=metrics,
        failing=tuple(worst_first(failing.items, spreads, at=at)[:_SHOWN]),
        number_failing=failing.total,
        number_healed=healed.total,
        waiting=tuple(item for item in rollouts if item.state is RolloutState.CANDIDATE)[:_SHOWN],
        testing=tuple(item for item in rollouts if item.state is RolloutState.TESTING)[:_SHOWN],
        open_patches=tuple(
            (item, _incident(store, item.incident_id))
            for item in [each for each in publications if each.state is PublicationState.OPEN][
                :_SHOWN
            ]
        ),
        healed=_healed(store, publications, rollouts, healed.items),
        reduction=_surest(metrics.reductions),
        trend=trend(healer, since=at - within, at=at),
        running=tuple(running),
    )


def _fitting(store: Store, at: datetime) -> str:
    """Return an hour where all failures of the last month are within it, else a day."""
    counted = store.failures(since=at - timedelta(days=30), step=timedelta(seconds=TALLY_S))
    steps = counted.get(None, ())
    return "1h" if steps and steps[0].at > at - timedelta(hours=1) else "24h"


def _healed(
    store: Store,
    publications: Sequence[Publication],
    rollouts: Sequence[Rollout],
    incidents: Sequence[Incident],
) -> tuple[Healed, ...]:
    merged = [
        item for item in publications if item.state is PublicationState.MERGED and item.incident_id
    ][:_SHOWN]
    graduated = [item for item in rollouts if item.state is RolloutState.GRADUATED][:_SHOWN]
    found = [_by_patch(store, item) for item in merged] + [
        _by_fix(store, item) for item in graduated
    ]
    told = {*(item.incident_id for item in graduated), *(item.incident_id for item in merged)}
    found += [
        Healed(
            at=item.status_at,
            kind=f"{item.error_type.rpartition(':')[2]}, {plural(item.count, 'failure')}",
            what=_name(item),
            link=f"/incidents/{item.incident_id}",
            standing=item.status.value,
        )
        for item in incidents
        if item.status_at is not None and item.incident_id not in told
    ]
    return tuple(sorted(found, key=lambda each: each.at, reverse=True))[:_SHOWN]


def _by_patch(store: Store, publication: Publication) -> Healed:
    return Healed(
        at=publication.published_at,
        kind="by a patch",
        what=_name(_incident(store, publication.incident_id)),
        link=f"/incidents/{publication.incident_id}",
        standing="merged",
    )


def _by_fix(store: Store, rollout: Rollout) -> Healed:
    incident_id = rollout.incident_id
    return Healed(
        at=rollout.changed_at,
        kind=f"{rollout.fix_id} acts on {rollout.ratio:.0%}",
        what=_name(_incident(store, incident_id)) if incident_id else rollout.fix_id,
        link=f"/fixes/{rollout.rollout_id}",
        standing="mitigated",
    )


def _incident(store: Store, incident_id: str | None) -> Incident | None:
    try:
        return store.incident(incident_id) if incident_id else None
    except UnknownName:
        return None


def _name(incident: Incident | None) -> str:
    return "an incident that is forgotten" if incident is None else failed_function(incident)


def _surest(reductions: Sequence[Reduction]) -> Reduction | None:
    known = [item for item in reductions if item.estimate is not None]
    return max(known, key=lambda item: item.with_fix, default=None)
