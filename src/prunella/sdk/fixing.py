"""The fixes of this process: installed on sites, taken off again, switched off.

A site's fixes are one `Plan`; installing rebuilds it and puts a shim into the closure cell of each
wrapper of the site. Sites that appear later get theirs when they are decorated.
"""

import itertools
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from threading import RLock
from time import perf_counter
from types import CellType, FunctionType
from typing import Any

from prunella.fixes import (
    CountingMeter,
    Finished,
    FixCounts,
    Installation,
    Installed,
    Meter,
    Plan,
    TokenBucket,
    Unreachable,
    World,
    is_aimed_at,
    misfit,
)
from prunella.fixes.budgets import PROCESS_BURST, PROCESS_PER_SECOND, PROCESS_RATIO
from prunella.model.clock import now
from prunella.model.project import FIXES_OFF, fixes_off_name
from prunella.sdk import counters, runtime
from prunella.sdk.accounts import Account
from prunella.sdk.metering import RolloutMeter
from prunella.sdk.shims import BARE, shim_of
from prunella.sdk.site import Site, all_sites
from prunella.sdk.usage import Prices, cost_of, prices_of
from prunella.sdk.views import View, bound, view_of
from prunella.taxonomy import ErrorCode, classify

#: Fixes whose counts one process keeps.
MAX_COUNTED = 200
NOTHING = FixCounts()
_log = logging.getLogger("prunella.fixes")
#: How often it is looked whether the operator's file is there, in seconds.
SWITCH_S = 1.0


