"""Diagnosis without a language model: from the facts alone."""

import ast
from collections.abc import Sequence

from prunella.diagnose.contrast import GENERAL, Contrast, contrast
from prunella.diagnose.crash import Crash, locate_crash, one_line
from prunella.diagnose.culprit import Culprit, find_culprit
from prunella.diagnose.story import Story, tell
from prunella.model.clock import now
from prunella.model.dossier import Dossier
from prunella.model.ids import DiagnosisId, new_id
from prunella.model.incidents import Diagnosis, Evidence, Hypothesis, SimilarCase
from prunella.model.records import Call, Ending, Occurrence
from prunella.model.tree import Tree

#: A past case this near is worth a hypothesis of its own.
_NEAR_CASE = 0.6
#: What no look at one function explains: exception class → what would decide.
_BEYOND: dict[str, str] = {
    "RecursionError": "whether the data is cyclic or only deep has to be decided by a person; "
    "a smaller failing input would show it",
    "MemoryError": "a profile of the memory at the time of the failure would show what fills it",
    "TimeoutError": "the cause lies in what the call waited for; its own logs would show it",
    "ConnectionError": "the cause lies on the other side of the connection; its logs would show it",
    "PermissionError": "the rights of the process at the time of the failure would show it",
    "ImportError": "the cause lies in what is installed; compare the environments",
}


def diagnose(dossier: Dossier) -> Diagnosis:
    """Return why the incident happens, or an abstention that says what is missing.

    Hypotheses stand in order of their priors; every piece of evidence refers to an occurrence, a
    case or a line. The confidence grows with what was shown: the failure reproduced, the failing
    expression known exactly, the offending value known, and a trait of the inputs that all failing
    calls have and no passing call has.
    """
    crash = locate_crash(dossier)
    contrasts = _contrasts(dossier)
    if crash is None:
        return _abstain(dossier, _known(dossier), _missing_place(dossier), 0.1)
    beyond = _beyond(dossier, crash)
    if beyond is not None:
        return _abstain(dossier, _stated(crash, "", _best_clean(contrasts)), beyond, 0.3)
    culprit = find_culprit(crash)
    if culprit is None:
        root_cause = _stated(crash, "", _best_clean(contrasts))
        return _abstain(dossier, root_cause, _missing_facts(dossier), 0.2)
    story = tell(crash, culprit, contrasts)
    hypotheses = sorted(
        [
            _main(dossier, crash, culprit, story),
            *_from_outside(story, crash),
            *_from_cases(dossier.similar),
        ],
        key=lambda item: -item.prior,
    )
    root_cause = _sentence(culprit.happened, story.because)
    return _diagnosis(
        dossier,
        root_cause=root_cause,
        hypotheses=tuple(hypotheses[:4]),
        confidence=_confidence(crash, story),
    )


# --- what is known


def _contrasts(dossier: Dossier) -> list[Contrast]:
    reproduced = [occurrence for occurrence, _ in dossier.baseline.failing]
    failing = _whole(reproduced or dossier.failing)
    return contrast(failing, _whole(dossier.passing))


def _whole(calls: Sequence[Occurrence] | Sequence[Call]) -> list[Tree]:
    """Return the inputs that were recorded whole: of others, what is missing tells nothing."""
    return [item.inputs for item in calls if item.complete and item.inputs is not None]


def _best_clean(contrasts: Sequence[Contrast]) -> Contrast | None:
    return next((item for item in contrasts if item.clean and item.kind in GENERAL), None)


def _known(dossier: Dossier) -> str:
    said = _error(dossier)
    location = dossier.incident.location
    if location is None:
        return (
            f"{said} comes up in code outside the project, called through {dossier.site.site_id}."
        )
    return f"{said} comes up in {location.qualname} ({location.file}:{location.line})."


def _error(dossier: Dossier) -> str:
    message = one_line(dossier.incident.message)
    name = _class_name(dossier.incident.error_type)
    return f"{name} ({message})" if message else name


def _stated(crash: Crash, happened: str, found: Contrast | None) -> str:
    text = crash.text(crash.expression) if crash.expression is not None else _line(crash)
    message = one_line(crash.exception.message)
    said = happened or f"`{text}` raises {_class_name(crash.exception.type)}" + (
        f" ({message})" if message else ""
    )
    return _sentence(said, "" if found is None else found.sentence())


def _line(crash: Crash) -> str:
    return one_line(crash.module.text(crash.frame.line, crash.frame.line))


def _sentence(happened: str, because: str) -> str:
    return f"{happened}: {because}." if because else f"{happened}."


# --- why there may be no hypothesis


def _missing_place(dossier: Dossier) -> str:
    if dossier.function is None:
        return dossier.function_missing or "no frame of the traceback belongs to the project"
    return (
        f"the traceback does not pass through {dossier.function.qualname} of the base; "
        "commit the source that failed, and record the failure again"
    )


