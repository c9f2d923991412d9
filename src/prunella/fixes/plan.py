"""The fixes that are in force at a site, and what they remember from call to call."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any

from prunella.fixes.breaker import Breaker
from prunella.fixes.budgets import Circuit, TokenBucket
from prunella.fixes.configs import TYPES, Fallback, Retry
from prunella.fixes.document import Fix
from prunella.fixes.meter import Installation, Mode
from prunella.fixes.plain import NotPlain, bounded_copy, frozen
from prunella.fixes.steps import SiteView

#: Looking a member up in its enumeration is slow on Python 3.11.
_SHADOW = Mode.SHADOW
#: Errors of its own after which a fix is switched off for the process.
TOLERATED = 5
#: Results that one fix remembers of one site.
MAX_REMEMBERED = 256
#: A remembered result is renewed when it has this share of its greatest age.
RENEWAL = 0.1


class Installed:
    """A fix in this process: its installation, and its state over all sites."""

    def __init__(self, installation: Installation) -> None:
        self.fix: Fix = installation.fix
        #: The fix in this process; its mode and allocation may change.
        self.installation = installation
        self.fix_id = installation.fix.fix_id
        self.faults = 0
        #: It may do what it is for.
        self.is_on = True
        self._disabled = ""
        self._switched_off = False
        #: What has been told once already.
        self.told: set[str] = set()
        self.breaker = Breaker(acts_after_failure=self.fix.fix_type in ("retry", "fallback"))
        self._lock = Lock()
        self._circuits: dict[str, Circuit] = {}
        self._buckets: dict[str, TokenBucket] = {}

    @property
    def disabled(self) -> str:
        """Why it was switched off by itself; ``""`` while it wasn't."""
        return self._disabled

    @disabled.setter
    def disabled(self, why: str) -> None:
        self._disabled = why
        self.is_on = not (self._disabled or self._switched_off)

    @property
    def switched_off(self) -> bool:
        """An operator has switched it off in this process."""
        return self._switched_off

    @switched_off.setter
    def switched_off(self, is_off: bool) -> None:
        self._switched_off = is_off
        self.is_on = not (self._disabled or self._switched_off)

    @property
    def is_shadow(self) -> bool:
        """It only tells what it would do."""
        mode = getattr(self.fix.config, "mode", "enforce")
        return self.installation.mode is _SHADOW or mode == "shadow"

    def circuit(self, target: str) -> Circuit:
        """Return the circuit of a target of a fallback."""
        config = self.fix.config
        if not isinstance(config, Fallback):
            raise TypeError(f"{self.fix.fix_type} has no circuits")
        with self._lock:
            found = self._circuits.get(target)
            if found is None:
                found = self._circuits[target] = Circuit(
                    open_after=config.open_after, cooldown_s=config.cooldown_s
                )
            return found

    def bucket(self, target: str, now_s: float) -> TokenBucket:
        """Return the budget for retries of a target."""
        config = self.fix.config
        if not isinstance(config, Retry):
            raise TypeError(f"{self.fix.fix_type} has no budget")
        with self._lock:
            found = self._buckets.get(target)
            if found is None:
                budget = config.budget
                found = self._buckets[target] = TokenBucket(
                    ratio=budget.ratio,
                    per_second=budget.per_second,
                    burst=budget.burst,
                    now_s=now_s,
                )
            return found


class Memory:
    """The last good results of a site by its arguments: plain data alone."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._results: OrderedDict[Any, tuple[float, Any]] = OrderedDict()

    def keep(self, arguments: Mapping[str, Any], result: Any, now_s: float, age_s: float) -> None:
        """Remember a result, unless one as young as a tenth of `age_s` is remembered."""
        try:
            key = frozen(dict(arguments))
            found = self._results.get(key)
            if found is not None and now_s - found[0] < age_s * RENEWAL:
                return
            value = bounded_copy(result)
        except NotPlain:
            return
        with self._lock:
            self._results[key] = (now_s, value)
            self._results.move_to_end(key)
            if len(self._results) > MAX_REMEMBERED:
                self._results.popitem(last=False)

    def find(self, arguments: Mapping[str, Any], now_s: float, age_s: float) -> Any:
        """Return the last result of equal arguments; raises `LookupError` if there is none."""
        try:
            found = self._results.get(frozen(dict(arguments)))
        except NotPlain as error:
            raise LookupError(f"arguments can't be compared: {error}") from None
        if found is None or now_s - found[0] > age_s:
            raise LookupError("no good result of these arguments is remembered")
        return bounded_copy(found[1])


class Plan:
    """What happens around the calls of one site; made anew when its fixes change."""

    def __init__(self, site: SiteView, installed: Iterable[Installed]) -> None:
        self.site = site
        ranked = sorted(installed, key=_rank, reverse=True)
        self.of: dict[str, tuple[Installed, ...]] = {
            name: tuple(each for each in ranked if each.fix.fix_type == name) for name in TYPES
        }
        self.installed = tuple(ranked)
        #: A target has failed lately: the first attempt isn't free any more.
        self.is_wary = False
        #: The age up to which results are remembered; 0 for none.
        self.remembers_s = max((_age_s(each.fix.config) for each in ranked), default=0.0)
        self.memory = Memory()
        #: Calls since they were last counted towards budgets; a lost update does no harm.
        self.calls = 0

    def active(self, name: str) -> list[Installed]:
        """Return the fixes of a type that are on, those that come first at the front."""
        found = self.of[name]
        return [each for each in found if each.is_on] if found else []

    def take_calls(self) -> int:
        """Return the calls since the last time."""
        calls, self.calls = self.calls, 0
        return calls


def _rank(installed: Installed) -> tuple[int, float, str]:
    """Specificity, then confidence, then recency."""
    fix = installed.fix
    return (fix.specificity, fix.confidence or 0.0, fix.created_at or "")


def _age_s(config: Any) -> float:
    if not isinstance(config, Fallback):
        return 0.0
    return max((link.last_good.max_age_s for link in config.chain if link.last_good), default=0.0)