class Fixing:
    """All installed fixes and where they act. One instance, made by the first `install`."""

    def __init__(self) -> None:
        self._lock = RLock()
        #: By hand, and by `replace`; what a person does in the program itself comes first.
        self._by_hand: dict[str, Installed] = {}
        self._fed: dict[str, Installed] = {}
        #: Ids of the fixes that are counted, the oldest first.
        self._seen: dict[str, None] = {}
        self._plans: dict[int, Plan] = {}
        self._numbers = itertools.count()
        self.environment = ""
        self._host = host = runtime.host()
        self._left_out: frozenset[str] = frozenset()
        self._prices: Prices = {}
        if host is not None:
            self._prices = prices_of(host.settings.llm_prices)
            self.environment = host.settings.environment
            names = host.settings.fixes_left_out.split(",")
            self._left_out = frozenset(name.strip() for name in names)
        self._switched_off = False
        self._look_s = 0.0
        #: Until then nothing is switched off, so that nobody has to ask `is_off`.
        self.on_until_s = 0.0
        self.renew()

    def renew(self) -> None:
        """Become those of a process of its own: at the start, and in a forked child."""
        self._lock = RLock()
        self._unique = os.urandom(6).hex()
        self._budget = TokenBucket(
            ratio=PROCESS_RATIO,
            per_second=PROCESS_PER_SECOND,
            burst=PROCESS_BURST,
            now_s=perf_counter(),
        )
        self.set_meter(RolloutMeter(self._report))

    def set_meter(self, meter: Meter) -> None:
        """Let `meter` decide arms and take in how calls ended, from the next call on."""
        self.meter = meter
        self.world = World(
            clock_s=perf_counter,
            now=now,
            random=Random().random,  # noqa: S311 - spreads waits, keeps no secret
            classify=_classify,
            meter=meter,
            budget=self._budget,
            cost_of=partial(cost_of, prices=self._prices),
        )
        self._renew_shims()

    def shipment(self, process_id: str, *, at_exit: bool = False) -> dict[str, Any] | None:
        """Return what the meter has to ship, as in `RolloutMeter.shipment`."""
        meter = self.meter
        if not isinstance(meter, RolloutMeter):
            return None
        for rollout_id, calls in self._calls().items():
            meter.quiet(rollout_id, calls)
        return meter.shipment(process_id, at_exit=at_exit)

    def _calls(self) -> dict[str, int]:
        """Return how many calls the sites of each rollout have had in this process."""
        found: dict[str, int] = {}
        with self._lock:
            for site in all_sites():
                plan = self._plans.get(id(site))
                if plan is None:
                    continue
                site.settle()
                for each in plan.installed:
                    allocation = each.installation.allocation
                    if allocation is not None:
                        found[allocation.salt] = found.get(allocation.salt, 0) + site.calls
        return found

    def unsent(self) -> None:
        """Take back that the last shipment was sent."""
        if isinstance(self.meter, RolloutMeter):
            self.meter.unsent()

    # --- what is installed

    def install(self, installation: Installation) -> None:
        """Put a fix in force by hand, in place of one with the same id."""
        with self._lock:
            self._by_hand[installation.fix.fix_id] = Installed(installation)
            self._apply()

    def remove(self, fix_id: str) -> bool:
        """Take a fix off that was installed by hand; return whether there was one."""
        with self._lock:
            found = self._by_hand.pop(fix_id, None) is not None
            if found:
                self._apply()
            return found

    def replace(self, installations: Sequence[Installation]) -> None:
        """Make these the fixes that aren't installed by hand, all of them and no others.

        One whose document is the same keeps what it has counted and learnt, also where its mode or
        its allocation is another. Calling it again with the same installations changes nothing.
        """
        with self._lock:
            before, self._fed, is_other = self._fed, {}, False
            for installation in installations:
                fix_id = installation.fix.fix_id
                kept = before.get(fix_id)
                if kept is None or kept.fix != installation.fix:
                    kept = Installed(installation)
                elif kept.installation != installation:
                    kept.installation, is_other = installation, True
                self._fed[fix_id] = kept
            if is_other or list(before.values()) != list(self._fed.values()):
                self._apply()

    def installed(self) -> list[Installed]:
        """Return the fixes that are in force, and those that switched themselves off."""
        with self._lock:
            return list((self._fed | self._by_hand).values())

    def counted(self) -> dict[str, FixCounts]:
        """Return what each fix did that is or was in force, as far as it met anything."""
        found = {}
        for fix_id in list(self._seen):
            counts = self.meter.counts(fix_id) if isinstance(self.meter, CountingMeter) else NOTHING
            if counts != NOTHING:
                found[fix_id] = counts
        return found

    def attach(self, site: Site, wrapper: FunctionType) -> None:
        """Give a wrapper that was just made the fixes of its site."""
        with self._lock:
            plan = self._plans.get(id(site)) or self._planned(site)
            if plan is not None:
                self._plans[id(site)] = plan
                self._put(site, wrapper, plan)

    def _apply(self) -> None:
        self._look_s = self.on_until_s = 0.0
        for each in self.installed():
            self._seen[each.fix_id] = None
        while len(self._seen) > MAX_COUNTED:
            self._seen.pop(next(iter(self._seen)))
        for site in all_sites():
            plan = self._planned(site)
            before = self._plans.pop(id(site), None)
            if plan is not None:
                self._plans[id(site)] = plan
            if plan is None and before is None:
                continue
            self._put_all(site, plan)

    def _renew_shims(self) -> None:
        """Make the shims anew: they count by the meter that was there when they were made."""
        with self._lock:
            for site in all_sites():
                plan = self._plans.get(id(site))
                if plan is not None:
                    self._put_all(site, plan)

    def _put_all(self, site: Site, plan: Plan | None) -> None:
        for wrapper in site.wrappers():
            self._put(site, wrapper, plan)

    def _planned(self, site: Site) -> Plan | None:
        view = view_of(site)
        if view is None:
            return None
        chosen = []
        for each in self.installed():
            if not is_aimed_at(each.fix.target, view, self.environment):
                continue
            why = misfit(each.fix, view)
            if not why:
                chosen.append(each)
            elif each.fix.target.sites and why not in each.told:
                each.told.add(why)
                self.meter.noted(each.fix_id, "skipped", f"{site.site_id}: {why}")
        before = self._plans.get(id(site))
        if before is not None and list(before.installed) == chosen:
            return before
        return Plan(view, chosen) if chosen else None

    def _put(self, site: Site, wrapper: FunctionType, plan: Plan | None) -> None:
        cell = function_cell(wrapper)
        if cell is None:
            return
        bare = getattr(cell.cell_contents, BARE, cell.cell_contents)
        cell.cell_contents = bare if plan is None else shim_of(self, site, plan, bare)

    # --- what calls ask

    def account(self, installed: Installed) -> Account | None:
        """Return how calls that a fix changes are dealt and counted, ``None``: by the interpreter.

        That has to say what fixes in shadow would do, and to ask meters of other kinds.
        """
        meter = self.meter
        if installed.is_shadow or not isinstance(meter, RolloutMeter):
            return None
        return meter.account(installed)

    def is_off(self, now_s: float) -> bool:
        """Tell whether all fixes are switched off now: here, in the environment or by a file.

        Those that are switched off one by one know it afterwards.
        """
        if now_s >= self._look_s:
            self._look_s = now_s + SWITCH_S
            self._switched_off = self._look()
        is_off = self._switched_off or runtime.is_off()
        self.on_until_s = 0.0 if is_off else self._look_s
        if not is_off and runtime.is_off():  # `runtime.disable` is at work in another thread
            self.on_until_s = 0.0
        return is_off

    def _look(self) -> bool:
        host = self._host
        if host is None:
            return False
        host.look()
        folder = os.fspath(host.data_folder)
        for each in self.installed():
            name = fixes_off_name(each.fix_id)
            each.switched_off = each.fix_id in self._left_out or _exists(folder, name)
        return host.is_disabled or not host.settings.fixes or _exists(folder, FIXES_OFF)

    def unit(self) -> str:
        """Return what the present call is allocated by: itself.

        Not its trace: the calls of one trace would all be on one side, but counted one by one, and a
        program that is one long trace would have no other side at all.
        """
        return f"unit_{self._unique}{next(self._numbers):x}"

    def callee_now(self, name: str, arguments: Mapping[str, Any]) -> Callable[[], Any]:
        """As `callee`, for a caller that can't wait."""
        view = self._found(name)
        if view.shape == "async":
            raise Unreachable(f"{name} is asynchronous, and the call isn't")
        return bound(view, arguments)

    def callee(self, name: str, arguments: Mapping[str, Any]) -> Callable[[], Any]:
        """Return a call of the site `name` with those of the arguments that it takes.

        Raises `Unreachable` where there is none, or it needs more.
        """
        return bound(self._found(name), arguments)

    def _found(self, name: str) -> View:
        for site in reversed(all_sites()):
            if name in (site.site_id, site.name):
                view = view_of(site)
                if view is not None:
                    return view
        raise Unreachable(f"there is no site {name!r} in this process")

    def _report(self, fix_id: str, event: str, detail: str) -> None:
        """Tell the program's log: at INFO what a fix in shadow would do, at WARNING its faults."""
        level = logging.INFO if event == "shadow" else logging.WARNING
        if self._host is not None and _log.isEnabledFor(level):
            _log.log(level, "%s: %s: %s", fix_id, event, self._host.redactor.text(detail))

    def told(self, site: Site, arguments: dict[str, Any], finished: Finished) -> None:
        """Note in the records what fixes made of a call."""
        if finished.fix_id is not None:
            counters.guarded("errors", runtime.fixed, site, arguments, finished)


def _exists(folder: str, name: str) -> bool:
    return os.path.exists(f"{folder}{os.sep}{name}")  # noqa: PTH110 - on the path of a call


def function_cell(wrapper: FunctionType) -> CellType | None:
    """Return the closure cell of the function that a site's wrapper calls."""
    names = wrapper.__code__.co_freevars
    for name, cell in zip(names, wrapper.__closure__ or (), strict=True):
        if name.endswith("prunella_function"):
            return cell
    return None


class _State:
    fixing: Fixing | None = None


def fixing() -> Fixing:
    """Return the fixes of this process, made on first use."""
    if _State.fixing is None:
        found = Fixing()
        _State.fixing = found
        runtime.set_fixing(found)
    return _State.fixing


def _classify(error: BaseException, kind: str) -> ErrorCode:
    return classify(error, kind=kind).code
