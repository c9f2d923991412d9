"""What the confidence in a tried fix allows: start a canary, wait for a person, or be told."""

from prunella.model.hypotheses import FixHypothesis, FixTrial, Gate, TrialOutcome

#: Above this, a fix may start a canary by itself, where the project has switched that on.
START = 0.8
#: From here on a fix waits for approval; below, it is suggested.
APPROVAL = 0.6

#: Outcomes that the prior weighs as much as, at least.
_PRIOR_WEIGHT = 4.0
#: What one tried call weighs, and all of them together at most, beside real outcomes.
_CALL_WEIGHT = 0.5
_MOST_WEIGHT = 6.0


def confidence(hypothesis: FixHypothesis, trial: FixTrial) -> float:
    """Return how sure a tried fix is to help, between 0 and 1.

    The Beta posterior goes on with the tried calls, at a discount because nobody ran them; calls
    that records can't tell of count for nothing. A rejected fix has 0, and one that nothing was
    shown for, or that can't act as things are, stays below `APPROVAL`; one whose trial went by calls
    that are alike, or that a model has thought of, below `START`.
    """
    if trial.outcome is TrialOutcome.REJECTED:
        return 0.0
    weight = _PRIOR_WEIGHT + hypothesis.helped + hypothesis.failed
    told = trial.failing - trial.unknown
    per_call = min(_CALL_WEIGHT, _MOST_WEIGHT / told) if told else 0.0
    found = (hypothesis.prior * weight + trial.caught * per_call) / (weight + told * per_call)
    if trial.outcome is TrialOutcome.INCONCLUSIVE or trial.needs:
        return min(found, APPROVAL - 0.01)
    by_model = hypothesis.made_by != "rules"
    return min(found, START - 0.01) if trial.indirect or by_model else found


def gate(sure: float, *, may_start: bool) -> Gate:
    """Return what a confidence allows; `may_start` is the setting ``auto_fix_enabled``."""
    if sure > START and may_start:
        return Gate.START
    return Gate.APPROVAL if sure >= APPROVAL else Gate.SUGGEST
