"""What people have to be told now, found out from the store.

Nothing here remembers: each rule compares what is with what was told, so that a healer that was
killed in between tells it later, and two healers tell it once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from math import exp, log

from prunella.codec.redact import Redactor
from prunella.experiment.rates import log_evidence_of_rise
from prunella.model.alerts import TALLY_S, Alert, AlertKind, AlertState, Mute, Spread
from prunella.model.errors import UnknownName
from prunella.model.ids import AlertId
from prunella.model.incidents import HEALER_SITE, Incident, IncidentStatus
from prunella.model.rollouts import Rollout, RolloutState
from prunella.model.settings import Settings
from prunella.pipeline.names import regressed_release
from prunella.pipeline.results import HealingOutcome
from prunella.pipeline.severity import severity_of
from prunella.ports import Store

#: What happened longer ago is nobody's news.
WINDOW = timedelta(hours=24)
#: A spike is told once in so long.
QUIET = timedelta(hours=24)
#: An incident younger than this has no history that it could rise above.
MIN_HISTORY = timedelta(hours=1)
_HOUR = timedelta(hours=1)
#: What the evidence for a spike has to reach. With a look every 5 minutes, an incident whose failures
#: are independent and rose no more than threefold is called a spike in fewer than 3 of 10,000 days.
SPIKE_EVIDENCE = 1e6

_MAX_TITLE_CHARS = 200
_MAX_MESSAGE_CHARS = 500
_OF_INCIDENTS = (AlertKind.NEW, AlertKind.REGRESSED)
_OF_FAILURES = (*_OF_INCIDENTS, AlertKind.SPIKE)
_FIX_RULES = {
    RolloutState.GRADUATED: (AlertKind.FIX_GRADUATED, "was shown to help and graduated"),
    RolloutState.ROLLED_BACK: (AlertKind.FIX_ROLLED_BACK, "was rolled back"),
    RolloutState.CANDIDATE: (AlertKind.AWAITING_APPROVAL, "waits for approval"),
}


def decide_alerts(store: Store, settings: Settings, *, at: datetime) -> Sequence[Alert]:
    """Keep every alert that is due and was not decided before; return those that will be sent.

    Incidents that are ignored, and fixes and pull requests for them, are never told of. Errors of the
    healer itself are told of once, when they are new, and once when they are over. A cure is told to
    whoever was told of the failure, beyond the hour's limit as well.
    """
    redact = Redactor().text
    incidents = store.incidents(since=at - WINDOW)
    mutes = store.mutes(at=at)
    drafts = [
        replace(draft, state=AlertState.MUTED)
        if any(covers(mute, draft) for mute in mutes)
        else draft
        for draft in _due(store, incidents, at, redact)
    ]
    cures = [draft for draft in drafts if draft.kind is AlertKind.CURED]
    others = [draft for draft in drafts if draft.kind is not AlertKind.CURED]
    states = store.add_alerts(others, quiet=QUIET, per_hour=settings.alerts_per_hour)
    states_of_cures = store.add_alerts(cures, quiet=QUIET, per_hour=0)
    decided = [
        draft
        for draft, state in zip([*others, *cures], [*states, *states_of_cures], strict=True)
        if state is AlertState.DECIDED
    ]
    if AlertState.FOLDED in states:
        more = _more(settings, at)
        if store.add_alerts([more], quiet=_HOUR, per_hour=0) == [AlertState.DECIDED]:
            decided.append(more)
    return decided


def covers(mute: Mute, alert: Alert) -> bool:
    """Say whether a mute is about one of the sites or codes of an alert."""
    what = mute.what
    return any(code == what or code.startswith(f"{what}.") for code in alert.error_codes) or any(
        what == site or what == site.replace(":", ".") or site.endswith((f":{what}", f".{what}"))
        for site in alert.sites
    )


def alert_id(kind: AlertKind, *what: object) -> AlertId:
    """Return the id that the same alert always has."""
    text = "\0".join((kind.value, *map(str, what)))
    return AlertId(f"alr_{blake2b(text.encode(), digest_size=8).hexdigest()}")


Redact = Callable[[str], str]


def _due(
    store: Store, incidents: Sequence[Incident], at: datetime, redact: Redact
) -> Iterator[Alert]:
    told = {subject for _, subject in store.told(_OF_INCIDENTS)}
    heard = [item for item in incidents if item.status is not IncidentStatus.IGNORED]
    writer = _Writer(at=at, redact=redact)
    for incident in heard:
        if incident.status is IncidentStatus.CURED:
            continue
        if incident.status is IncidentStatus.REGRESSED and incident.site_id != HEALER_SITE:
            # Told even where it is the first that is heard of it: once, and what it is.
            yield writer.regressed(incident, regressed_release(store, incident))
        elif incident.incident_id not in told:
            yield writer.new(incident)
    yield from _cures(store, writer)
    yield from _spikes(store, heard, writer)
    yield from _fixes(store, writer)
    yield from _pull_requests(store, writer)


def _cures(store: Store, writer: "_Writer") -> Iterator[Alert]:
    cured = [
        item
        for item in store.incidents(status=IncidentStatus.CURED)
        if item.status_at is not None and item.status_at >= writer.at - WINDOW
    ]
    if cured:
        heard = {subject for _, subject in store.told(_OF_FAILURES, state=AlertState.DECIDED)}
        yield from (writer.cured(item) for item in cured if item.incident_id in heard)


def _spikes(store: Store, incidents: Sequence[Incident], writer: "_Writer") -> Iterator[Alert]:
    began = _recently(writer.at)
    spreads = store.spreads(since=writer.at - WINDOW, split=began)
    for incident in incidents:
        spread = spreads.get(incident.incident_id)
        if spread is None or incident.site_id == HEALER_SITE:
            continue
        rise = spike(incident, spread, at=writer.at)
        if rise is not None:
            yield writer.spike(incident, rise)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """Counts that a spike was told from."""

    later: int
    later_s: float
    earlier: int
    earlier_s: float
    log_evidence: float


def spike(incident: Incident, spread: Spread, *, at: datetime) -> Rise | None:
    """Return how an incident rises above its own history, or ``None`` where it doesn't.

    Compared are the last 10 to 20 minutes with up to 24 hours before, in which the incident has been
    known for an hour at least. It rises where the e-value of `log_evidence_of_rise` for more than
    threefold reaches `SPIKE_EVIDENCE`, and no stretch before had as many failures an hour: failures
    that come in bursts as large as ever are no news.
    """
    began = _recently(at)
    history_began = max(incident.first_seen_at, at - WINDOW)
    earlier_s = (began - history_began).total_seconds()
    if earlier_s < MIN_HISTORY.total_seconds():
        return None
    later_s = (at - began).total_seconds()
    if not spread.later or spread.later / later_s <= spread.most / TALLY_S:
        return None
    evidence = log_evidence_of_rise(spread.later, later_s, spread.earlier, earlier_s)
    if evidence < log(SPIKE_EVIDENCE):
        return None
    return Rise(
        later=spread.later,
        later_s=later_s,
        earlier=spread.earlier,
        earlier_s=earlier_s,
        log_evidence=evidence,
    )


def _recently(at: datetime) -> datetime:
    """Return where the last minutes begin that are compared with what was before."""
    return _stretch_of(at) - timedelta(seconds=TALLY_S)


def _stretch_of(at: datetime) -> datetime:
    seconds = int(at.timestamp())
    return at.fromtimestamp(seconds - seconds % TALLY_S, at.tzinfo)


def _fixes(store: Store, writer: "_Writer") -> Iterator[Alert]:
    for rollout in store.rollouts(states=tuple(_FIX_RULES)):
        if rollout.changed_at < writer.at - WINDOW or rollout.shadow:
            continue
        incident = _incident_of(store, rollout.incident_id)
        if incident is None or incident.status is not IncidentStatus.IGNORED:
            yield writer.fix(rollout, incident)


def _pull_requests(store: Store, writer: "_Writer") -> Iterator[Alert]:
    for claim in store.claims(since=writer.at - WINDOW):
        if claim.outcome != HealingOutcome.PUBLISHED:
            continue
        incident = _incident_of(store, claim.incident_id)
        if incident is None or incident.status is IncidentStatus.IGNORED:
            continue
        for publication in store.publications(incident.incident_id)[-1:]:
            yield writer.pull_request(incident, publication.url, publication.branch)


def _incident_of(store: Store, incident_id: str | None) -> Incident | None:
    if incident_id is None:
        return None
    try:
        return store.incident(incident_id)
    except UnknownName:  # forgotten since
        return None


def _more(settings: Settings, at: datetime) -> Alert:
    return Alert(
        alert_id=alert_id(AlertKind.MORE, int(at.timestamp()) // 3600),
        kind=AlertKind.MORE,
        subject="",
        title="More is to be told than the limit allows",
        body=f"More than {settings.alerts_per_hour} alerts in an hour (the setting alerts_per_hour): "
        "the others aren't sent. `prunella alerts` lists them.",
        decided_at=at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """Writes alerts in words."""

    at: datetime
    redact: Redact

    def new(self, incident: Incident) -> Alert:
        return self._about(AlertKind.NEW, incident, "fails", incident.incident_id)

    def regressed(self, incident: Incident, release: str | None) -> Alert:
        since = incident.status_at or incident.last_seen_at
        return self._about(
            AlertKind.REGRESSED,
            incident,
            "fails again, after it was cured",
            incident.incident_id,
            since.isoformat(),
            more=f"It fails again in release {release}." if release else "",
        )

    def cured(self, incident: Incident) -> Alert:
        # The healer's own errors come and go with each round: their end is told once.
        is_ours = incident.site_id == HEALER_SITE
        since = () if is_ours or incident.status_at is None else (incident.status_at.isoformat(),)
        return self._about(
            AlertKind.CURED, incident, "is cured", incident.incident_id, *since, ends=True
        )

    def spike(self, incident: Incident, rise: Rise) -> Alert:
        minutes, hours = rise.later_s / 60, rise.earlier_s / 3600
        return self._about(
            AlertKind.SPIKE,
            incident,
            "fails much more often than before",
            incident.incident_id,
            _stretch_of(self.at).isoformat(),
            more=f"{rise.later:,} failures in the last {minutes:.0f} minutes, {rise.earlier:,} in the "
            f"{hours:.0f} hours before (1 in {exp(min(rise.log_evidence, 100)):.0e} without a rise "
            "of more than threefold).",
        )

    def fix(self, rollout: Rollout, incident: Incident | None) -> Alert:
        kind, what = _FIX_RULES[rollout.state]
        sites, codes = _target(rollout)
        lines = [rollout.reason]
        if kind is AlertKind.AWAITING_APPROVAL:
            lines.append(f"prunella fixes show {rollout.fix_id}")
            lines.append(f"prunella fixes approve {rollout.fix_id}")
        return Alert(
            alert_id=alert_id(kind, rollout.rollout_id),
            kind=kind,
            subject=rollout.rollout_id,
            title=self._line(f"The fix {rollout.fix_id} {what}"),
            body=self._text(lines),
            sites=(*sites, *([incident.site_id] if incident else [])),
            error_codes=(*codes, *([incident.error_code] if incident else [])),
            decided_at=self.at,
        )

    def pull_request(self, incident: Incident, url: str, branch: str | None) -> Alert:
        return self._about(
            AlertKind.PULL_REQUEST,
            incident,
            "has a proven patch",
            incident.incident_id,
            branch or url,
            more=f"Branch {branch}" if branch else "",
            link=url,
        )

    def _about(
        self,
        kind: AlertKind,
        incident: Incident,
        what: str,
        *identity: str,
        more: str = "",
        link: str = "",
        ends: bool = False,
    ) -> Alert:
        place = incident.location
        function = f"{place.module}:{place.qualname}" if place else incident.site_id
        error = incident.error_type.rpartition(":")[2]
        lines = [
            f"{error} ({incident.error_code}): {incident.message[:_MAX_MESSAGE_CHARS]}",
            f"{incident.count:,} failures since {incident.first_seen_at:%Y-%m-%d %H:%M} UTC, the last "
            f"at {incident.last_seen_at:%H:%M:%S} UTC.",
            *([more] if more else []),
            f"prunella incidents show {incident.incident_id}",
        ]
        return Alert(
            alert_id=alert_id(kind, *identity),
            kind=kind,
            subject=incident.incident_id,
            title=self._line(f"{function} {what}: {error}"),
            body=self._text(lines),
            sites=tuple(dict.fromkeys((incident.site_id, function))),
            error_codes=(incident.error_code,),
            severity=1 if ends else severity_of(incident),
            link=link,
            decided_at=self.at,
        )

    def _line(self, text: str) -> str:
        return " ".join(self.redact(text).split())[:_MAX_TITLE_CHARS]

    def _text(self, lines: Sequence[str]) -> str:
        return "\n".join(self.redact(line)[: 2 * _MAX_MESSAGE_CHARS] for line in lines)


def _target(rollout: Rollout) -> tuple[Sequence[str], Sequence[str]]:
    """Return the sites and error codes that a fix's document names."""
    target = rollout.document.get("target") or {}
    return tuple(target.get("sites") or ()), tuple(target.get("error_codes") or ())
