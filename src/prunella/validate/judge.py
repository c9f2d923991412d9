"""From candidates to verdicts: every check, in the order of its cost."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from prunella.model.clock import now
from prunella.model.records import Call, Occurrence, Process
from prunella.model.repair import (
    Accepted,
    Baseline,
    Candidate,
    Check,
    CheckOutcome,
    Inconclusive,
    Rejected,
    ReplayCounts,
    ReplayEnding,
    ReplayOutcome,
    TestReport,
    Verdict,
)
from prunella.ports import Progress, Replayer, TestRunner
from prunella.validate import foundations, invariants, policy
from prunella.validate.callers import compare_callers
from prunella.validate.evidence import LEAST_SCORE, agree, score, settled
from prunella.validate.handlers import unfounded_answers
from prunella.validate.reproduce import Answers, difference, replay_request
from prunella.validate.surroundings import surroundings
from prunella.validate.tests import compare_reports, mended, mention

#: Tests are dear: only so many of the best candidates meet them.
MAX_TESTED = 3


@dataclass(slots=True, kw_only=True)
class Trial:
    """What is known about one candidate so far; made and read by this module alone."""

    candidate: Candidate
    checks: list[Check] = field(default_factory=list)
    #: What the failing calls do with the patch, in the order of the baseline.
    healed: tuple[ReplayOutcome, ...] = ()
    counts: ReplayCounts
    #: Values that it answers with and nothing in the source names, as source text.
    made_up: tuple[str, ...] = ()
    #: A test that failed before passes with it, or its turn to be tested never came.
    may_be_asked_for: bool = False
    score: float = 0.0

    def note(self, name: str, outcome: CheckOutcome, detail: str) -> None:
        self.checks.append(Check(name=name, outcome=outcome, detail=detail))

    @property
    def alive(self) -> bool:
        return all(check.outcome is not CheckOutcome.FAILED for check in self.checks)

    def passed(self, name: str) -> bool:
        return any(c.name == name and c.outcome is CheckOutcome.PASSED for c in self.checks)


def judge(
    candidates: Sequence[Candidate],
    baseline: Baseline,
    replayer: Replayer,
    test_runner: TestRunner | None,
    tree: Path,
    process: Process,
    *,
    answers: Answers | None = None,
    progress: Progress = lambda text: None,
    earlier: list[Trial] | None = None,
) -> list[Verdict]:
    """Return one verdict a candidate, in their order.

    `tree` is the checked-out base that `baseline` was made on. A candidate is accepted when at
    least one failing call that reproduced returns with it, no check failed, either a passing call
    that reproduced still gives its result or tests that mention the function pass, and its score
    reaches `LEAST_SCORE`: below it the evidence carries no offer.

    `earlier` are the trials of candidates judged before on the same baseline, with whom these may
    agree; those of this call are appended. `reconsider` judges all of them by what is known then.
    """
    counts = ReplayCounts(
        failing_reproduced=len(baseline.failing),
        passing_reproduced=len(baseline.passing),
        set_aside=_reasons(baseline),
        reproduced=(
            *(str(occurrence.occurrence_id) for occurrence, _ in baseline.failing),
            *(str(call.call_id) for call, _ in baseline.passing),
        ),
    )
    trials = [Trial(candidate=candidate, counts=counts) for candidate in candidates]
    for trial in trials:
        _check_text(trial)
    _check_replays(
        [t for t in trials if t.alive], baseline, replayer, tree, process, answers, progress
    )
    known = [*(earlier or ()), *trials]
    for trial in trials:
        trial.score = _score(trial, known)
    _check_tests(trials, test_runner, tree, process, progress)
    for trial in trials:
        _weigh_foundations(trial, known, baseline)
    if earlier is not None:
        earlier.extend(trials)
    return reconsider(known)[-len(trials) :] if trials else []


def reconsider(trials: Sequence[Trial]) -> list[Verdict]:
    """Return the verdicts on `trials`, in order, with the agreement among all of them."""
    for trial in trials:
        trial.score = _score(trial, trials)
    living = [trial for trial in trials if trial.score]
    settled_scores = settled([(trial.score, trial.healed) for trial in living])
    for trial, number in zip(living, settled_scores, strict=True):
        trial.score = number
    return [_verdict(trial) for trial in trials]


def _check_text(trial: Trial) -> None:
    patch = trial.candidate.patch
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(patch.after, patch.path, "exec", dont_inherit=True)
            edit = policy.parse(patch)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        trial.note("compiles", CheckOutcome.FAILED, f"{patch.path}: {error}"[:300])
        return
    trial.note("compiles", CheckOutcome.PASSED, f"{patch.path} compiles")
    _note_problems(trial, "signature", policy.signature_problems(edit), "it is called as before")
    clean = "the edit touches the function and imports only and brings in nothing risky"
    _note_problems(trial, "policy", policy.policy_problems(edit), clean)
    found = (*foundations.unfounded(edit), *unfounded_answers(edit))
    trial.made_up = tuple(dict.fromkeys(found))
    if trial.made_up:
        trial.checks.append(foundations.missing(trial.made_up))


def _note_problems(trial: Trial, name: str, problems: Sequence[str], clean: str) -> None:
    if problems:
        trial.note(name, CheckOutcome.FAILED, "; ".join(problems[:5]))
    else:
        trial.note(name, CheckOutcome.PASSED, clean)


def text_checks(candidate: Candidate) -> list[Check]:
    """Return the checks that a candidate's text alone decides, whatever it is proven by."""
    trial = Trial(candidate=candidate, counts=ReplayCounts())
    _check_text(trial)
    return trial.checks


