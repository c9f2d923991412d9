"""The story of one incident: from its first failure to what became of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from prunella.codec import entries
from prunella.model.audit import AuditEntry
from prunella.model.errors import PrunellaError
from prunella.model.incidents import Diagnosis, IncidentStatus
from prunella.model.jobs import Job
from prunella.model.records import ExceptionInfo, Frame, Occurrence, Process
from prunella.model.repair import (
    Accepted,
    Candidate,
    Check,
    Inconclusive,
    Publication,
    PublicationState,
    Rejected,
    Verdict,
)
from prunella.model.rollouts import Rollout, RolloutState
from prunella.model.tree import Tree
from prunella.pipeline.looking import Look
from prunella.pipeline.names import is_healable
from prunella.pipeline.results import Story
from prunella.server.dashboard.views.code import Code, DiffLine, diff_lines, failing_code
from prunella.server.dashboard.views.fixes import look_or_none
from prunella.server.dashboard.views.trace import TraceLine, trace_of
from prunella.wiring.healer import Healer

_MAX_CHAIN = 10
#: Candidates that are shown in full; of others, what became of them.
_MAX_CANDIDATES = 6
_VERDICTS = {Accepted: "proven", Inconclusive: "not proven", Rejected: "rejected"}
_DECISIONS = {
    RolloutState.CANDIDATE: "waits for approval",
    RolloutState.TESTING: "is being tried",
    RolloutState.GRADUATED: "acts",
    RolloutState.ROLLED_BACK: "was rolled back",
    RolloutState.INCONCLUSIVE: "ended without a decision",
    RolloutState.RETIRED: "is retired",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One event of a timeline."""

    at: datetime
    #: ``failure``, ``healer``, ``person``, ``good`` or ``bad``: its colour.
    tone: str
    what: str
    #: Address within the project that tells more; empty where there is none.
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFrame:
    """One frame of a traceback with its local values."""

    frame: Frame
    values: tuple[tuple[str, Tree], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownException:
    """One exception of a chain."""

    #: How it comes to the one before: ``because of``, ``while handling``; empty for the first.
    relation: str
    exception: ExceptionInfo
    frames: tuple[ShownFrame, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownOccurrence:
    """One failure in full."""

    occurrence: Occurrence
    process: Process | None
    inputs: tuple[tuple[str, Tree], ...]
    chain: tuple[ShownException, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCandidate:
    """A proposed patch with its verdict."""

    number: int
    candidate: Candidate
    verdict: Verdict | None
    #: ``proven``, ``not proven``, ``rejected``; ``not judged``.
    word: str
    diff: tuple[DiffLine, ...]
    checks: dict[str, Check]
    is_published: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPage:
    """Everything that an incident's page shows."""

    story: Story
    code: Code | None
    occurrences: tuple[ShownOccurrence, ...]
    trace: tuple[TraceLine, ...]
    diagnosis: Diagnosis | None
    candidates: tuple[ShownCandidate, ...]
    #: How many further candidates there are.
    more_candidates: int
    #: Names of all checks that any verdict has, in the order in which they are made.
    checks: tuple[str, ...]
    rollouts: tuple[tuple[Rollout, Look | None], ...]
    #: What was decided about fixes that were proposed, the latest of each.
    suggestions: tuple[AuditEntry, ...]
    timeline: tuple[Moment, ...]
    jobs: tuple[Job, ...]
    #: The latest publication that people can take or have taken.
    publication: Publication | None
    can_heal: bool
    can_ignore: bool
    has_proof: bool


def incident_page(healer: Healer, incident_id: str, jobs: Sequence[Job]) -> IncidentPage:
    """Return the page of an incident; raises `UnknownName`, `AmbiguousName`."""
    story = healer.story(incident_id)
    incident, store = story.incident, healer.store
    shown = _candidates(story)
    rollouts = tuple(
        (item, look_or_none(healer, item))
        for item in store.rollouts(incident_id=incident.incident_id)
    )
    asked = store.audit(subject=incident.incident_id, limit=200)
    return IncidentPage(
        story=story,
        code=_code(healer, story),
        occurrences=tuple(_occurrence(healer, item) for item in story.occurrences),
        trace=trace_of(store, story.occurrences[0]) if story.occurrences else (),
        diagnosis=story.diagnoses[-1] if story.diagnoses else None,
        candidates=shown[:_MAX_CANDIDATES],
        more_candidates=max(0, len(shown) - _MAX_CANDIDATES),
        checks=tuple(dict.fromkeys(name for each in shown for name in each.checks)),
        rollouts=rollouts,
        suggestions=_suggestions(asked),
        timeline=_timeline(healer, story, [item for item, _ in rollouts], asked),
        jobs=tuple(jobs),
        publication=_publication(story),
        can_heal=is_healable(incident),
        can_ignore=incident.status is not IncidentStatus.IGNORED,
        has_proof=any(isinstance(each.verdict, Accepted) for each in shown),
    )


def _code(healer: Healer, story: Story) -> Code | None:
    try:
        return failing_code(story.incident.location, story.site, healer.repository)
    except (PrunellaError, OSError):
        return None  # a page without the code is better than none


def _publication(story: Story) -> Publication | None:
    states = {PublicationState.OPEN, PublicationState.MERGED, PublicationState.CLOSED}
    return next((item for item in reversed(story.publications) if item.state in states), None)


def _occurrence(healer: Healer, occurrence: Occurrence) -> ShownOccurrence:
    chain: list[ShownException] = []
    item: ExceptionInfo | None = occurrence.exception
    relation = ""
    while item is not None and len(chain) < _MAX_CHAIN:
        frames = tuple(
            ShownFrame(frame=frame, values=tuple(entries(frame.local_values)))
            for frame in item.frames
        )
        chain.append(ShownException(relation=relation, exception=item, frames=frames))
        relation = "because of" if item.relation == "cause" else "while handling"
        item = item.cause
    return ShownOccurrence(
        occurrence=occurrence,
        process=healer.store.process(occurrence.process_id),
        inputs=tuple(entries(occurrence.inputs)),
        chain=tuple(chain),
    )


def _candidates(story: Story) -> tuple[ShownCandidate, ...]:
    published = {item.candidate_id for item in story.publications}
    ordered = sorted(story.candidates, key=_rank)
    return tuple(
        ShownCandidate(
            number=number,
            candidate=candidate,
            verdict=verdict,
            word="not judged" if verdict is None else _VERDICTS[type(verdict)],
            diff=diff_lines(candidate.patch.diff),
            checks={check.name: check for check in verdict.checks} if verdict else {},
            is_published=candidate.candidate_id in published,
        )
        for number, (candidate, verdict) in enumerate(ordered, start=1)
    )


def _rank(item: tuple[Candidate, Verdict | None]) -> tuple[int, float, float]:
    candidate, verdict = item
    order = {Accepted: 0, Inconclusive: 1, Rejected: 2}
    if verdict is None:
        return 3, 0.0, -candidate.prior
    return order[type(verdict)], -verdict.score, -candidate.prior


def _suggestions(entries_: Sequence[AuditEntry]) -> tuple[AuditEntry, ...]:
    latest = {
        str(entry.evidence.get("fix")): entry
        for entry in entries_
        if entry.action.startswith("propose.")
    }
    return tuple(reversed(latest.values()))


def _timeline(
    healer: Healer, story: Story, rollouts: Sequence[Rollout], asked: Sequence[AuditEntry]
) -> tuple[Moment, ...]:
    moments = [
        *_of_incident(story),
        *_of_patches(story),
        *_of_fixes(healer, rollouts),
        *(
            Moment(at=entry.at, tone="healer", what=entry.reason)
            if entry.action.startswith("propose.")
            else Moment(at=entry.at, tone="person", what=_decided(entry))
            for entry in asked
        ),
    ]
    return tuple(sorted(moments, key=lambda moment: moment.at, reverse=True))


def _of_incident(story: Story) -> Iterator[Moment]:
    incident = story.incident
    yield Moment(at=incident.first_seen_at, tone="failure", what="failed for the first time")
    if incident.count > 1:
        what = f"failed for the last time so far, {incident.count:,} times altogether"
        yield Moment(at=incident.last_seen_at, tone="failure", what=what)
    if incident.status_at is None or incident.status is IncidentStatus.OPEN:
        return
    if incident.status is IncidentStatus.REGRESSED:
        again = f" in release {story.regressed_release}" if story.regressed_release else ""
        yield Moment(
            at=incident.status_at, tone="bad", what=f"failed again after it was cured{again}"
        )
    elif incident.status is not IncidentStatus.IGNORED:
        yield Moment(at=incident.status_at, tone="good", what=incident.status.value)


def _of_patches(story: Story) -> Iterator[Moment]:
    for diagnosis in story.diagnoses:
        what = f"diagnosed by {diagnosis.made_by}: {diagnosis.root_cause}"
        yield Moment(at=diagnosis.made_at, tone="healer", what=what, link="#diagnosis")
    for candidate, verdict in story.candidates:
        if verdict is not None and not isinstance(verdict, Rejected):
            word = _VERDICTS[type(verdict)]
            yield Moment(
                at=verdict.judged_at,
                tone="good" if isinstance(verdict, Accepted) else "healer",
                what=f"patch {word}: {candidate.description}",
                link="#candidates",
            )
    for publication in story.publications:
        where = publication.branch or "a patch file"
        yield Moment(
            at=publication.published_at,
            tone="good",
            what=f"published on {where} ({publication.state.value})",
            link="#published",
        )


def _of_fixes(healer: Healer, rollouts: Sequence[Rollout]) -> Iterator[Moment]:
    for rollout in rollouts:
        for entry in healer.store.audit(subject=rollout.rollout_id, limit=100):
            yield Moment(
                at=entry.at,
                tone=_tone(entry),
                what=f"{rollout.fix_id} {_said(entry)}: {entry.reason}",
                link=f"/fixes/{rollout.rollout_id}",
            )


def _said(entry: AuditEntry) -> str:
    return entry.action.rpartition(".")[2].replace("_", " ")


def _decided(entry: AuditEntry) -> str:
    because = f": {entry.reason}" if entry.reason else ""
    return f"{_said(entry)} by {entry.actor}{because}"


def _tone(entry: AuditEntry) -> str:
    verb = entry.action.rpartition(".")[2]
    if verb in {"graduated", "advanced", "promoted"}:
        return "good"
    if verb in {"rolled_back", "withdrawn", "revoked", "gave_up"}:
        return "bad"
    return "healer" if entry.actor == "healer" else "person"


def decision(rollout: Rollout) -> str:
    """Return where a rollout stands, in words that follow its fix's name."""
    return "is paused" if rollout.paused else _DECISIONS[rollout.state]
