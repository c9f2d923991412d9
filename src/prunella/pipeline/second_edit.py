"""Where one edit only moves the crash: the rules look at the new one, and both edits go together."""

from collections.abc import Sequence
from dataclasses import replace

from prunella.model.dossier import Dossier
from prunella.model.errors import SourceUnavailable
from prunella.model.records import Occurrence
from prunella.model.repair import Baseline, Candidate, CheckOutcome, ReplayOutcome
from prunella.patching import locate
from prunella.propose import propose_by_rules
from prunella.propose.candidates import joined
from prunella.validate import Trial

#: First edits that are taken further, at most: those with the highest prior.
_MAX_FIRST = 8
#: Second edits a first one, at most.
_MAX_SECOND = 6


def second_edits(dossier: Dossier, trials: Sequence[Trial]) -> list[Candidate]:
    """Return candidates of two edits: one that moved the crash, one that answers where it went.

    `trials` are those of the dossier's candidates. The list is empty where no candidate moved the
    crash of any failing call, or no rule answers the new one.
    """
    moving = [trial for trial in trials if _moved(trial, dossier.baseline)]
    moving.sort(key=lambda trial: -trial.candidate.prior)
    found: dict[bytes, Candidate] = {}
    for trial in moving[:_MAX_FIRST]:
        after = _dossier_after(dossier, trial)
        if after is None:
            continue
        for second in propose_by_rules(after)[:_MAX_SECOND]:
            candidate = joined(trial.candidate, second)
            rival = found.get(candidate.patch.after)
            if rival is None or rival.prior < candidate.prior:
                found[candidate.patch.after] = candidate
    found.pop(b"" if dossier.function is None else dossier.function.file_source, None)
    return sorted(found.values(), key=lambda candidate: -candidate.prior)


def _moved(trial: Trial, baseline: Baseline) -> bool:
    """Some calls still fail, each of them elsewhere or otherwise, and nothing else is against it."""
    if [check.name for check in trial.checks if check.outcome is CheckOutcome.FAILED] != [
        "failing_calls"
    ]:
        return False
    pairs = list(zip(baseline.failing, trial.healed, strict=True))
    raised = [(before, after) for (_, before), after in pairs if after.exception is not None]
    return bool(raised) and all(_place(before) != _place(after) for before, after in raised)


def _place(outcome: ReplayOutcome) -> tuple[str, str, str]:
    """Return what failed: the exception and the innermost frame's function.

    Lines and columns shift with the edit, so that the message stands for them.
    """
    exception = outcome.exception
    if exception is None:
        return "", "", ""
    inside = [frame.qualname for frame in exception.frames if frame.in_project]
    return exception.type, exception.message, inside[-1] if inside else ""


def _raised(trial: Trial, baseline: Baseline) -> list[tuple[Occurrence, ReplayOutcome]]:
    return [
        (replace(occurrence, exception=outcome.exception), outcome)
        for (occurrence, _), outcome in zip(baseline.failing, trial.healed, strict=False)
        if outcome.exception is not None
    ]


def _dossier_after(dossier: Dossier, trial: Trial) -> Dossier | None:
    """Return the dossier as it would be if the candidate were the base."""
    function, patch = dossier.function, trial.candidate.patch
    if function is None:
        return None
    try:
        span = locate(patch.after, function.qualname)
    except SourceUnavailable:
        return None
    failing = _raised(trial, dossier.baseline)
    return replace(
        dossier,
        failing=tuple(occurrence for occurrence, _ in failing),
        function=replace(
            function,
            first_line=span.first_line,
            last_line=span.last_line,
            text=span.text,
            file_source=patch.after,
        ),
        baseline=replace(dossier.baseline, failing=tuple(failing)),
    )
