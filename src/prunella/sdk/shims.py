"""What stands below a site's wrapper while fixes are installed: the function with its fixes.

A shim takes the place of the function in the wrapper's closure cell, so that a site without fixes
has none of this. Where fixes act on failures alone, a call that succeeds costs a ``try``, a clock
and a count; where they act on arguments or results, also the questions whether they would.
"""

from time import perf_counter
from types import FunctionType
from typing import TYPE_CHECKING, Any

from prunella.fixes import Outcome, Plan, interpret
from prunella.fixes.calm import Calm
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


class Call:
    """How the calls of one function are run under one plan."""

    def __init__(self, fixing: "Fixing", site: Site, plan: Plan, function: FunctionType) -> None:
        self.fixing = fixing
        self.site = site
        self.plan = plan
        self.function = function
        self.calm = Calm(plan)
        self.around: Around = _AROUND[plan.site.shape](
            function, plan.site.parameters, fixing.callee
        )
        if plan.site.shape not in ("async", "async_generator"):
            self.around.invoke = fixing.callee_now

    def is_calm(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Tell whether the first attempt is as if there were no fix."""
        calm = self.calm
        return calm.is_possible and (
            calm.asks_nothing_before or calm.before(self.around.named(args, kwargs))
        )

    def is_off(self) -> bool:
        """Tell whether no fix may act now."""
        return self.fixing.is_off()

    async def drive(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], began_s: float, first: Outcome | None
    ) -> "Finished":
        """Interpret a call, of which the first attempt may be over."""
        arguments = self.around.named(args, kwargs)
        fixing = self.fixing
        steps = interpret(
            self.plan, arguments, fixing.world, fixing.unit, began_s=began_s, first=first
        )
        finished = await drive(self.around, steps, arguments)
        fixing.told(self.site, arguments, finished)
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
    remembers, calm_after = bool(plan.remembers_s), call.calm.after

    def fixed(*args: Any, **kwargs: Any) -> Any:
        plan.calls += 1
        first = None
        began_s = clock()
        if not plan.is_wary and (plan.is_quick or call.is_calm(args, kwargs)):
            try:
                result = function(*args, **kwargs)
            except (RecursionError, MemoryError):
                raise
            except Exception as error:
                if call.is_off():
                    raise
                first = Outcome(None, error)
            else:
                if plan.is_quick or calm_after(result) or call.is_off():
                    if remembers:
                        call.remember(args, kwargs, result)
                    return result
                first = Outcome(result)
        elif call.is_off():
            return function(*args, **kwargs)
        return _given(run_now(call.drive(args, kwargs, began_s, first)))

    return fixed  # type: ignore[return-value]  # a function is one


def _async(call: Call) -> FunctionType:
    function, plan, clock = call.function, call.plan, perf_counter
    remembers, calm_after = bool(plan.remembers_s), call.calm.after

    async def fixed(*args: Any, **kwargs: Any) -> Any:
        plan.calls += 1
        first = None
        began_s = clock()
        if not plan.is_wary and (plan.is_quick or call.is_calm(args, kwargs)):
            try:
                result = await function(*args, **kwargs)
            except (RecursionError, MemoryError):
                raise
            except Exception as error:
                if call.is_off():
                    raise
                first = Outcome(None, error)
            else:
                if plan.is_quick or calm_after(result) or call.is_off():
                    if remembers:
                        call.remember(args, kwargs, result)
                    return result
                first = Outcome(result)
        elif call.is_off():
            return await function(*args, **kwargs)
        return _given(await call.drive(args, kwargs, began_s, first))

    return fixed  # type: ignore[return-value]  # a function is one


def _generator(call: Call) -> FunctionType:
    def fixed(*args: Any, **kwargs: Any) -> Any:
        call.plan.calls += 1
        if call.is_off():
            return (yield from call.function(*args, **kwargs))
        started = _given(run_now(call.drive(args, kwargs, perf_counter(), None)))
        return started.returned if started.is_over else (yield from started)

    return fixed  # type: ignore[return-value]  # a function is one


def _async_generator(call: Call) -> FunctionType:
    async def fixed(*args: Any, **kwargs: Any) -> Any:
        call.plan.calls += 1
        if call.is_off():
            started = await Started(call.function(*args, **kwargs)).begin_async()
        else:
            started = _given(await call.drive(args, kwargs, perf_counter(), None))
        if started.is_over:
            return
        inner, value = started.stream, started.first
        try:
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
        except StopAsyncIteration:
            return

    return fixed  # type: ignore[return-value]  # a function is one


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
