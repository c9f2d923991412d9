"""What fails now, what was healed, and how well healing works."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prunella.model.clock import now
from prunella.model.incidents import HEALER_SITE, Incident, IncidentStatus
from prunella.model.jobs import Job
from prunella.model.repair import Publication, PublicationState
from prunella.model.rollouts import Rollout, RolloutState
from prunella.pipeline.metrics import Metrics, Reduction
from prunella.pipeline.names import spreads_of, worst_first
from prunella.pipeline.wording import failed_function
from prunella.server.dashboard.views.charts import Trend, trend
from prunella.wiring.healer import Healer

#: Periods that can be chosen, in hours.
PERIODS_H = {"1h": 1, "24h": 24, "7d": 168, "30d": 720}
_SHOWN = 8
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
    number_ignored: int
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
    everything = [item for item in store.incidents() if item.site_id != HEALER_SITE]
    if period not in PERIODS_H:
        period = _fitting(everything, at)
    within = timedelta(hours=PERIODS_H[period])
    by_id = {str(item.incident_id): item for item in everything}
    failing = [item for item in everything if item.status in _FAILING]
    rollouts = store.rollouts()
    publications = store.publications()
    metrics = healer.metrics(within=within)
    return Overview(
        period=period,
        metrics=metrics,
        failing=tuple(
            worst_first(failing, spreads_of(store, failing, since=at - within), at=at)[:_SHOWN]
        ),
        number_failing=len(failing),
        number_healed=sum(item.status in _HEALED for item in everything),
        number_ignored=sum(item.status is IncidentStatus.IGNORED for item in everything),
        waiting=tuple(item for item in rollouts if item.state is RolloutState.CANDIDATE)[:_SHOWN],
        testing=tuple(item for item in rollouts if item.state is RolloutState.TESTING)[:_SHOWN],
        open_patches=tuple(
            (item, by_id.get(item.incident_id or ""))
            for item in sorted(publications, key=lambda each: each.published_at, reverse=True)
            if item.state is PublicationState.OPEN
        )[:_SHOWN],
        healed=_healed(publications, rollouts, by_id, everything)[:_SHOWN],
        reduction=_surest(metrics.reductions),
        trend=trend(healer, since=at - within, at=at),
        running=tuple(running),
    )


def _fitting(incidents: Sequence[Incident], at: datetime) -> str:
    """Return an hour where nothing is older, else a day."""
    first = min((item.first_seen_at for item in incidents), default=at)
    return "1h" if incidents and at - first < timedelta(hours=1) else "24h"


def _healed(
    publications: Sequence[Publication],
    rollouts: Sequence[Rollout],
    by_id: Mapping[str, Incident],
    everything: Sequence[Incident],
) -> tuple[Healed, ...]:
    found = [
        Healed(
            at=item.published_at,
            kind="by a patch",
            what=_name(by_id.get(item.incident_id or "")),
            link=f"/incidents/{item.incident_id}",
            standing="merged",
        )
        for item in publications
        if item.state is PublicationState.MERGED and item.incident_id
    ]
    graduated = [item for item in rollouts if item.state is RolloutState.GRADUATED]
    found += [
        Healed(
            at=item.changed_at,
            kind=f"{item.fix_id} acts on {item.ratio:.0%}",
            what=_name(by_id.get(item.incident_id or "")) if item.incident_id else item.fix_id,
            link=f"/fixes/{item.rollout_id}",
            standing="mitigated",
        )
        for item in graduated
    ]
    mitigated = {item.incident_id for item in graduated}
    found += [
        Healed(
            at=item.status_at,
            kind=f"{item.error_type.rpartition(':')[2]}, {item.count:,} failures",
            what=_name(item),
            link=f"/incidents/{item.incident_id}",
            standing=item.status.value,
        )
        for item in everything
        if item.status in _HEALED
        and item.status_at is not None
        and item.incident_id not in mitigated
    ]
    return tuple(sorted(found, key=lambda each: each.at, reverse=True))


def _name(incident: Incident | None) -> str:
    return "an incident that is forgotten" if incident is None else failed_function(incident)


def _surest(reductions: Sequence[Reduction]) -> Reduction | None:
    known = [item for item in reductions if item.estimate is not None]
    return max(known, key=lambda item: item.with_fix, default=None)
