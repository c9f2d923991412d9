"""How much speaks for a candidate: one number to rank by."""

import ast
from collections.abc import Sequence

from prunella.model.repair import (
    Candidate,
    Check,
    CheckOutcome,
    Patch,
    ReplayCounts,
    ReplayEnding,
    ReplayOutcome,
)
from prunella.validate.compare import compare_values

#: Below this score the evidence carries no offer: the patch would rather be wrong than right, and it
#: is better to abstain. `benchmarks/repair.py DATA --cross` prints what this and other limits do.
LEAST_SCORE = 0.5

#: Factors on the odds that the patch is right, by the check and what it found.
_FACTORS = {
    ("tests", CheckOutcome.PASSED): 3.0,
    ("invariants", CheckOutcome.PASSED): 1.5,
    ("invariants", CheckOutcome.NOT_SHOWN): 0.8,
    ("passing_calls", CheckOutcome.NOT_SHOWN): 0.5,
    # With all other evidence at its best, still no offer for a prior of 0.65.
    ("foundations", CheckOutcome.NOT_SHOWN): 0.03,
}
#: Another source of candidates with equal results on the once-failing inputs.
_AGREEMENT = 1.3
_MAX_AGREEMENTS = 2
#: What the odds of a candidate that answers the once-failing calls differently count against this
#: one. Of two with equal odds that differ, at most one is right.
_DISSENT = 1.0
#: Catching the exception is the least of repairs.
_NEW_HANDLER = 0.5


def score(
    candidate: Candidate,
    checks: Sequence[Check],
    counts: ReplayCounts,
    healed: Sequence[ReplayOutcome],
    others: Sequence[tuple[str, Sequence[ReplayOutcome]]],
) -> float:
    """Return between 0 and 1: the candidate's prior, moved by what was shown.

    `others` are origin and results of the other candidates on the same once-failing inputs. Those
    that share a source with this one, or with each other, count once at most: variants of one
    family of rules, and samples of one model, are no independent opinions. The factors order
    candidates; the number is no probability until it is calibrated.
    """
    prior = min(max(candidate.prior, 0.01), 0.99)
    odds = prior / (1.0 - prior)
    for check in checks:
        odds *= _FACTORS.get((check.name, check.outcome), 1.0)
    odds *= 1.0 + min(counts.passing_equal, 10) / 10.0
    agreeing = {source(origin) for origin, results in others if agree(healed, results)}
    agreeing.discard(source(candidate.origin))
    odds *= _AGREEMENT ** min(_MAX_AGREEMENTS, len(agreeing))
    if _handlers(candidate.patch, after=True) > _handlers(candidate.patch, after=False):
        odds *= _NEW_HANDLER
    return odds / (1.0 + odds)


def settled(scored: Sequence[tuple[float, Sequence[ReplayOutcome]]]) -> list[float]:
    """Return the scores, in order, lowered by candidates that answer differently.

    `scored` are score and results on the once-failing inputs of all living candidates. Those with
    equal results are one opinion: the best of them speaks.
    """
    opinions: list[tuple[float, Sequence[ReplayOutcome]]] = []
    for number, healed in sorted(scored, key=lambda pair: -pair[0]):
        if not any(agree(healed, other) for _, other in opinions):
            opinions.append((_odds(number), healed))
    found = []
    for number, healed in scored:
        against = sum(odds for odds, other in opinions if not agree(healed, other))
        odds = _odds(number)
        found.append(odds / (1.0 + odds + _DISSENT * against))
    return found


def _odds(number: float) -> float:
    number = min(max(number, 0.0), 0.999)
    return number / (1.0 - number)


def source(origin: str) -> str:
    """Return whose opinion a candidate is: a family of rules (``rule:zero.empty`` → ``rule:zero``),
    or a model."""
    kind, _, name = origin.partition(":")
    return f"{kind}:{name.partition('.')[0]}" if kind == "rule" else origin


def agree(one: Sequence[ReplayOutcome], other: Sequence[ReplayOutcome]) -> bool:
    """Tell whether two candidates return the same on all of the once-failing calls."""
    if len(one) != len(other) or not one:
        return False
    return all(
        left.ending is right.ending is ReplayEnding.RETURNED
        and compare_values(left.result, right.result).equal
        for left, right in zip(one, other, strict=True)
    )


def _handlers(patch: Patch, *, after: bool) -> int:
    tree = ast.parse(patch.after if after else patch.before)
    return sum(isinstance(node, ast.ExceptHandler) for node in ast.walk(tree))
