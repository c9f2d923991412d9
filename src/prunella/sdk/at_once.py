"""Calls that one fix changes, or leaves to its control, without the interpreter.

What is told of them is what the interpreter tells; where such a call fails, or a fix has more to do
with its result, the interpreter goes on as if it had been there from the start.
"""

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from prunella.fixes import Arm, Exposure, Finished, Installed, Outcome, Plan
from prunella.fixes.breaker import Breaker
from prunella.fixes.calm import Calm, Changed
from prunella.fixes.run import PAID, Run
from prunella.sdk.accounts import Account, Unit
from prunella.sdk.counters import note_fault
from prunella.sdk.drivers import Around
from prunella.sdk.site import Site
from prunella.sdk.trace import current

if TYPE_CHECKING:
    from prunella.sdk.fixing import Fixing

#: Looking a member up in its enumeration is slow on Python 3.11.
_CONTROL, _TREATMENT = Arm.CONTROL, Arm.TREATMENT

Dealt = tuple[Sequence[Any], dict[str, Any], Unit | None, bool, Installed]
"""How a call that met a fix is made: arguments, its unit in a rollout, whether it is changed, the fix.

The unit is ``None`` where everybody gets the fix; what isn't changed is control.
"""


class AtOnce:
    """The calls of one function on which one fix acts before they are made."""

    def __init__(
        self, fixing: "Fixing", site: Site, plan: Plan, around: Around, calm: Calm
    ) -> None:
        self._fixing = fixing
        self._site = site
        self._plan = plan
        self._around = around
        self._calm_after = calm.after
        self._is_paid = plan.site.kind in PAID
        self._accounts: dict[Installed, Account] = {}
        self._meter = fixing.meter

    def deal(
        self, changed: Changed, args: tuple[Any, ...], kwargs: dict[str, Any], began_s: float
    ) -> Dealt | None:
        """Count a call; return how it is to be made, ``None`` where the interpreter has to say."""
        actor, unit = changed[3], None
        if actor is None or not actor.is_on:  # it may have been switched off just now
            return None
        try:
            account = self._accounts.get(actor)
            if (
                account is None
                or account.installation is not actor.installation
                or self._meter is not self._fixing.meter
            ):
                account = self._renewed(actor)
            counted, deal = account.counted, account.deal
            if counted is None:
                return None
            if deal is not None:
                unit = deal(began_s)
                if unit.arm is _CONTROL:
                    return args, kwargs, unit, False, actor
            counted.at_once += 1
            account.latest["acted"] = changed[2]
        except Exception as error:  # noqa: BLE001 - the fixes must never harm the call
            note_fault("fixes", error)
            return None
        return changed[0], changed[1], unit, True, actor

    def _renewed(self, actor: Installed) -> Account:
        installation, meter = actor.installation, self._fixing.meter
        if self._meter is not meter:
            self._accounts = {}
            self._meter = meter
        # What is in shadow tells what it would do, and that is the interpreter's to say.
        account = Account(installation) if actor.is_shadow else self._fixing.account(installation)
        self._accounts[actor] = account
        return account

    def is_over(
        self,
        dealt: Dealt,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        began_s: float,
        result: Any,
    ) -> bool:
        """Take in that a call has succeeded, unless fixes have more to do with its result."""
        if not (self._calm_after is None or self._calm_after(result)):
            return False
        try:
            _, _, unit, is_changed, actor = dealt
            if unit is not None:
                latency_s = perf_counter() - began_s
                cost = self._fixing.world.cost_of(result) if self._is_paid else None
                self._meter.ended(unit, failed=False, latency_s=latency_s, cost=cost)
            if actor.breaker.listens:
                _tell(actor.breaker, is_changed)
            if is_changed:
                if current.get() is not None:
                    finished = Finished(Outcome(result), actor.fix_id, altered=True)
                    self._fixing.told(self._site, self._around.named(args, kwargs), finished)
            elif self._plan.remembers_s:
                named, age_s = self._around.named(args, kwargs), self._plan.remembers_s
                self._plan.memory.keep(named, result, perf_counter(), age_s)
        except Exception as error:  # noqa: BLE001 - as in `deal`
            note_fault("fixes", error)
        return True

    def resume(self, run: Run, dealt: Dealt, began_s: float) -> None:
        """Bring the interpretation of a call to where the call is."""
        exposure = dealt[2] or Exposure(dealt[4].fix_id, "", _TREATMENT, began_s)
        run.resumes(dealt[4], exposure, self._around.named(dealt[0], dealt[1]))


def _tell(breaker: Breaker, is_changed: bool) -> None:
    if is_changed:
        breaker.treated(failed=False, as_before=False)
    else:
        breaker.control(failed=False)
