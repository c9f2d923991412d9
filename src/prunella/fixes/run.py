"""One call under interpretation: what has happened to it so far, and what is told about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from prunella.fixes.arguments import get
from prunella.fixes.budgets import TokenBucket
from prunella.fixes.meter import Arm, Exposed, Meter
from prunella.fixes.patterns import TooMuch
from prunella.fixes.plan import TOLERATED, Installed, Plan
from prunella.fixes.steps import STREAMS, Classify, CodeInfo, Finished, Outcome
from prunella.model.interruption import pass_on

T = TypeVar("T")
#: Kinds of sites whose answers may say what they cost.
PAID = frozenset({"llm", "agent"})
#: Looking a member up in its enumeration is slow on Python 3.11.
_CONTROL, _TREATMENT = Arm.CONTROL, Arm.TREATMENT


def unknown_cost(_answer: Any) -> None:
    """Return that nobody knows what an answer has cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the interpreter takes from outside: time, chance, judgement, and whom it tells."""

    #: Monotonic seconds.
    clock_s: Callable[[], float]
    #: The wall clock, which servers' dates refer to.
    now: Callable[[], datetime]
    #: A number from 0 to 1.
    random: Callable[[], float]
    classify: Classify
    meter: Meter
    #: The retries of the whole process.
    budget: TokenBucket
    #: What an answer of a model has cost, ``None`` where it doesn't say; in one unit for all.
    cost_of: Callable[[Any], float | None] = unknown_cost


class Run:
    """The state of one call. Its methods raise nothing but what `arguments` and configs raise."""

    __slots__ = (
        "_acts", "_codes", "_exposures", "_itself", "_met", "_stands", "_unit", "altered",
        "arguments", "began_s", "cost", "degraded", "first_error", "fix_id", "given", "goal",
        "plan", "router", "site", "world",
    )  # fmt: skip

    def __init__(
        self,
        plan: Plan,
        arguments: dict[str, Any],
        world: World,
        unit: Callable[[], str],
        *,
        began_s: float,
    ) -> None:
        self.plan = plan
        self.site = plan.site
        #: As the caller gave them, and as fixes have made them.
        self.given = self.arguments = arguments
        self.world = world
        self.began_s = began_s
        #: A site that the call is sent to instead.
        self.goal = ""
        #: The routing fix that sends it there.
        self.router: Installed | None = None
        self.fix_id: str | None = None
        self.degraded = False
        self.altered = False
        self.first_error: BaseException | None = None
        #: What all attempts have cost together, as far as they say.
        self.cost: float | None = None
        self._unit = unit
        #: What the call is allocated by, once a fix has met it.
        self._itself = ""
        self._exposures: list[tuple[Installed, Exposed, BaseException | None]] = []
        #: Fix id to whether it acts on this call.
        self._acts: dict[str, bool] = {}
        self._met: set[str] = set()
        #: Fixes whose objection to the result nobody has met.
        self._stands: tuple[str, ...] = ()
        self._codes: dict[int, tuple[BaseException, CodeInfo]] = {}

    # --- what fixes ask

    def has_met(self, fix_type: str) -> bool:
        """Tell whether a fix of this type has taken up the call already: no other one does."""
        return fix_type in self._met

    def meets(
        self,
        installed: Installed,
        would: str,
        *,
        error: BaseException | None = None,
    ) -> bool | None:
        """Tell of a trigger; return whether the fix acts, ``None`` where it only would (shadow).

        `would` says what it does. `error` is what it acts after.
        """
        if installed.is_shadow:
            self.world.meter.noted(installed.fix_id, "shadow", would)
            return None
        acts = self._acts.get(installed.fix_id)
        if acts is not None:  # it acts at several moments of one call, which is one unit
            return acts
        exposure = self.world.meter.triggered(
            installed.installation, self._unit_of(installed), self.world.clock_s()
        )
        return self._dealt(installed, exposure, error)

    def _dealt(
        self, installed: Installed, exposure: Exposed | None, error: BaseException | None
    ) -> bool:
        """Take in the arm of a call that meets a fix; return whether the fix acts."""
        if exposure is not None:
            self._exposures.append((installed, exposure, error))
        acts = exposure is not None and exposure.arm is _TREATMENT
        allocation = installed.installation.allocation
        # Rivals share their control: what none of them acts on is met by each.
        if acts or allocation is None or allocation.lot is None:
            self._met.add(installed.fix.fix_type)
        self._acts[installed.fix_id] = acts
        return acts

    def _unit_of(self, installed: Installed) -> str:
        name = installed.fix.sticky_key
        if name is not None:
            value = get(self.site, self.arguments, name)
            if type(value) in (str, int):
                return f"{name}={value}"
        if not self._itself:
            # One for all fixes that the call meets, so that rivals deal it by the same hash.
            self._itself = self._unit()
        return self._itself

    def stands(self, installed: Installed) -> None:
        """Remember that a fix objects to the result, which stays as it is: the call has failed."""
        self._stands = (*self._stands, installed.fix_id)

    def resumes(self, installed: Installed, exposure: Exposed, changed: dict[str, Any]) -> None:
        """Go on where a fix has changed the call already, or not: all of that has been told.

        `changed` are the arguments by which the call was made.
        """
        if self._dealt(installed, exposure, None):
            self.arguments = changed
            self.fix_id = installed.fix_id
            self.altered = True

    def acted(
        self, installed: Installed, what: str, *, altered: bool = False, degraded: bool = False
    ) -> None:
        """Remember that a fix has acted, and on what."""
        self.fix_id = installed.fix_id
        self.altered = self.altered or altered
        self.degraded = self.degraded or degraded
        self.world.meter.noted(installed.fix_id, "acted", what)

    def skipped(self, installed: Installed, why: str) -> None:
        """Tell that a fix could do nothing."""
        self.world.meter.noted(installed.fix_id, "skipped", why)

    def code_of(self, error: BaseException) -> CodeInfo:
        """Return what the taxonomy says of an error, asked once."""
        found = self._codes.get(id(error))
        if found is None:
            found = self._codes[id(error)] = (error, self.world.classify(error, self.site.kind))
        return found[1]

    def paid(self, outcome: Outcome) -> Outcome:
        """Take in what an attempt has cost; return its outcome."""
        if outcome.error is None and self.site.kind in PAID:
            cost = self.world.cost_of(outcome.value)
            if cost is not None:
                self.cost = cost + (self.cost or 0.0)
        return outcome

    # --- faults

    def safely(self, installed: Installed, function: Callable[..., T], *args: Any) -> T | None:
        """Return what a fix computes, ``None`` where it fails: the call goes on without it."""
        try:
            return function(*args)
        except TooMuch as error:
            self.skipped(installed, str(error))
        except Exception as error:  # noqa: BLE001 - a fix must never harm the call
            pass_on(error)
            self.fault(installed, error)
        return None

    def fault(self, installed: Installed, error: Exception) -> None:
        """Count an error of a fix, and switch the fix off when it was one too many."""
        installed.faults += 1
        meter = self.world.meter
        meter.noted(installed.fix_id, "fault", f"{type(error).__name__}: {error}"[:300])
        if installed.faults >= TOLERATED:
            self._disable(installed, f"{installed.faults} errors of its own, the last: {error}")

    def _disable(self, installed: Installed, why: str) -> None:
        if not installed.disabled:
            installed.disabled = why[:300]
            self.world.meter.noted(installed.fix_id, "disabled", installed.disabled)

    # --- the end

    def finish(self, outcome: Outcome) -> Finished:
        """Tell of the end of all exposures, and sum the call up.

        A stream that has begun ends later: `Finished.at_end` is then to be called.
        """
        error = outcome.error
        at_end = None
        if error is None and self._exposures and self.site.shape in STREAMS:
            at_end = self._end
        else:
            self._end(error)
        masked = None
        if error is None and self.first_error is not None and self.fix_id is not None:
            masked = (self.first_error, self.fix_id)
            self.world.meter.noted(self.fix_id, "healed", type(self.first_error).__name__)
        altered = self.altered or self.degraded
        return Finished(outcome, self.fix_id, self.degraded, altered, masked, at_end)

    def _end(self, error: BaseException | None) -> None:
        latency_s = self.world.clock_s() - self.began_s
        for installed, exposure, before in self._exposures:
            self.safely(installed, self._tell_end, installed, exposure, before, error, latency_s)

    def _tell_end(
        self,
        installed: Installed,
        exposure: Exposed,
        before: BaseException | None,
        after: BaseException | None,
        latency_s: float,
    ) -> None:
        # A call that was called off has failed: left out, or taken for a success, it would speak
        # for fixes that make callers wait until they give up.
        failed = after is not None or installed.fix_id in self._stands
        self.world.meter.ended(exposure, failed=failed, latency_s=latency_s, cost=self.cost)
        if after is not None and not isinstance(after, Exception):
            return  # which says nothing of total failure
        breaker = installed.breaker
        if exposure.arm is _CONTROL:
            breaker.control(failed=after is not None)
            return
        as_before = (
            before is not None
            and after is not None
            and self.code_of(before).code == self.code_of(after).code
        )
        if breaker.treated(failed=after is not None, as_before=as_before):
            self._disable(installed, f"every call that got it failed, the last: {after}"[:300])


def is_healable(error: BaseException) -> bool:
    """Tell whether an error may be healed at all.

    Never are cancellation and the ends of program and iteration, nor a stack or a memory that is
    used up, which a further attempt would only meet again.
    """
    return (
        isinstance(error, Exception)
        and not isinstance(error, _HOPELESS)
        and type(error).__name__ != "CancelledError"
    )


_HOPELESS = (StopIteration, StopAsyncIteration, MemoryError, RecursionError)


def names_error(patterns: tuple[str, ...], error: BaseException, code: str) -> bool:
    """Tell whether one of the patterns names the error: by its code or by its class."""
    classes = {
        text
        for cls in type(error).__mro__
        for text in (
            cls.__name__,
            f"{cls.__module__}:{cls.__qualname__}",
            f"{cls.__module__}.{cls.__qualname__}",
        )
    }
    return any(
        pattern == code
        or pattern in classes
        or (pattern.endswith(".*") and code.startswith(pattern[:-1]))
        for pattern in patterns
    )