def _beyond(dossier: Dossier, crash: Crash) -> str | None:
    if any(item.ending in (Ending.CANCELLED, Ending.INTERRUPTED) for item in dossier.failing[:1]):
        return "the call was called off from outside; that is no fault of the function"
    for class_path in crash.exception.mro or (crash.exception.type,):
        decided_by = _BEYOND.get(_class_name(class_path))
        if decided_by is not None:
            return decided_by
    if isinstance(crash.statement, (ast.Raise, ast.Assert)):
        return (
            f"{crash.function.qualname} raises this on purpose ({crash.place}); whether the input "
            "or the rule is wrong is for a person to decide"
        )
    return None


def _missing_facts(dossier: Dossier) -> str:
    missing = []
    if all(item.inputs is None for item in dossier.failing):
        missing.append(
            "no inputs of a failing call are recorded yet (the site is armed now: the next "
            "failure will have them)"
        )
    elif not dossier.baseline.failing:
        missing.append(f"the failure was not reproduced ({_why_not_reproduced(dossier)})")
    if not dossier.passing:
        missing.append("no passing call is recorded to compare with")
    missing.append("the failing expression gives no hint at a cause by itself")
    return "; ".join(missing)


def _why_not_reproduced(dossier: Dossier) -> str:
    ids = {item.occurrence_id for item in dossier.failing}
    reasons = [reason for name, reason in dossier.baseline.set_aside if name in ids]
    return reasons[0] if reasons else "no recorded call could be replayed"


# --- hypotheses


def _main(dossier: Dossier, crash: Crash, culprit: Culprit, story: Story) -> Hypothesis:
    evidence = [
        Evidence(statement=f"it fails at `{_line(crash)}`", reference=crash.place),
        _reproduction(dossier, crash),
        *story.evidence,
    ]
    return Hypothesis(
        cause=_sentence(culprit.happened, story.because),
        remedy=culprit.remedy,
        prior=round(0.75 * _confidence(crash, story), 3),
        evidence=tuple(evidence),
    )


def _reproduction(dossier: Dossier, crash: Crash) -> Evidence:
    reproduced = len(dossier.baseline.failing)
    if reproduced:
        return Evidence(
            statement=f"{reproduced} recorded failing {'call fails' if reproduced == 1 else 'calls fail'} "
            "again in the same way on the unpatched base",
            reference=crash.reference,
        )
    return Evidence(
        statement=f"the failure was not reproduced: {_why_not_reproduced(dossier)}",
        reference=crash.reference,
        supports=False,
    )


def _from_outside(story: Story, crash: Crash) -> list[Hypothesis]:
    found = []
    evidence = tuple(story.evidence[-1:])
    if story.calls:
        found.append(
            Hypothesis(
                cause=f"`{story.calls[0]}` answers something that {crash.function.qualname} "
                "does not expect",
                remedy=f"correct what `{story.calls[0]}` answers in this case",
                prior=0.15,
                evidence=evidence,
            )
        )
    given = _parameter_at_fault(story)
    if given is not None:
        found.append(
            Hypothesis(
                cause=f"the callers of {crash.function.qualname} should never pass such a `{given}`",
                remedy=f"refuse it at the entry with an error that names `{given}`, "
                "or correct the caller",
                prior=0.12,
                evidence=evidence,
            )
        )
    return found


def _parameter_at_fault(story: Story) -> str | None:
    found = story.parameters if story.contrast is None else (story.contrast.parameter,)
    return next((name for name in found if name not in ("self", "cls")), None)


def _from_cases(similar: Sequence[SimilarCase]) -> list[Hypothesis]:
    return [
        Hypothesis(
            cause=item.case.root_cause,
            remedy=f"as in a past case: {item.case.resolution}",
            prior=round(0.4 * item.similarity, 3),
            evidence=(
                Evidence(
                    statement=f"a past case is alike ({item.because}); it was resolved by: "
                    f"{item.case.resolution}",
                    reference=item.case.case_id,
                ),
            ),
        )
        for item in similar[:1]
        if item.similarity >= _NEAR_CASE
    ]


def _confidence(crash: Crash, story: Story) -> float:
    score = 0.3
    score += 0.2 if crash.reproduced else 0.0
    score += 0.15 if crash.expression is not None else 0.0
    score += 0.1 if story.evidence else 0.0
    if story.contrast is not None:
        score += 0.2 if story.contrast.clean else 0.1
    return round(score, 2)


# --- results


def _abstain(dossier: Dossier, root_cause: str, missing: str, confidence: float) -> Diagnosis:
    return _diagnosis(
        dossier, root_cause=root_cause, hypotheses=(), confidence=confidence, abstention=missing
    )


def _diagnosis(
    dossier: Dossier,
    *,
    root_cause: str,
    hypotheses: tuple[Hypothesis, ...],
    confidence: float,
    abstention: str | None = None,
) -> Diagnosis:
    return Diagnosis(
        diagnosis_id=DiagnosisId(new_id("dia")),
        incident_id=dossier.incident.incident_id,
        error_type=_class_name(dossier.incident.error_type),
        error_code=dossier.incident.error_code,
        root_cause=root_cause,
        hypotheses=hypotheses,
        confidence=confidence,
        abstention=abstention,
        made_at=now(),
    )


def _class_name(path: str) -> str:
    return path.partition(":")[2] or path
