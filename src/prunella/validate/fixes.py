"""A fix on recorded calls: what it would have caught, cost and broken.

The calls go through the interpreter that runs in production, with a driver that stands in for the
world: a virtual clock, recorded outcomes, and, where an attempt was never recorded, what the
records say of how soon the target worked again. Nothing of the program runs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from prunella.codec import entries
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
from prunella.model.hypotheses import FixTrial, TrialOutcome
from prunella.model.records import Call, ExceptionInfo, Occurrence, Site
from prunella.model.roles import roles_of
from prunella.model.tree import Tree
from prunella.taxonomy import CODES, ErrorCode, classify_recorded

#: Failing and passing calls that are tried, at most.
MOST_CALLS = 200
#: Steps of one call after which a fix counts as endless.
_MOST_STEPS = 1_000
#: Share of the failing calls that a fix has to catch to be accepted.
_WORTHWHILE = 0.2


class NotRecorded(Exception):
    """The call that a fix makes here was never made before: nobody knows how it ends."""


class RecordedError(Exception):
    """Stands in for a recorded exception; never raised."""

    info: ExceptionInfo


@dataclass(frozen=True, slots=True)
class Opaque:
    """Stands in for a recorded value that isn't rebuilt outside the sandbox."""

    tree: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSite:
    """A `prunella.fixes.SiteView` of a recorded site."""

    site_id: str
    name: str
    kind: str
    shape: str
    parameters: tuple[str, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    roles: Mapping[str, str]
    #: What a repeated call would catch is told even where a person has to allow it first.
    idempotent: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is known of the function behind a site."""

    #: Seconds after the end of each failing call, in their order, from which on an attempt with the
    #: same arguments succeeds; ``None`` where no recovery was recorded.
    recovers_after_s: Sequence[float | None]
    #: Chance of a further attempt where there is no recovery time; ``None`` where no rate is known.
    success_ratio: float | None = None
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
    seed: int = 0,
) -> FixTrial:
    """Try a fix on recorded calls; the same records and seed give the same trial."""
    view = _view(site)
    unfit = misfit(fix, view)
    if unfit:
        return _unfit(fix, unfit)
    trial = _Trial(fix, view, target, Random(seed))  # noqa: S311 - a simulation, no secret
    for number, occurrence in enumerate(failing[:MOST_CALLS]):
        trial.fail(number, occurrence)
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
        self.added_calls = 0
        self.added_s = 0.0
        self._used_rates = False
        self._used_recoveries = False

    def _fresh_plan(self) -> Plan:
        return Plan(self._view, [Installed(Installation(fix=self._fix))])

    def fail(self, number: int, occurrence: Occurrence) -> None:
        """Try a failing call."""
        self.failing += 1
        self._plan = self._fresh_plan()  # calls that failed far apart know nothing of each other
        error = _stand_in(occurrence.exception)
        recorded = _arguments(occurrence.inputs)
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
            if attempts == 1 and _same(step.arguments, recorded):
                self._now_s += occurrence.duration_us / 1e6
                failed_s = self._now_s
                return Outcome(error=error)
            if attempts > 1:
                self.added_calls += 1
            if not _same(step.arguments, recorded):
                raise NotRecorded
            return self._again(number, error, failed_s or began_s)

        try:
            finished = self._run(recorded, answer)
        except NotRecorded:
            self.unknown += 1
            return
        self.caught += finished.outcome.error is None
        self.added_s += self._now_s - (failed_s or began_s)

    def succeed(self, call: Call) -> None:
        """Try a passing call: it has to stay as it was."""
        self.passing += 1
        recorded = _arguments(call.inputs)
        result = _plain(call.result)
        was_changed = False

        def answer(step: Step) -> Outcome:
            nonlocal was_changed
            if isinstance(step, Attempt):
                was_changed = was_changed or not _same(step.arguments, recorded)
                self._now_s += call.duration_us / 1e6
                return Outcome(result)
            was_changed = was_changed or isinstance(step, Invoke)
            return Outcome(result)

        finished = self._run(recorded, answer)
        kept = finished.outcome.error is None and finished.outcome.value is result
        self.broken += was_changed or not kept

    def _other(self, site: str) -> Outcome:
        ratio = self._target.others.get(site)
        if ratio is None:
            raise NotRecorded
        self._used_rates = True
        self._now_s += self._target.success_s
        if self._random.random() < ratio:
            return Outcome(Opaque(site))
        return Outcome(error=Unreachable(site))

    def _again(self, number: int, error: BaseException, failed_s: float) -> Outcome:
        """Answer a further attempt with the arguments that failed."""
        if not CODES[_code_of(error, self._view.kind).code].transient:
            self._now_s += self._target.success_s
            return Outcome(error=error)  # the same arguments fail in the same way
        soonest_s = self._target.recovers_after_s[number]
        self._now_s += self._target.success_s
        if soonest_s is not None:
            self._used_recoveries = True
            began_s = self._now_s - self._target.success_s
            works = began_s - failed_s >= soonest_s
        elif self._target.success_ratio is not None:
            self._used_rates = True
            works = self._random.random() < self._target.success_ratio
        else:
            raise NotRecorded
        return Outcome(Opaque("a result")) if works else Outcome(error=error)

    def _run(self, arguments: dict[str, Any], answer: Callable[[Step], Outcome]) -> Finished:
        world = World(
            clock_s=lambda: self._now_s,
            now=lambda: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=self._now_s),
            random=self._random.random,
            classify=_code_of,
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
        basis = []
        if self._used_recoveries:
            basis.append("recorded recovery times")
        if self._used_rates:
            basis.append("a simulated target with the recorded rate of successes")
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
            basis=" and ".join(basis) or "recorded calls alone",
            summary=summary,
        )

    def _verdict(self) -> tuple[TrialOutcome, str]:
        caught = f"catches {self.caught} of {self.failing} failing calls"
        if self.broken:
            words = f"It would have changed {self.broken} of {self.passing} passing calls."
            return TrialOutcome.REJECTED, words
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


# --- records as the interpreter takes them


def _view(site: Site) -> RecordedSite:
    return RecordedSite(
        site_id=site.site_id,
        name=site.qualname,
        kind=site.kind,
        shape=site.shape,
        parameters=site.parameters,
        roles=roles_of(site.parameters, {}),
    )


def _stand_in(info: ExceptionInfo) -> RecordedError:
    """Return an error whose class has the names of the recorded one and its bases."""
    cls: type = RecordedError
    for path in reversed(info.mro[:20]):
        module, _, qualname = path.rpartition(":")
        name = qualname.rpartition(".")[2][:100] or "Error"
        cls = type(name, (cls,), {"__module__": module, "__qualname__": qualname[:200] or name})
    error: RecordedError = cls(info.message)
    error.info = info
    return error


def _code_of(error: BaseException, kind: str) -> ErrorCode:
    if isinstance(error, RecordedError):
        return classify_recorded(error.info, kind=kind).code
    return CODES["TOOL.REGISTRY.UNKNOWN"]


def _arguments(inputs: Tree) -> dict[str, Any]:
    return {name: _plain(value) for name, value in entries(inputs)}


_CONTAINERS: Mapping[str, Callable[[list[Any]], Any]] = {"l": list, "t": tuple}


def _plain(tree: Tree) -> Any:
    """Return scalars, lists, tuples and dicts with text keys as they are, and the rest as `Opaque`."""
    if not isinstance(tree, list):
        return tree
    if tree and tree[0] in _CONTAINERS:
        return _CONTAINERS[str(tree[0])]([_plain(item) for item in tree[1:]])
    if tree and tree[0] == "d" and all(isinstance(key, str) for key in tree[1::2]):
        keys = (str(key) for key in tree[1::2])
        return dict(zip(keys, (_plain(item) for item in tree[2::2]), strict=False))
    return Opaque(repr(tree))


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one is other or one == other
