"""The interpreter without a program: scripted outcomes, a virtual clock, no chance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from prunella.fixes import (
    Attempt,
    CountingMeter,
    Finished,
    Installation,
    Installed,
    Invoke,
    Mode,
    Outcome,
    Plan,
    Sleep,
    TokenBucket,
    Unreachable,
    World,
    interpret,
    parse,
)
from prunella.fixes.run import unknown_cost


class Code(NamedTuple):
    code: str
    transient: bool
    healable_by: tuple[str, ...]


def classify(error: BaseException, _kind: str = "function") -> Code:
    """Timeouts are a tool's and transient, as all connection errors; the rest is a bug."""
    if isinstance(error, TimeoutError):
        return Code("TOOL.EXECUTION.TIMEOUT", True, ("retry", "fallback"))
    if isinstance(error, ConnectionError):
        return Code("NET.CONNECT.FAILED", True, ("retry", "fallback"))
    return Code(f"CODE.LOGIC.{type(error).__name__.upper()}", False, ())


@dataclass(frozen=True)
class Place:
    """A site that exists only on paper."""

    site_id: str = "weather:fetch"
    name: str = "fetch"
    kind: str = "tool"
    shape: str = "sync"
    parameters: tuple[str, ...] = ("city", "limit")
    defaults: Mapping[str, Any] = field(default_factory=lambda: {"limit": 5})
    roles: Mapping[str, str] = field(default_factory=dict)
    idempotent: bool = True


class Scene:
    """Calls of one site under some fixes. Time passes only by waits and by `took_s` of each attempt."""

    def __init__(self, *documents: Mapping[str, Any], place: Place | None = None, **options: Any):
        self.place = place or Place()
        self.now_s = 1_000.0
        self.took_s = 0.0
        self.meter = options.pop("meter", None) or CountingMeter()
        shadow = Mode.SHADOW if options.pop("shadow", False) else Mode.ENFORCE
        self.installed = [Installed(Installation(fix=parse(d), mode=shadow)) for d in documents]
        self.plan = Plan(self.place, self.installed)
        self.world = World(
            clock_s=lambda: self.now_s,
            now=lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now_s - 1_000),
            random=options.pop("random", lambda: 0.5),
            classify=options.pop("classify", classify),
            meter=self.meter,
            cost_of=options.pop("cost_of", unknown_cost),
            budget=options.pop("budget", None)
            or TokenBucket(ratio=0.2, per_second=10, burst=100, now_s=self.now_s),
        )
        self.others: dict[str, Callable[[dict[str, Any]], Any]] = options.pop("others", {})
        #: What was done: arguments of attempts, seconds of waits, names of sites.
        self.attempts: list[dict[str, Any]] = []
        self.waits: list[float] = []
        self.invoked: list[str] = []
        assert not options, options

    def call(self, answers: Sequence[Any] | Callable[..., Any], **arguments: Any) -> Finished:
        """Interpret one call whose attempts end as `answers` say: an exception, or a value."""
        self.now_s += 0.001
        given = {"city": "Bonn", **self.place.defaults, **arguments}
        left = None if callable(answers) else list(answers)
        steps = interpret(self.plan, given, self.world, lambda: "unit", began_s=self.now_s)
        self.plan.calls += 1
        sent: Any = None
        while True:
            try:
                step = steps.send(sent)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # what interpretations return
            sent = self._do(step, answers if left is None else left)

    def _do(self, step: Any, answers: Any) -> Outcome:
        if isinstance(step, Sleep):
            self.waits.append(round(step.seconds, 6))
            self.now_s += step.seconds
            return Outcome()
        self.now_s += self.took_s
        try:
            if isinstance(step, Invoke):
                self.invoked.append(step.site)
                if step.site not in self.others:
                    raise Unreachable(f"there is no {step.site}")
                found = self.others[step.site](step.arguments)
            else:
                assert isinstance(step, Attempt)
                self.attempts.append(step.arguments)
                found = answers(**step.arguments) if callable(answers) else answers.pop(0)
        except BaseException as error:  # noqa: BLE001 - as every driver does
            return Outcome(error=error)
        return Outcome(error=found) if isinstance(found, BaseException) else Outcome(found)

    def counts(self, fix_id: str = "fix") -> Any:
        return self.meter.counts(fix_id)


def fix(fix_type: str, fix_id: str = "fix", target: Any = None, **config: Any) -> dict[str, Any]:
    """Return a fix document."""
    found: dict[str, Any] = {"fix_id": fix_id, "fix_type": fix_type, "config": config}
    return found | ({"target": target} if target else {})