def _check_replays(
    trials: Sequence[Trial],
    baseline: Baseline,
    replayer: Replayer,
    tree: Path,
    process: Process,
    answers: Answers | None,
    progress: Progress,
) -> None:
    items: list[Occurrence | Call] = [occurrence for occurrence, _ in baseline.failing]
    items += [call for call, _ in baseline.passing]
    items += [item for item, _ in baseline.callers]
    if not trials:
        return
    if not items:
        for trial in trials:
            trial.note("failing_calls", CheckOutcome.NOT_SHOWN, "no recorded call reproduced")
        return
    progress(f"replaying {len(items)} calls on {len(trials)} candidates")
    requests = [replay_request(item, answers) for item in items]
    variants = [{t.candidate.patch.path: t.candidate.patch.after} for t in trials]
    rows = replayer.replay(tree, process, requests, variants)
    for trial, row in zip(trials, rows, strict=True):
        passing_at = len(baseline.failing)
        callers_at = passing_at + len(baseline.passing)
        _note_failing(trial, baseline, row[:passing_at])
        _note_passing(trial, baseline, row[passing_at:callers_at])
        trial.checks.append(compare_callers(baseline, row[callers_at:]))
        trial.checks.append(surroundings(process))
        if trial.alive and baseline.failing:
            _note_invariants(trial, baseline)


def _note_failing(trial: Trial, baseline: Baseline, row: Sequence[ReplayOutcome]) -> None:
    healed = [outcome for outcome in row if outcome.ending is ReplayEnding.RETURNED]
    trial.healed = tuple(row)
    trial.counts = replace(trial.counts, failing_healed=len(healed))
    total = len(baseline.failing)
    if not total:
        detail = "no failing call failed again on the base, so nothing can show that this heals it"
        trial.note("failing_calls", CheckOutcome.NOT_SHOWN, detail)
    elif len(healed) == total:
        detail = f"{total} of {total} failing calls that reproduced return now"
        trial.note("failing_calls", CheckOutcome.PASSED, detail)
    else:
        bad = next(outcome for outcome in row if outcome.ending is not ReplayEnding.RETURNED)
        detail = f"{len(healed)} of {total} failing calls return now; {_how(bad)}"
        trial.note("failing_calls", CheckOutcome.FAILED, detail)


def _how(outcome: ReplayOutcome) -> str:
    if outcome.exception is not None:
        return f"{outcome.request_id} raises {outcome.exception.type_name}: {outcome.exception.message}"[
            :250
        ]
    return f"{outcome.request_id}: {outcome.reason}"[:250]


def _note_passing(trial: Trial, baseline: Baseline, row: Sequence[ReplayOutcome]) -> None:
    total = len(baseline.passing)
    if not total:
        trial.note(
            "passing_calls", CheckOutcome.NOT_SHOWN, "no passing call reproduced on the base"
        )
        return
    differing = []
    for (call, before), after in zip(baseline.passing, row, strict=True):
        detail = difference(before, after)
        if detail:
            differing.append(f"{call.call_id}: {detail}")
    equal = total - len(differing)
    trial.counts = replace(trial.counts, passing_equal=equal)
    if differing:
        detail = f"{len(differing)} of {total} passing calls differ; {differing[0]}"[:400]
        trial.note("passing_calls", CheckOutcome.FAILED, detail)
    else:
        detail = f"{total} of {total} passing calls give the equal result and leave equal arguments"
        trial.note("passing_calls", CheckOutcome.PASSED, detail)


def _note_invariants(trial: Trial, baseline: Baseline) -> None:
    patch = trial.candidate.patch
    learned = invariants.mine(baseline, patch)
    found = [
        problem
        for (occurrence, _), outcome in zip(baseline.failing, trial.healed, strict=True)
        for problem in invariants.violations(learned, occurrence.inputs, outcome)
    ]
    if not learned.statements:
        detail = "too few passing calls and no simple return annotation to learn any from"
        trial.note("invariants", CheckOutcome.NOT_SHOWN, detail)
        return
    clean = f"results on once-failing inputs keep what holds for passing calls: {learned.summary}"
    _note_problems(trial, "invariants", list(dict.fromkeys(found)), clean)


