"""What shims leave to others: calls that fixes have more to do with than to change them.

A call that was changed without the interpreter is told of as the interpreter tells of it. Where one
fails, or a fix has more to do with its result, the interpreter goes on as if it had been there from
the start.
"""

from collections.abc import Sequence
from time import perf_counter
from types import FunctionType
from typing import TYPE_CHECKING, Any

from prunella.fixes import Arm, Attempt, Exposure, Finished, Installed, Outcome, Plan
from prunella.fixes.calm import Calm
from prunella.fixes.interpreter import before, proceed
from prunella.fixes.run import Run
from prunella.sdk.accounts import Account, Unit
from prunella.sdk.counters import note_fault
from prunella.sdk.drivers import (
    Around,
    AroundAsync,
    AroundAsyncGenerator,
    AroundGenerator,
    drive,
)
from prunella.sdk.site import Site
from prunella.sdk.trace import current

if TYPE_CHECKING:
    from prunella.sdk.fixing import Fixing

#: Looking a member up in its enumeration is slow on Python 3.11.
_TREATMENT = Arm.TREATMENT
_AROUND = {
    "sync": Around,
    "async": AroundAsync,
    "generator": AroundGenerator,
    "async_generator": AroundAsyncGenerator,
}

Values = Sequence[Any]
Begun = tuple[Run, Outcome | None]


class FixedCalls:
    """How the calls of one function are run under one plan.

    Everywhere, `values` are the arguments as the caller gave them, in the order of the parameters,
    `made` those that a fix made of them, ``None`` for a call of its control, and `unit` is what such
    a call is in a rollout, ``None`` where everybody gets the fix.
    """

    def __init__(self, fixing: "Fixing", site: Site, plan: Plan, function: FunctionType) -> None:
        self.fixing = fixing
        self.site = site
        self.plan = plan
        self.around: Around = _AROUND[plan.site.shape](
            function, plan.site.parameters, fixing.callee
        )
        if plan.site.shape not in ("async", "async_generator"):
            self.around.invoke = fixing.callee_now
        calm = Calm(plan, self._account)
        self.ask, self.calm_after = calm.before, calm.after
        #: A changed call is made like any other: its time isn't limited from outside.
        self._is_plain = not calm.is_timed

    def _account(self, installed: Installed) -> Account | None:
        """Return what calls that a fix changes at once are counted by; ``None``: none is."""
        try:
            return self.fixing.account(installed)
        except Exception as error:  # noqa: BLE001 - the fixes must never harm the program
            note_fault("fixes", error)
            return None

    def is_off(self) -> bool:
        """Tell whether no fix may act now."""
        return self.fixing.is_off(perf_counter())

    # --- what isn't left to the interpreter

    def remember(self, values: Values, result: Any) -> None:
        """Keep the result of a good call that no fix has changed, where a fallback wants it."""
        plan = self.plan
        plan.memory.keep(self.around.named(values), result, perf_counter(), plan.remembers_s)

    def ended(self, account: Account, made: Values | None, values: Values, result: Any) -> None:
        """Take in that a call has succeeded that met a fix, and no fix has more to do with it."""
        breaker = account.breaker
        if made is None:
            breaker.control(failed=False)
            if self.plan.remembers_s:
                self.remember(values, result)
            return
        breaker.treated(failed=False, as_before=False)
        if current.get() is not None:
            finished = Finished(Outcome(result), account.installed.fix_id, altered=True)
            self.fixing.told(self.site, self.around.named(values), finished)

    # --- what is

    async def interpret(self, values: Values, began_s: float) -> Finished:
        """Run a call in which no fix has acted yet."""
        if self.is_off():
            return Finished(await self.around.perform(Attempt(self.around.named(values))))
        run, outcome = self.start(values, began_s)
        is_first = outcome is None and self._is_plain and not (run.goal or self.plan.is_wary)
        if is_first:
            outcome = await self.around.perform(Attempt(run.arguments))
            if outcome.error is None and self._is_ended(run, outcome):
                return Finished(outcome)
        return await self.drive(run, outcome, is_first=is_first)

    async def go_on(self, values: Values, began_s: float, outcome: Outcome) -> Finished:
        """Run a call on from its first attempt, before which no fix has acted."""
        return await self.drive(self._begun(values, began_s), outcome, is_first=True)

    async def resume(
        self,
        account: Account,
        unit: Unit | None,
        made: Values | None,
        values: Values,
        began_s: float,
        outcome: Outcome,
    ) -> Finished:
        """Run a call on from its first attempt, before which it met a fix."""
        run = self._begun(values, began_s)
        try:
            installed = account.installed
            exposure = unit or Exposure(installed.fix_id, "", _TREATMENT, began_s)
            arguments = self.around.named(values if made is None else made)
            run.resumes(installed, exposure, arguments)
        except Exception as error:  # noqa: BLE001 - as in `_account`
            note_fault("fixes", error)
        return await self.drive(run, outcome, is_first=True)

    def start(self, values: Values, began_s: float) -> Begun:
        """Let fixes change a call; return its interpretation and what takes the call's place."""
        run = self._begun(values, began_s)
        try:
            return run, before(run)
        except Exception as error:  # noqa: BLE001 - as in `_account`
            note_fault("fixes", error)
            return self._begun(values, began_s), None

    def _begun(self, values: Values, began_s: float) -> Run:
        fixing, arguments = self.fixing, self.around.named(values)
        return Run(self.plan, arguments, fixing.world, fixing.unit, began_s=began_s)

    def _is_ended(self, run: Run, outcome: Outcome) -> bool:
        """Tell whether a changed call is over with its result: no fix has more to do with it."""
        calm_after = self.calm_after
        if self.plan.remembers_s or not (calm_after is None or calm_after(outcome.value)):
            return False
        try:
            self.fixing.told(self.site, run.given, run.finish(run.paid(outcome)))
        except Exception as error:  # noqa: BLE001 - as in `_account`
            note_fault("fixes", error)
        return True

    async def drive(self, run: Run, outcome: Outcome | None, *, is_first: bool) -> Finished:
        """Interpret a call from its first attempt on, as `prunella.fixes.interpreter.proceed`."""
        steps = proceed(run, outcome, is_first=is_first)
        finished = await drive(self.around, steps, run.given)
        self.fixing.told(self.site, run.given, finished)
        return finished


def given(finished: Finished) -> Any:
    """Return what a call has come to, or raise it."""
    error = finished.outcome.error
    if error is None:
        return finished.outcome.value
    try:
        raise error
    finally:
        del error, finished  # or the frames in its traceback would hold it for ever
