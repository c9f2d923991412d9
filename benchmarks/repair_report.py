"""What became of the programs of the repair benchmark, and the tables that tell it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from prunella.model.repair import Accepted, Rejected, Verdict
from prunella.validate import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident of a program: its candidates, and which of them were right."""

    trials: tuple[Trial, ...]
    #: One a trial: it gives the expected answers on the tests that crashed in this incident.
    right: tuple[bool, ...]
    #: One a trial: all tests of the question pass.
    correct: tuple[bool, ...]
    #: The number of the trial that was offered first.
    offered: int | None = None


@dataclass(slots=True, kw_only=True)
class Result:
    """What became of one program."""

    program_id: str
    question: int
    split: str
    exception: str
    offered: bool = False
    crash_removed: bool = False
    plausible: bool = False
    #: Every test that crashed before gets its expected answer.
    right_on_crashing: bool = False
    correct: bool = False
    #: One of up to three offered first was correct.
    correct_among_offered: bool = False
    #: Of the patches offered first, one an incident.
    origins: list[str] = field(default_factory=list)
    candidates: int = 0
    abstention: str = ""
    time_s: float = 0.0
    #: In the order in which they were met.
    incidents: list[Incident] = field(default_factory=list)


def holds(verdict: Verdict) -> bool:
    """No check failed, and the failing calls return: offered or not."""
    return bool(verdict.replays.failing_healed) and not isinstance(verdict, Rejected)


def offers(verdicts: Sequence[Verdict]) -> list[int]:
    """Return the numbers of the accepted verdicts, best first; equal ones keep their order."""
    accepted = [at for at, verdict in enumerate(verdicts) if isinstance(verdict, Accepted)]
    return sorted(accepted, key=lambda at: -verdicts[at].score)


def row(result: Result) -> dict[str, object]:
    """Return a result as JSON; of its candidates, those that nothing speaks against."""
    plain = {item.name: getattr(result, item.name) for item in fields(result)}
    plain["incidents"] = [
        [
            {
                "rule": trial.candidate.origin.partition(":")[2],
                "prior": trial.candidate.prior,
                "score": round(trial.score, 3),
                "passing": trial.counts.passing_equal,
                "right": right,
                "correct": correct,
            }
            for trial, right, correct in zip(
                incident.trials, incident.right, incident.correct, strict=True
            )
            if trial.score
        ]
        for incident in result.incidents
    ]
    return plain


def restored(kept: Mapping[str, Any]) -> Result:
    """Return a result of what `row` made of it, without its candidates."""
    return Result(**{**kept, "incidents": []})


def agreement(results: Sequence[Result], others: Mapping[str, Result]) -> str:
    """Return how far two runs agree on the programs that both have, and where they don't."""
    pairs = [(item, others[item.program_id]) for item in results if item.program_id in others]
    lines = [f"{len(pairs)} programs in both runs"]
    for name in ("offered", "plausible", "right_on_crashing", "correct"):
        one, other = (sum(getattr(pair[at], name) for pair in pairs) for at in (0, 1))
        same = sum(getattr(left, name) == getattr(right, name) for left, right in pairs)
        lines.append(f"{name:20}{one:>6} here{other:>6} there{same:>6} the same")
    same = sum(left.origins == right.origins for left, right in pairs)
    lines.append(f"{'rules offered first':20}{same:>29} the same")
    lines += [
        f"{left.program_id} ({left.split}): {_ended(left)} here, {_ended(right)} there"
        for left, right in pairs
        if _ended(left) != _ended(right)
    ]
    return "\n".join(lines)


def _ended(result: Result) -> str:
    if not result.offered:
        return f"abstained ({result.abstention})"
    return "correct" if result.correct else "plausible" if result.plausible else "wrong"


def table(results: Sequence[Result], *, whole: bool) -> str:
    """Return the figures by exception type, if the `whole` table is wanted, and in all."""
    head = (
        f"{'exception':20}{'programs':>9}{'offered':>9}{'crash removed':>15}{'plausible':>11}"
        f"{'answers right':>15}{'correct':>9}{'overfit':>9}{'abstained':>11}{'of offered':>12}{'of all':>8}{'median s':>10}"
    )
    lines = [head]
    names = [name for name, _ in Counter(item.exception for item in results).most_common()]
    for name in [*(names if whole else ()), "all"]:
        rows = [item for item in results if name in (item.exception, "all")]
        lines.append(_line(name, rows))
    return "\n".join(lines)


def _line(name: str, rows: Sequence[Result]) -> str:
    offers = sum(item.offered for item in rows)
    correct = sum(item.correct for item in rows)
    plausible = sum(item.plausible for item in rows)
    times = sorted(item.time_s for item in rows)
    share = f"{correct / offers:.0%}" if offers else "-"
    return (
        f"{name:20}{len(rows):>9}{offers:>9}{sum(item.crash_removed for item in rows):>15}"
        f"{plausible:>11}{sum(item.right_on_crashing for item in rows):>15}{correct:>9}{plausible - correct:>9}{len(rows) - offers:>11}{share:>12}"
        f"{correct / len(rows):>8.0%}{times[len(times) // 2]:>10.2f}"
    )


def reasons(results: Sequence[Result]) -> Mapping[str, int]:
    """Return why nothing was offered, the commonest reason first."""
    return dict(Counter(item.abstention for item in results if not item.offered).most_common())
