"""What stands below a site's wrapper while fixes are installed: the function with its fixes.

A shim takes the place of the function in the wrapper's closure cell, so that a site without fixes
has none of this. Where fixes act on failures alone, a call that succeeds costs a ``try``, a clock
and a count; where they act on arguments or results, also the questions whether they would.
"""

from collections.abc import Callable
from time import perf_counter
from types import FunctionType
from typing import TYPE_CHECKING, Any

from prunella.fixes import Outcome, Plan
from prunella.fixes.calm import UNSURE, Calm, Changed, Passing
from prunella.fixes.interpreter import before, proceed
from prunella.fixes.run import Run
from prunella.sdk.at_once import AtOnce, Dealt
from prunella.sdk.counters import note_fault
from prunella.sdk.drivers import (
    Around,
    AroundAsync,
    AroundAsyncGenerator,
    AroundGenerator,
    Started,
    drive,
    run_now,
)
from prunella.sdk.site import Site

if TYPE_CHECKING:
    from prunella.fixes import Finished
    from prunella.sdk.fixing import Fixing

#: On a shim: the function that it stands for.
BARE = "__prunella_bare__"
_AROUND = {
    "sync": Around,
    "async": AroundAsync,
    "generator": AroundGenerator,
    "async_generator": AroundAsyncGenerator,
}

Begun = tuple[Run, Outcome | None]