def _check_tests(
    trials: Sequence[Trial],
    test_runner: TestRunner | None,
    tree: Path,
    process: Process,
    progress: Progress,
) -> None:
    alive = [trial for trial in trials if trial.alive]
    if not alive:
        return
    before: TestReport | None = None
    if test_runner is not None and any(trial.passed("failing_calls") for trial in alive):
        progress("running the project's tests on the base")
        before = test_runner.run(tree, process, {})
    if before is None:
        for trial in alive:
            trial.note("tests", CheckOutcome.NOT_SHOWN, "no tests were found")
        return
    best = sorted(alive, key=lambda trial: -trial.score)[:MAX_TESTED]
    for trial in alive:
        if all(trial is not item for item in best):
            detail = f"not run: only the best {MAX_TESTED} candidates meet the tests"
            trial.note("tests", CheckOutcome.NOT_SHOWN, detail)
            trial.may_be_asked_for = True
            continue
        progress(f"running the project's tests: {trial.candidate.description}")
        patch = trial.candidate.patch
        assert test_runner is not None  # noqa: S101 - there is a report, so there is a runner
        after = test_runner.run(tree, process, {patch.path: patch.after})
        mentioned = mention(tree, before, patch.path, patch.qualname)
        check = compare_reports(before, after, mentioned=mentioned)
        trial.checks.append(check)
        trial.may_be_asked_for = mended(before, after) > 0


def _weigh_foundations(trial: Trial, known: Sequence[Trial], baseline: Baseline) -> None:
    """Speak the last word on made-up values, when replays and tests have spoken.

    Another candidate that answers the same without making anything up stands for them as well.
    """
    if not trial.made_up or not trial.alive or trial.may_be_asked_for:
        return
    if any(agree(trial.healed, each.healed) for each in known if each.alive and not each.made_up):
        return
    said = foundations.weighed(trial.made_up, baseline)
    trial.checks[:] = [said if check.name == said.name else check for check in trial.checks]


def _score(trial: Trial, trials: Sequence[Trial]) -> float:
    if not trial.alive or not trial.counts.failing_healed:
        return 0.0
    return score(
        trial.candidate,
        trial.checks,
        trial.counts,
        trial.healed,
        [
            (other.candidate.origin, other.healed)
            for other in trials
            if other is not trial and other.alive
        ],
    )


def _verdict(trial: Trial) -> Verdict:
    common = {
        "candidate_id": trial.candidate.candidate_id,
        "checks": tuple(trial.checks),
        "replays": trial.counts,
        "score": round(trial.score, 3),
        "judged_at": now(),
    }
    failed = [check for check in trial.checks if check.outcome is CheckOutcome.FAILED]
    if failed:
        summary = f"Rejected by {failed[0].name}: {failed[0].detail}."
        return Rejected(**{**common, "score": 0.0}, summary=summary)  # type: ignore[arg-type]
    if not trial.passed("failing_calls"):
        summary = "Nothing shows that it heals: no failing call could be reproduced on the base."
        return Inconclusive(**{**common, "score": 0.0}, summary=summary)  # type: ignore[arg-type]
    healed = trial.counts.failing_healed
    shown = _number(healed, "once-failing call returns", "once-failing calls return")
    if not trial.counts.passing_equal and not trial.passed("tests"):
        summary = (
            f"{shown}, and nothing else was shown: no passing call and no test of the function "
            "could be compared."
        )
        return Inconclusive(**common, summary=summary)  # type: ignore[arg-type]
    if trial.score < LEAST_SCORE:
        summary = f"{_claim(trial, shown)} Nothing shows that the new results are the wanted ones."
        return Inconclusive(**common, summary=summary)  # type: ignore[arg-type]
    return Accepted(**common, summary=_claim(trial, shown))  # type: ignore[arg-type]


def _claim(trial: Trial, shown: str) -> str:
    parts = [shown]
    if trial.counts.passing_equal:
        equal = trial.counts.passing_equal
        parts.append(
            _number(equal, "passing call gives an equal result", "passing calls give equal results")
        )
    if trial.passed("tests"):
        parts.append("the tests that passed before still pass")
    limit = "" if trial.passed("tests") else " No test says whether the new results are right."
    return f"{', '.join(parts)}.{limit}"


def _number(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _reasons(baseline: Baseline) -> dict[str, int]:
    reasons: dict[str, int] = {}
    for _, reason in baseline.set_aside:
        short = reason.partition(":")[0]
        reasons[short] = reasons.get(short, 0) + 1
    return reasons
