"""Runs the interpreter's steps around a real call, whatever kind of function it is.

One driver for all: a coroutine that awaits what a `Performer` does. The performers of synchronous
functions never suspend, so that `run_now` takes such a coroutine to its end at once.

A stream has begun when its first item is there; from then on nothing is healed any more.
"""

import time
from collections.abc import Coroutine, Sequence
from typing import Any

from prunella.fixes.steps import Attempt, Finished, Invoke, Outcome, Sleep, Step, Steps
from prunella.sdk.counters import note_fault


class Around:
    """The function below a site's wrapper, and how its calls are made."""

    def __init__(self, function: Any, parameters: tuple[str, ...], invoke: Any) -> None:
        self.function = function
        self._parameters = parameters
        self._names = tuple(name for name in parameters if not name.startswith("*"))
        stars = [name for name in parameters if name.startswith("*")]
        self._star = next((name for name in stars if not name.startswith("**")), "")
        self._double = next((name for name in stars if name.startswith("**")), "")
        self._positional: int = function.__code__.co_argcount
        #: ``(site, arguments)`` to a function without parameters that calls it, or `Unreachable`.
        self.invoke = invoke

    def named(self, values: Sequence[Any]) -> dict[str, Any]:
        """Return the arguments by parameter name, from their values in the order of parameters."""
        return dict(zip(self._parameters, values, strict=True))

    def called(self, arguments: dict[str, Any]) -> Any:
        """Call the function with arguments by parameter name."""
        args = [arguments[name] for name in self._names[: self._positional]]
        kwargs = {name: arguments[name] for name in self._names[self._positional :]}
        if self._star:
            args += arguments[self._star]
        if self._double:
            kwargs |= arguments[self._double]
        return self.function(*args, **kwargs)

    async def perform(self, step: Step) -> Outcome:
        """Do what a step says; an error of the function is data."""
        try:
            if type(step) is Attempt:
                return Outcome(await self.attempt(step))
            if type(step) is Sleep:
                if step.seconds > 0:  # no wait at all gives the processor to nobody
                    await self.sleep(step.seconds)
                return Outcome()
            if type(step) is Invoke:
                return Outcome(await self.answer(self.invoke(step.site, step.arguments)))
        except BaseException as error:  # noqa: BLE001 - it is raised again when the fixes are done
            return Outcome(error=error)
        raise TypeError(f"no step: {step!r}")

    async def attempt(self, step: Attempt) -> Any:
        """Call the function, and return its value."""
        return self.called(step.arguments)

    async def answer(self, call: Any) -> Any:
        """Return what another site answers."""
        return call()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)  # noqa: ASYNC251 - this coroutine is run by `run_now`


class AroundAsync(Around):
    """A coroutine function."""

    async def attempt(self, step: Attempt) -> Any:
        return await in_time(self.called(step.arguments), step)

    async def answer(self, call: Any) -> Any:
        found = call()
        return await found if hasattr(found, "__await__") else found

    async def sleep(self, seconds: float) -> None:
        import asyncio

        await asyncio.sleep(seconds)


class Started:
    """A stream with its first item: what ``yield from`` goes on with."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.first: Any = None
        self.is_over = False
        #: What the generator returned, if it is over.
        self.returned: Any = None
        self._has_first = True

    def begin(self) -> "Started":
        """Take the first item of a generator."""
        try:
            self.first = next(self.stream)
        except StopIteration as end:
            self.is_over, self.returned = True, end.value
        return self

    async def begin_async(self, step: Attempt | None = None) -> "Started":
        """Take the first item of an async generator."""
        try:
            self.first = await in_time(self.stream.__anext__(), step)
        except StopAsyncIteration:
            self.is_over = True
        return self

    def __iter__(self) -> "Started":
        return self

    def __next__(self) -> Any:
        if self._has_first:
            self._has_first = False
            return self.first
        return next(self.stream)

    def send(self, value: Any) -> Any:
        return self.stream.send(value)

    def throw(self, *error: Any) -> Any:
        return self.stream.throw(*error)

    def close(self) -> None:
        self.stream.close()


class AroundGenerator(Around):
    """A generator function."""

    async def attempt(self, step: Attempt) -> Any:
        return Started(self.called(step.arguments)).begin()

    async def answer(self, call: Any) -> Any:
        return Started(iter(call())).begin()


class AroundAsyncGenerator(AroundAsync):
    """An async generator function."""

    async def attempt(self, step: Attempt) -> Any:
        return await Started(self.called(step.arguments)).begin_async(step)

    async def answer(self, call: Any) -> Any:
        return await Started(call()).begin_async()


async def drive(around: Around, steps: Steps, arguments: dict[str, Any]) -> Finished:
    """Run an interpretation to its end.

    Should it fail by a fault of its own, the call goes on as if there were no fix: the outcome of
    the latest attempt counts, or of one that is made now.
    """
    latest = sent = None
    try:
        step = next(steps)
        while True:
            sent = await around.perform(step)
            if type(step) is Attempt:
                latest = sent
            step = steps.send(sent)
    except StopIteration as end:
        finished: Finished = end.value
        return finished
    except Exception as error:  # noqa: BLE001 - the interpreter must never harm the call
        note_fault("fixes", error)
    if latest is None:
        latest = await around.perform(Attempt(arguments))
    return Finished(latest)


def run_now(coroutine: Coroutine[Any, Any, Finished]) -> Finished:
    """Return what a coroutine returns that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        finished: Finished = end.value
        return finished
    coroutine.close()
    raise RuntimeError("a driver of a synchronous function has suspended")


async def in_time(awaitable: Any, step: Attempt | None) -> Any:
    """Await something; after the step's time limit ask whether to cancel it.

    Raises `TimeoutError` where it was cancelled for that. As `asyncio.timeout`, except that the
    time limit only asks.
    """
    if step is None or step.timeout_s is None or step.on_timeout is None:
        return await awaitable
    import asyncio

    task = asyncio.current_task()
    if task is None:
        return await awaitable
    ask = step.on_timeout
    before = task.cancelling()
    is_ended = False

    def expire() -> None:
        nonlocal is_ended
        if ask():
            is_ended = task.cancel()

    timer = asyncio.get_running_loop().call_later(step.timeout_s, expire)
    try:
        found = await awaitable
    except asyncio.CancelledError:
        if is_ended and task.uncancel() <= before:
            raise TimeoutError(f"ended by a fix after {step.timeout_s:g} s") from None
        raise
    finally:
        timer.cancel()
    if is_ended:
        task.uncancel()
    return found