class Call:
    """How the calls of one function are run under one plan."""

    def __init__(self, fixing: "Fixing", site: Site, plan: Plan, function: FunctionType) -> None:
        self.fixing = fixing
        self.site = site
        self.plan = plan
        self.function = function
        self.around: Around = _AROUND[plan.site.shape](
            function, plan.site.parameters, fixing.callee
        )
        if plan.site.shape not in ("async", "async_generator"):
            self.around.invoke = fixing.callee_now
        passing = Passing(self.around.named, self.around.unnamed, function.__code__.co_argcount)
        calm = Calm(plan, passing)
        self.ask, self.calm_after = calm.before, calm.after
        self.at_once = AtOnce(fixing, site, plan, self.around, calm)
        self.deal, self.is_over = self.at_once.deal, self.at_once.is_over
        #: A changed call is made like any other: its time isn't limited from outside.
        self.is_plain = not calm.is_timed

    def is_off(self) -> bool:
        """Tell whether no fix may act now."""
        return self.fixing.is_off(perf_counter())

    def start(self, args: tuple[Any, ...], kwargs: dict[str, Any], began_s: float) -> Begun:
        """Let fixes change a call; return its interpretation and what takes the call's place."""
        run = self.begin(args, kwargs, began_s)
        try:
            return run, before(run)
        except Exception as error:  # noqa: BLE001 - the fixes must never harm the call
            note_fault("fixes", error)
            return self.begin(args, kwargs, began_s), None

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any], began_s: float) -> Run:
        """Return the interpretation of a call in which no fix has acted yet."""
        fixing = self.fixing
        arguments = self.around.named(args, kwargs)
        return Run(self.plan, arguments, fixing.world, fixing.unit, began_s=began_s)

    def resume(
        self, dealt: Dealt, args: tuple[Any, ...], kwargs: dict[str, Any], began_s: float
    ) -> Run:
        """Return the interpretation of a dealt call, as far as that has come."""
        run = self.begin(args, kwargs, began_s)
        try:
            self.at_once.resume(run, dealt, began_s)
        except Exception as error:  # noqa: BLE001 - as in `start`
            note_fault("fixes", error)
        return run

    def is_ended(self, run: Run, result: Any) -> bool:
        """Tell whether a changed call is over with this result: no fix has more to do with it."""
        if self.plan.remembers_s or not (self.calm_after is None or self.calm_after(result)):
            return False
        try:
            self.fixing.told(self.site, run.given, run.finish(run.paid(Outcome(result))))
        except Exception as error:  # noqa: BLE001 - as in `start`
            note_fault("fixes", error)
        return True

    async def drive(self, run: Run, outcome: Outcome | None, *, is_first: bool) -> "Finished":
        """Interpret a call from its first attempt on, as `prunella.fixes.interpreter.proceed`."""
        steps = proceed(run, outcome, is_first=is_first)
        finished = await drive(self.around, steps, run.given)
        self.fixing.told(self.site, run.given, finished)
        return finished

    def remember(self, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Keep the result of a good call, where a fallback wants it."""
        plan = self.plan
        arguments = self.around.named(args, kwargs)
        plan.memory.keep(arguments, result, perf_counter(), plan.remembers_s)


def shim_of(fixing: "Fixing", site: Site, plan: Plan, function: FunctionType) -> FunctionType:
    """Return what takes the place of `function` while the fixes of `plan` are in force."""
    call = Call(fixing, site, plan, function)
    shim = _MAKERS[plan.site.shape](call)
    setattr(shim, BARE, function)
    return shim


def _sync(call: Call) -> FunctionType:
    function, plan, clock = call.function, call.plan, perf_counter
    ask, calm_after = call.ask, call.calm_after
    remembers = bool(plan.remembers_s)

    def fixed(*args: Any, **kwargs: Any) -> Any:
        plan.calls += 1
        began_s = clock()
        changed = UNSURE if plan.is_wary else ask and ask(args, kwargs)
        if changed is None:
            try:
                result = function(*args, **kwargs)
            except (RecursionError, MemoryError):
                raise
            except Exception as error:
                if call.is_off():
                    raise
                first = Outcome(None, error)
            else:
                if calm_after is None or calm_after(result) or call.is_off():
                    if remembers:
                        call.remember(args, kwargs, result)
                    return result
                first = Outcome(result)
            run = call.begin(args, kwargs, began_s)
            return _given(run_now(call.drive(run, first, is_first=True)))
        return _met(call, changed, args, kwargs, began_s)

    return fixed  # type: ignore[return-value]  # a function is one


def _met(
    call: Call, changed: Changed, args: tuple[Any, ...], kwargs: dict[str, Any], began_s: float
) -> Any:
    """Make a call that has met a fix: as that has changed it, or as it came in for control."""
    fixing = call.fixing
    if began_s >= fixing.on_until_s and fixing.is_off(began_s):
        return call.function(*args, **kwargs)
    dealt = call.deal(changed, args, kwargs, began_s)
    if dealt is None:
        return _changed(call, *call.start(args, kwargs, began_s))
    try:
        result = call.function(*dealt[0], **dealt[1])
    except BaseException as error:  # noqa: BLE001 - it is raised again when the fixes are done
        outcome = Outcome(None, error)
    else:
        if call.is_over(dealt, args, kwargs, began_s, result):
            return result
        outcome = Outcome(result)
    run = call.resume(dealt, args, kwargs, began_s)
    return _given(run_now(call.drive(run, outcome, is_first=True)))


def _changed(call: Call, run: Run, outcome: Outcome | None) -> Any:
    """Make a call that fixes have changed, or return what takes its place."""
    is_first = outcome is None and not (run.goal or call.plan.is_wary)
    if is_first:
        try:
            result = call.around.called(run.arguments)
        except BaseException as error:  # noqa: BLE001 - it is raised again when the fixes are done
            outcome = Outcome(None, error)
        else:
            if call.is_ended(run, result):
                return result
            outcome = Outcome(result)
    return _given(run_now(call.drive(run, outcome, is_first=is_first)))


def _async(call: Call) -> FunctionType:
    function, plan, clock = call.function, call.plan, perf_counter
    ask, calm_after = call.ask, call.calm_after
    remembers = bool(plan.remembers_s)

    async def fixed(*args: Any, **kwargs: Any) -> Any:
        plan.calls += 1
        began_s = clock()
        changed = UNSURE if plan.is_wary else ask and ask(args, kwargs)
        if changed is None:
            try:
                result = await function(*args, **kwargs)
            except (RecursionError, MemoryError):
                raise
            except Exception as error:
                if call.is_off():
                    raise
                first = Outcome(None, error)
            else:
                if calm_after is None or calm_after(result) or call.is_off():
                    if remembers:
                        call.remember(args, kwargs, result)
                    return result
                first = Outcome(result)
            run = call.begin(args, kwargs, began_s)
            return _given(await call.drive(run, first, is_first=True))
        return await _met_async(call, changed, args, kwargs, began_s)

    return fixed  # type: ignore[return-value]  # a function is one


async def _met_async(
    call: Call, changed: Changed, args: tuple[Any, ...], kwargs: dict[str, Any], began_s: float
) -> Any:
    """As `_met`."""
    fixing = call.fixing
    if began_s >= fixing.on_until_s and fixing.is_off(began_s):
        return await call.function(*args, **kwargs)
    dealt = call.deal(changed, args, kwargs, began_s)
    if dealt is None:
        return await _changed_async(call, *call.start(args, kwargs, began_s))
    try:
        result = await call.function(*dealt[0], **dealt[1])
    except BaseException as error:  # noqa: BLE001 - as in `_met`
        outcome = Outcome(None, error)
    else:
        if call.is_over(dealt, args, kwargs, began_s, result):
            return result
        outcome = Outcome(result)
    run = call.resume(dealt, args, kwargs, began_s)
    return _given(await call.drive(run, outcome, is_first=True))


async def _changed_async(call: Call, run: Run, outcome: Outcome | None) -> Any:
    """As `_changed`."""
    is_first = outcome is None and call.is_plain and not (run.goal or call.plan.is_wary)
    if is_first:
        try:
            result = await call.around.called(run.arguments)
        except BaseException as error:  # noqa: BLE001 - as in `_changed`
            outcome = Outcome(None, error)
        else:
            if call.is_ended(run, result):
                return result
            outcome = Outcome(result)
    return _given(await call.drive(run, outcome, is_first=is_first))


def _generator(call: Call) -> FunctionType:
    def fixed(*args: Any, **kwargs: Any) -> Any:
        call.plan.calls += 1
        if call.is_off():
            return (yield from call.function(*args, **kwargs))
        run, outcome = call.start(args, kwargs, perf_counter())
        finished = run_now(call.drive(run, outcome, is_first=False))
        started = _given(finished)
        tell = finished.at_end or _to_nobody
        try:
            returned = started.returned if started.is_over else (yield from started)
        except GeneratorExit:  # the consumer has what it wants
            tell(None)
            raise
        except BaseException as error:
            tell(error)
            raise
        tell(None)
        return returned

    return fixed  # type: ignore[return-value]  # a function is one


def _async_generator(call: Call) -> FunctionType:
    async def fixed(*args: Any, **kwargs: Any) -> Any:
        call.plan.calls += 1
        started, tell = await _begun(call, args, kwargs)
        try:
            if started.is_over:
                raise StopAsyncIteration
            inner, value = started.stream, started.first
            while True:
                try:
                    sent = yield value
                except GeneratorExit:
                    await inner.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 - it belongs to the function
                    value = await inner.athrow(error)
                else:
                    value = await inner.asend(sent)
        except (StopAsyncIteration, GeneratorExit) as end:
            tell(None)
            if type(end) is GeneratorExit:
                raise
        except BaseException as error:
            tell(error)
            raise

    return fixed  # type: ignore[return-value]  # a function is one


async def _begun(
    call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Started, Callable[[BaseException | None], None]]:
    """Return a stream with its first item, and who is to be told how it ends."""
    if call.is_off():
        return await Started(call.function(*args, **kwargs)).begin_async(), _to_nobody
    run, outcome = call.start(args, kwargs, perf_counter())
    finished = await call.drive(run, outcome, is_first=False)
    return _given(finished), finished.at_end or _to_nobody


def _to_nobody(_error: BaseException | None) -> None:
    """Take in how a stream ended that no fix was waiting for."""


_MAKERS = {
    "sync": _sync,
    "async": _async,
    "generator": _generator,
    "async_generator": _async_generator,
}


def _given(finished: "Finished") -> Any:
    error = finished.outcome.error
    if error is None:
        return finished.outcome.value
    try:
        raise error
    finally:
        del error, finished  # or the frames in its traceback would hold it for ever
