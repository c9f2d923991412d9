"""The rules' priors from what the repair benchmark saw, and whether they hold on other programs.

A prior is how often candidates of a rule that replay accepted gave the expected answers on the
once-crashing tests, drawn towards what was judged before
(`prunella.propose.rules.priors.JUDGED`). `cross` asks what such priors are worth on programs that
had no part in them: those of each question are offered patches with priors of the others alone.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from repair_report import Incident, Result

from prunella.propose.rules.priors import judged, prior_of
from prunella.validate import Trial
from prunella.validate.judge import reconsider

#: What was judged before counts as this many observations, and those of one question, which share
#: one specification, count as no more: they move a prior half-way at the most.
WEIGHT = 6.0
#: Limits of the score below which nothing is offered, to choose one by.
LIMITS = (0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8)


def calibrated(results: Sequence[Result]) -> dict[str, float]:
    """Return each rule's prior: what was judged, moved by how often its candidates were right.

    Each question has one voice: its programs share one specification and thus one idea of right.
    """
    rules = [_by_rule(item for item in results if item.question == number)
             for number in sorted({item.question for item in results})]  # fmt: skip
    priors: dict[str, float] = {}
    for name in sorted({name for rows in rules for name in rows}):
        voices = [rows[name] for rows in rules if name in rows]
        weights = [min(len(rights), WEIGHT) for rights in voices]
        right = sum(
            weight * sum(rights) / len(rights)
            for weight, rights in zip(weights, voices, strict=True)
        )
        priors[name] = round((right + WEIGHT * judged(name)) / (sum(weights) + WEIGHT), 2)
    return priors


def _by_rule(results: Iterable[Result]) -> dict[str, list[bool]]:
    """Return for each rule and family whether its candidates were right, one edit at a time."""
    found: dict[str, list[bool]] = {}
    for rule, right in _judged_ones(results):
        parts = rule.split(".")
        for length in range(1, len(parts) + 1):
            found.setdefault(".".join(parts[:length]), []).append(right)
    return found


def _judged_ones(results: Iterable[Result]) -> Iterator[tuple[str, bool]]:
    """Yield rule and rightness of the candidates of one edit that nothing speaks against."""
    for item in results:
        for incident in item.incidents:
            for trial, right in zip(incident.trials, incident.right, strict=True):
                rule = trial.candidate.origin.partition(":")[2]
                if trial.score and "+" not in rule:
                    yield rule, right


def write_priors(results: Sequence[Result], path: Path) -> None:
    """Write the calibrated priors beside the rules."""
    measured = {
        "how": "benchmarks/repair.py DATA --calibrate",
        "programs": len(results),
        "candidates": sum(1 for _ in _judged_ones(results)),
        "priors": calibrated(results),
    }
    path.write_text(json.dumps(measured, indent=1) + "\n", "utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What one program is offered with other priors: its first patch."""

    score: float
    #: The once-crashing tests of its incident get their expected answers.
    right: bool
    #: All tests of the question pass with all that was offered.
    correct: bool


def cross(results: Sequence[Result]) -> str:
    """Return, for each question and limit, what is offered with the other questions' priors."""
    numbers = sorted({item.question for item in results})
    lines = [
        f"{'question':10}{'limit':>7}{'programs':>10}{'offered':>9}{'answers right':>15}"
        f"{'correct':>9}{'of offered':>12}{'of all':>8}"
    ]
    totals: dict[float, list[tuple[int, list[Choice]]]] = {limit: [] for limit in LIMITS}
    for number in numbers:
        others = [item for item in results if item.question != number]
        priors = calibrated(others)
        programs = [item for item in results if item.question == number]
        for limit in LIMITS:
            chosen = [choice for item in programs if (choice := _choice(item, priors, limit))]
            totals[limit].append((len(programs), chosen))
            lines.append(_cross_line(str(number), limit, len(programs), chosen))
    for limit, rows in totals.items():
        chosen = [choice for _, choices in rows for choice in choices]
        lines.append(_cross_line("all", limit, sum(count for count, _ in rows), chosen))
    return "\n".join(lines)


def _cross_line(name: str, limit: float, programs: int, chosen: Sequence[Choice]) -> str:
    correct = sum(item.correct for item in chosen)
    right = sum(item.right for item in chosen)
    share = f"{correct / len(chosen):.0%}" if chosen else "-"
    return (
        f"{name:10}{limit:>7}{programs:>10}{len(chosen):>9}{right:>15}{correct:>9}{share:>12}"
        f"{correct / max(programs, 1):>8.0%}"
    )


def _choice(result: Result, priors: Mapping[str, float], limit: float) -> Choice | None:
    """Return what is offered with other priors.

    The incidents are those that the run met. Where the choice parts from the run's, what follows on
    top of it is unknown: then it counts as correct only if it is so by itself.
    """
    found: Choice | None = None
    for incident in result.incidents:
        best = _best(incident, priors, limit)
        if best is not None:
            at, score = best
            found = Choice(
                score=score if found is None else found.score,
                right=incident.right[at] and (found is None or found.right),
                correct=incident.correct[at],
            )
        if incident.offered is not None and (best is None or best[0] != incident.offered):
            break
        if best is not None and incident.offered is None:
            break
    return found


def _best(
    incident: Incident, priors: Mapping[str, float], limit: float
) -> tuple[int, float] | None:
    """Return the number and score of the candidate offered first with `priors`."""
    trials = [_with_priors(trial, priors) for trial in incident.trials]
    reconsider(trials)
    shown = [
        (trial.score, -at)
        for at, trial in enumerate(trials)
        if trial.score >= limit and trial.counts.passing_equal
    ]
    if not shown:
        return None
    score, at = max(shown)
    return -at, score


def _with_priors(trial: Trial, priors: Mapping[str, float]) -> Trial:
    """Return the trial as if the rules had begun with `priors`."""
    prior = trial.candidate.prior
    for rule in trial.candidate.origin.partition(":")[2].split("+"):
        prior *= (priors.get(rule) or judged(rule)) / prior_of(rule)
    return replace(trial, candidate=replace(trial.candidate, prior=min(prior, 1.0)))
