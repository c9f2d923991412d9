"""What was handed to people: found again, brought up to date, and learned from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from prunella.model.clock import now
from prunella.model.errors import UnknownName
from prunella.model.incidents import CaseOutcome, Incident, IncidentStatus
from prunella.model.repair import Candidate, Publication, PublicationState
from prunella.ports import CodeHost, PullRequest, Store

#: What was begun so long ago and never finished is cleared away: nobody comes back to it.
ORPHANED_AFTER = timedelta(hours=24)
_UNDER_WAY = frozenset({PublicationState.ANNOUNCED, PublicationState.OPEN})
_SETTLED = frozenset({PublicationState.MERGED, PublicationState.CLOSED})
_OUTCOMES = {
    PublicationState.MERGED: CaseOutcome.MERGED,
    PublicationState.CLOSED: CaseOutcome.REFUSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What an incident's patches have come to before."""

    #: The publication that is to be left as it is; ``None`` where something is to be published.
    final: Publication | None = None
    #: The one that is to be brought up to date, or finished.
    open: Publication | None = None


def earlier(store: Store, host: CodeHost, incident: Incident, candidate: Candidate) -> Earlier:
    """Say what publishing `candidate` would meet, by the store and by the code host.

    The same edit is published once: not again after people have merged or closed it, and not anew as
    long as it is there. On a code host an incident has one pull request, also for another edit.
    """
    known = {item.candidate_id: item for item in store.candidates(incident.incident_id)}
    for publication in reversed(store.publications(incident.incident_id)):
        former = known.get(publication.candidate_id)
        same = former is not None and former.patch.after == candidate.patch.after
        if not same and not (host.is_remote and publication.state in _UNDER_WAY):
            continue
        if publication.state is PublicationState.WITHDRAWN:
            continue
        seen = publication if publication.state in _SETTLED else host.look(publication)
        if seen is not None and seen.state in _SETTLED:
            settle(store, seen)
            if same:
                return Earlier(final=seen)
        elif seen is not None and same and not (host.is_remote and _is_news(publication, incident)):
            return Earlier(final=publication)
        elif host.is_remote and (seen or publication.state is PublicationState.ANNOUNCED):
            return Earlier(open=seen or publication)
    return Earlier()


def _is_news(publication: Publication, incident: Incident) -> bool:
    finished = publication.state is PublicationState.OPEN
    return not finished or incident.last_seen_at > publication.published_at


def announced(
    store: Store, host: CodeHost, request: PullRequest, open_before: Publication | None
) -> PullRequest:
    """Keep the branch's name before the code host hears of it, so that a crash can't lose it."""
    if not host.is_remote:
        return request
    if open_before is not None and open_before.branch is not None:
        request = replace(request, branch=open_before.branch)
    store.save_publication(
        Publication(
            candidate_id=request.candidate.candidate_id,
            incident_id=request.candidate.incident_id,
            state=PublicationState.ANNOUNCED,
            branch=request.branch,
            commit=None,
            url=open_before.url if open_before else "",
            published_at=now(),
        )
    )
    return request


def sync(store: Store, host: CodeHost) -> Sequence[Publication]:
    """See what became of everything that is under way; return what has changed.

    Merged and closed pull requests become cases' outcomes. One whose incident was cured or ignored
    meanwhile is closed with that reason. What was begun and never finished is cleared away.
    """
    changed: list[Publication] = []
    if not host.is_remote:
        return changed
    for publication in store.publications():
        if publication.state in _UNDER_WAY and publication.incident_id and publication.branch:
            now_is = _looked_at(store, host, publication)
            if now_is != publication:
                settle(store, now_is)
                changed.append(now_is)
    return changed


def _looked_at(store: Store, host: CodeHost, publication: Publication) -> Publication:
    seen = host.look(publication)
    over = _why_over(store, publication)
    if seen is not None and seen.state is PublicationState.MERGED:
        return seen
    orphaned = (
        seen is None or seen.state is PublicationState.ANNOUNCED
    ) and now() - publication.published_at > ORPHANED_AFTER
    if over or orphaned:
        reason = over or "It was begun and never finished."
        host.withdraw(publication, reason)
        return replace(publication, state=PublicationState.WITHDRAWN, reason=reason)
    if seen is None or publication.state is PublicationState.ANNOUNCED:
        return publication  # the next attempt finishes it
    return seen


def _why_over(store: Store, publication: Publication) -> str:
    try:
        incident = store.incident(publication.incident_id or "")
    except UnknownName:
        return ""
    if incident.status is IncidentStatus.CURED:
        return (
            f"The incident {incident.incident_id} was cured otherwise: its failure stays away "
            "without this change."
        )
    if incident.status is IncidentStatus.IGNORED:
        return (
            f"The incident {incident.incident_id} is ignored: {incident.ignored_by or 'by hand'}."
        )
    return ""


def settle(store: Store, publication: Publication) -> None:
    """Keep what became of a publication, and what its case teaches by it."""
    store.save_publication(publication)
    outcome = _OUTCOMES.get(publication.state)
    if outcome is None:
        return
    candidates = store.candidates(publication.incident_id or "")
    origin = next(
        (item.origin for item in candidates if item.candidate_id == publication.candidate_id), None
    )
    for case in store.cases():
        if (case.incident_id, case.origin) == (publication.incident_id, origin):
            store.save_case(replace(case, outcome=outcome))
