"""Generators and async generators with their fixes, which act until the first item is there."""

from collections.abc import AsyncGenerator, Callable, Generator
from time import perf_counter
from typing import Any

from prunella.sdk.drivers import Started, run_now
from prunella.sdk.fixed_calls import FixedCalls, Values, given

Tell = Callable[[BaseException | None], None]


def generator(calls: FixedCalls, values: Values) -> Generator[Any, Any, Any]:
    """Run a call of a generator."""
    calls.plan.calls += 1
    if calls.is_off():
        return (yield from calls.around.called(calls.around.named(values)))
    run, outcome = calls.start(values, perf_counter())
    finished = run_now(calls.drive(run, outcome, is_first=False))
    started = given(finished)
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


async def async_generator(calls: FixedCalls, values: Values) -> AsyncGenerator[Any, Any]:
    """Run a call of an async generator."""
    calls.plan.calls += 1
    started, tell = await _begun(calls, values)
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


async def _begun(calls: FixedCalls, values: Values) -> tuple[Started, Tell]:
    """Return a stream with its first item, and who is to be told how it ends."""
    if calls.is_off():
        stream = calls.around.called(calls.around.named(values))
        return await Started(stream).begin_async(), _to_nobody
    run, outcome = calls.start(values, perf_counter())
    finished = await calls.drive(run, outcome, is_first=False)
    return given(finished), finished.at_end or _to_nobody


def _to_nobody(_error: BaseException | None) -> None:
    """Take in how a stream ended that no fix was waiting for."""
