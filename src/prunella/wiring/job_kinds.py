"""What each kind of job does, and how its outcome reads."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from prunella.codec.plain import to_plain
from prunella.model.jobs import Job, JobKind
from prunella.pipeline.results import Difference, Healing
from prunella.wiring.healer import Healer

Outcome = tuple[str, Mapping[str, Any]]
"""A sentence, and what it refers to as JSON."""

#: Replayed calls that a job's details show; those that differ come first.
_MOST_ROWS = 100
_MOST_CHARS = 500


def do(healer: Healer, job: Job) -> Outcome:
    """Do what a job asks for, and return what came of it; raises what stops it."""
    return _KINDS[job.kind](healer, job)


def _diagnose(healer: Healer, job: Job) -> Outcome:
    found = healer.diagnose(healer.store.incident(job.subject))
    said = found.abstention or f"{found.root_cause} (confidence {found.confidence:.2f})"
    return said, {"diagnosis": found.diagnosis_id, "abstained": bool(found.abstention)}


def _heal(healer: Healer, job: Job) -> Outcome:
    return _healed(healer, job, publish=False)


def _publish(healer: Healer, job: Job) -> Outcome:
    return _healed(healer, job, publish=True)


def _healed(healer: Healer, job: Job, *, publish: bool) -> Outcome:
    healing = healer.heal(
        healer.store.incident(job.subject),
        create_pr=publish,
        # Taking up what another worker has left is no new attempt.
        force=job.is_forced or job.attempt > 1,
    )
    return healing.explanation, _details(healing)


def _details(healing: Healing) -> Mapping[str, Any]:
    best, publication = healing.best, healing.publication
    return {
        "outcome": healing.outcome.value,
        "candidate": best.candidate.candidate_id if best else None,
        "branch": publication.branch if publication else None,
        "pr_url": publication.url if publication else None,
        "note": healing.note[:_MOST_CHARS],
    }


def _suggest(healer: Healer, job: Job) -> Outcome:
    found = healer.fixes.suggest(job.subject)
    if not found:
        return "No fix would help against this failure: it needs a patch.", {"fixes": []}
    fixes = [
        {
            "fix": item.hypothesis.document["fix_id"],
            "gate": item.gate.value,
            "confidence": round(item.confidence, 3),
            "reason": item.reason[:_MOST_CHARS],
        }
        for item in found
    ]
    return found[0].reason, {"fixes": fixes}


def _replay(healer: Healer, job: Job) -> Outcome:
    report = healer.replay(job.subject)
    numbers = Counter(row.difference for row in report.rows)
    said = ", ".join(
        f"{numbers[kind]} {kind.value.replace('_', ' ')}" for kind in Difference if numbers[kind]
    )
    rows = sorted(report.rows, key=lambda row: row.difference is Difference.SAME)[:_MOST_ROWS]
    return f"{len(report.rows)} recorded calls replayed on the {report.against}: {said}", {
        "sandbox": report.sandbox,
        "numbers": {kind.value: number for kind, number in numbers.items()},
        "rows": [
            {
                "request_id": row.request_id,
                "difference": to_plain(row.difference),
                "detail": row.detail[:_MOST_CHARS],
            }
            for row in rows
        ],
    }


_KINDS: Mapping[JobKind, Callable[[Healer, Job], Outcome]] = {
    JobKind.DIAGNOSE: _diagnose,
    JobKind.HEAL: _heal,
    JobKind.PUBLISH: _publish,
    JobKind.SUGGEST: _suggest,
    JobKind.REPLAY: _replay,
}
