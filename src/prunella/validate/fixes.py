"""A fix on recorded calls: what it would have caught, cost and broken.

The calls go through the interpreter that runs in production, with a driver that stands in for the
world: a virtual clock, recorded outcomes, and, where an attempt was never recorded, what the
records say of how soon the target worked again. Nothing of the program runs.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from prunella.fixes import (
    Attempt,
    CountingMeter,
    Finished,
    Fix,
    Installation,
    Installed,
    Invoke,
    Outcome,
    Plan,
    Sleep,
    Step,
    TokenBucket,
    Unreachable,
    World,
    interpret,
    misfit,
)
from prunella.fixes.recorded import Opaque, RecordedSite, arguments_of, plain, site_view
from prunella.model.hypotheses import FixTrial, TrialOutcome
from prunella.model.records import Call, Occurrence, Site
from prunella.taxonomy import CODES
from prunella.validate.stand_ins import code_of, same, stand_in
from prunella.validate.unrecorded import (
    Durations,
    Neighbours,
    cut_off_s,
    flaky_inputs,
    raised_limit,
)

#: Failing and passing calls that are tried, at most.
MOST_CALLS = 200
#: Steps of one call after which a fix counts as endless.
_MOST_STEPS = 1_000
#: Share of the failing calls that a fix has to catch to be accepted.
_WORTHWHILE = 0.2
#: Roles of parameters whose texts are written anew for each call of a model.
_WRITTEN = ("messages", "prompt", "system")


class NotRecorded(Exception):
    """The call that a fix makes here was never made before: nobody knows how it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is known of the function behind a site."""

    #: Seconds after the end of each failing call, in their order, from which on an attempt with the
    #: same arguments succeeds; ``None`` where no recovery was recorded.
    recovers_after_s: Sequence[float | None]
    #: Chance of a further attempt where there is no recovery time, and where the same inputs both
    #: failed and succeeded; ``None`` where no rate is known.
    success_ratio: float | None = None
    #: How long calls take, for longer limits; ``None`` where that isn't known.
    durations: Durations | None = None
    #: Outcome of another site: its id to the chance that it answers; of others nothing is known.
    others: Mapping[str, float] = field(default_factory=dict)
    #: How long a success takes, in seconds.
    success_s: float = 0.0


def try_fix(
    fix: Fix,
    site: Site,
    failing: Sequence[Occurrence],
    passing: Sequence[Call],
    target: Target,
    *,
    refused: Sequence[Call] = (),
    seed: int = 0,
) -> FixTrial:
    """Try a fix on recorded calls; the same records and seed give the same trial.

    `refused` are calls that ended well, and whose results somebody failed on: a fix catches one if it
    changes its result.
    """
    view = site_view(site)
    unfit = misfit(fix, view)
    if unfit:
        return _unfit(fix, unfit)
    trial = _Trial(fix, view, target, Random(seed))  # noqa: S311 - a simulation, no secret
    trial.learn(failing, passing)
    for number, occurrence in enumerate(failing[:MOST_CALLS]):
        trial.fail(number, occurrence)
    for call in refused[:MOST_CALLS]:
        trial.refuse(call)
    for call in sorted(passing[:MOST_CALLS], key=lambda item: item.started_at):
        trial.succeed(call)
    needs = misfit(fix, replace(view, idempotent=site.idempotent))
    return replace(trial.result(), needs=needs)


class _Trial:
    """Runs calls one after the other, and counts."""

    def __init__(self, fix: Fix, view: RecordedSite, target: Target, random: Random) -> None:
        self._fix = fix
        self._view = view
        self._target = target
        self._random = random
        self._now_s = 0.0
        self._plan = self._fresh_plan()
        self.failing = self.caught = self.unknown = self.passing = self.broken = 0
        #: Passing calls that a model would be asked in other words.
        self.reworded = 0
        self.added_calls = 0
        self.added_s = 0.0
        self._limit = view.roles.get("timeout", "")
        self._flaky: Collection[str] = ()
        self._neighbours = Neighbours([])
        self._basis: dict[str, None] = {}
        self._is_indirect = False
        #: Results that callers went on with.
        self._accepted: list[Any] = []

    def learn(self, failing: Sequence[Occurrence], passing: Sequence[Call]) -> None:
        """Take in what the records tell of calls that weren't made."""
        self._flaky = flaky_inputs(passing, failing)
        self._accepted = [plain(call.result) for call in passing]
        roles = self._view.roles if self._view.kind in ("llm", "agent") else {}
        written = {roles[name] for name in _WRITTEN if name in roles}
        self._neighbours = Neighbours([arguments_of(call.inputs) for call in passing], written)

    def _fresh_plan(self) -> Plan:
        return Plan(self._view, [Installed(Installation(fix=self._fix))])

    def fail(self, number: int, occurrence: Occurrence) -> None:
        """Try a failing call."""
        self.failing += 1
        self._plan = self._fresh_plan()  # calls that failed far apart know nothing of each other
        error = stand_in(occurrence.exception)
        recorded = arguments_of(occurrence.inputs)
        attempts = 0
        began_s = self._now_s
        failed_s: float | None = None

        def answer(step: Step) -> Outcome:
            nonlocal attempts, failed_s
            if isinstance(step, Invoke):
                self.added_calls += 1
                return self._other(step.site)
            if not isinstance(step, Attempt):
                raise NotRecorded
            attempts += 1
            if attempts == 1 and same(step.arguments, recorded):
                self._now_s += occurrence.duration_us / 1e6
                failed_s = self._now_s
                return Outcome(error=error)
            if attempts > 1:
                self.added_calls += 1
            if not same(step.arguments, recorded):
                return self._otherwise(step.arguments, occurrence, error)
            return self._again(number, occurrence, error, failed_s or began_s)

        try:
            finished = self._run(recorded, answer)
        except NotRecorded:
            self.unknown += 1
            return
        self.caught += finished.outcome.error is None
        if finished.outcome.error is None and finished.degraded:
            self._is_indirect = True
            self._basis["answers that aren't the function's own"] = None
        as_recorded_s = began_s + occurrence.duration_us / 1e6
        self.added_s += max(0.0, self._now_s - (failed_s or as_recorded_s))

    def refuse(self, call: Call) -> None:
        """Try a call whose result somebody failed on."""
        self.failing += 1
        result = plain(call.result)
        attempts = 0

        def answer(step: Step) -> Outcome:
            nonlocal attempts
            if not isinstance(step, Attempt):
                raise NotRecorded
            attempts += 1
            self._now_s += call.duration_us / 1e6
            if attempts == 1:
                return Outcome(result)
            self.added_calls += 1
            if self._target.success_ratio is None or not self._accepted:
                raise NotRecorded
            usable = self._chance(self._target.success_ratio)
            return Outcome(self._accepted[attempts % len(self._accepted)] if usable else result)

        began_s = self._now_s
        try:
            finished = self._run(arguments_of(call.inputs), answer)
        except NotRecorded:
            self.unknown += 1
            return
        self._is_indirect = True
        self.caught += finished.outcome.error is None and finished.outcome.value is not result
        self.added_s += max(0.0, self._now_s - began_s - call.duration_us / 1e6)

    def succeed(self, call: Call) -> None:
        """Try a passing call: it has to stay as it was."""
        self.passing += 1
        recorded = arguments_of(call.inputs)
        result = plain(call.result)
        was_changed = False

        def answer(step: Step) -> Outcome:
            nonlocal was_changed
            if isinstance(step, Attempt):
                # A longer limit leaves a call as it was that ended within the shorter one.
                was_changed = was_changed or not (
                    same(step.arguments, recorded)
                    or raised_limit(step.arguments, recorded, self._limit)
                )
                self._now_s += call.duration_us / 1e6
                return Outcome(result)
            was_changed = was_changed or isinstance(step, Invoke)
            return Outcome(result)

        finished = self._run(recorded, answer)
        kept = finished.outcome.error is None and finished.outcome.value is result
        if self._fix.fix_type == "prompt" and was_changed and kept:
            self.reworded += 1
        else:
            self.broken += was_changed or not kept

    def _other(self, site: str) -> Outcome:
        ratio = self._target.others.get(site)
        if ratio is None:
            raise NotRecorded
        self._is_indirect = True
        self._now_s += self._target.success_s
        if self._chance(ratio):
            return Outcome(Opaque(site))
        return Outcome(error=Unreachable(site))

    def _again(
        self, number: int, occurrence: Occurrence, error: BaseException, failed_s: float
    ) -> Outcome:
        """Answer a further attempt with the arguments that failed."""
        is_transient = CODES[code_of(error, self._view.kind).code].transient
        if not is_transient and repr(occurrence.inputs) not in self._flaky:
            self._now_s += self._target.success_s
            return Outcome(error=error)  # the same arguments fail in the same way
        soonest_s = self._target.recovers_after_s[number] if is_transient else None
        began_s = self._now_s
        self._now_s += self._target.success_s
        if soonest_s is not None:
            self._basis["recorded recovery times"] = None
            works = began_s - failed_s >= soonest_s
        elif self._target.success_ratio is not None:
            works = self._chance(self._target.success_ratio)
        else:
            raise NotRecorded
        return Outcome(Opaque("a result")) if works else Outcome(error=error)

    def _otherwise(
        self, arguments: Mapping[str, Any], occurrence: Occurrence, error: BaseException
    ) -> Outcome:
        """Answer an attempt with other arguments than those that failed."""
        raised = raised_limit(arguments, arguments_of(occurrence.inputs), self._limit)
        if raised:
            return self._longer(*raised, occurrence, error)
        if not self._neighbours.like(arguments):
            raise NotRecorded
        self._is_indirect = True
        self._basis["passing calls whose arguments are alike"] = None
        self._now_s += self._target.success_s
        return Outcome(Opaque("a result"))

    def _longer(
        self, before_s: float, after_s: float, occurrence: Occurrence, error: BaseException
    ) -> Outcome:
        durations = self._target.durations
        if durations is None or not cut_off_s(occurrence, self._limit):
            raise NotRecorded
        self._is_indirect = True
        words = (
            f"how long {durations.ended} recorded calls took and that {durations.cut_off} were cut "
            "off, as a log-normal distribution: beyond the limit nothing is recorded"
        )
        self._basis[words] = None
        works = self._random.random() < durations.ends_within(after_s, beyond_s=before_s)
        self._now_s += (before_s + after_s) / 2 if works else after_s
        return Outcome(Opaque("a result")) if works else Outcome(error=error)

    def _chance(self, ratio: float) -> bool:
        words = f"a simulated target that succeeds as often as was recorded ({ratio:.0%})"
        self._basis[words] = None
        return self._random.random() < ratio

    def _run(self, arguments: dict[str, Any], answer: Callable[[Step], Outcome]) -> Finished:
        world = World(
            clock_s=lambda: self._now_s,
            now=lambda: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=self._now_s),
            random=self._random.random,
            classify=code_of,
            meter=CountingMeter(),
            budget=TokenBucket(ratio=1.0, per_second=100.0, burst=1_000, now_s=self._now_s),
        )
        began_s = self._now_s
        self._plan.calls += 1
        steps = interpret(self._plan, arguments, world, lambda: "trial", began_s=began_s)
        try:
            step = next(steps)
            for _ in range(_MOST_STEPS):
                if isinstance(step, Sleep):
                    self._now_s += step.seconds
                    step = steps.send(Outcome())
                else:
                    step = steps.send(answer(step))
        except StopIteration as stop:
            finished: Finished = stop.value
            return finished
        finally:
            steps.close()
        raise NotRecorded

    def result(self) -> FixTrial:
        """Sum the calls up."""
        outcome, summary = self._verdict()
        tried = max(self.failing - self.unknown, 1)
        return FixTrial(
            fix_id=self._fix.fix_id,
            outcome=outcome,
            failing=self.failing,
            caught=self.caught,
            unknown=self.unknown,
            passing=self.passing,
            broken=self.broken,
            added_calls=self.added_calls,
            added_s=self.added_s / tried,
            basis=" and ".join(self._basis) or "recorded calls alone",
            indirect=self._is_indirect,
            summary=summary,
        )

    def _verdict(self) -> tuple[TrialOutcome, str]:
        caught = f"catches {self.caught} of {self.failing} failing calls"
        if self.broken:
            words = f"It would have changed {self.broken} of {self.passing} passing calls."
            return TrialOutcome.REJECTED, words
        if self.reworded:
            words = (
                f"It changes the system message of {self.reworded} of {self.passing} passing calls"
            )
            return TrialOutcome.INCONCLUSIVE, f"{words}; what a model answers then isn't recorded."
        if self.unknown and not self.caught:
            words = (
                f"Nothing is recorded of what {self.unknown} of {self.failing} calls would do then."
            )
            return TrialOutcome.INCONCLUSIVE, words
        if not self.failing:
            return TrialOutcome.INCONCLUSIVE, "No failing call is recorded in full."
        if self.caught < _WORTHWHILE * (self.failing - self.unknown):
            return TrialOutcome.REJECTED, f"It {caught}: too few."
        return (
            TrialOutcome.ACCEPTED,
            f"It {caught} and changes none of {self.passing} passing ones.",
        )


def _unfit(fix: Fix, reason: str) -> FixTrial:
    return FixTrial(
        fix_id=fix.fix_id,
        outcome=TrialOutcome.REJECTED,
        failing=0,
        caught=0,
        unknown=0,
        passing=0,
        broken=0,
        added_calls=0,
        added_s=0.0,
        basis="the site's signature",
        summary=f"It doesn't fit the site: {reason}.",
    )
