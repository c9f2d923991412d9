"""Cancellation, time limits and context variables around fixes on coroutines."""

import asyncio
import contextvars
from typing import Any

import pytest

from interpreted import fix
from prunella import heal, install_fix, tool
from prunella.fixes.budgets import layers

RETRY = fix("retry", initial_delay_ms=0, retry_on=["Exception"], budget={"burst": 1_000})


def test_cancelling_during_a_wait_ends_the_call() -> None:
    """Whoever cancels a task needn't wait for its retries; no attempt follows."""
    attempts = []

    @heal(idempotent=True)
    async def fetch() -> None:
        attempts.append(1)
        raise TimeoutError

    async def cancel() -> None:
        task = asyncio.create_task(fetch())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    install_fix(fix("retry", initial_delay_ms=60_000, jitter=False, deadline_ms=600_000))
    asyncio.run(cancel())
    assert attempts == [1]


def test_cancelling_during_an_attempt_ends_the_call() -> None:
    """Also where a fallback stands ready."""

    @heal
    async def fetch() -> None:
        await asyncio.sleep(60)

    async def cancel() -> None:
        task = asyncio.create_task(fetch())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    install_fix(fix("fallback", chain=[{"constant": 0}], on=["BaseException"]))
    asyncio.run(cancel())


def test_the_callers_own_time_limit_wins() -> None:
    """`asyncio.timeout` around the call ends it as ever, a fix's limit inside or not."""

    @tool
    async def slow() -> None:
        await asyncio.sleep(60)

    async def limited() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await slow()
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    install_fix(fix("tool", timeout_ms=30_000))
    asyncio.run(limited())


def test_a_fixs_time_limit_leaves_the_task_as_it_was() -> None:
    """The `TimeoutError` can be caught, and the task goes on uncancelled."""

    @tool
    async def slow() -> None:
        await asyncio.sleep(60)

    async def goes_on() -> str:
        with pytest.raises(TimeoutError, match="ended by a fix"):
            await slow()
        await asyncio.sleep(0)
        return "on"

    install_fix(fix("tool", timeout_ms=5))
    assert asyncio.run(goes_on()) == "on"


def test_a_function_that_swallows_the_cancellation_keeps_its_result() -> None:
    """What it returns in time after all is its result."""

    @tool
    async def stubborn() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "partial"
        return "whole"

    async def call() -> tuple[str, int]:
        result = await stubborn()
        task = asyncio.current_task()
        assert task is not None
        return result, task.cancelling()

    install_fix(fix("tool", timeout_ms=5))
    assert asyncio.run(call()) == ("partial", 0)


def test_a_retry_is_ended_at_the_deadline() -> None:
    """An attempt that hangs doesn't outlast the deadline of the whole call."""
    attempts = []

    @heal(idempotent=True)
    async def fetch() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise ConnectionError
        await asyncio.sleep(60)

    install_fix(fix("retry", initial_delay_ms=0, deadline_ms=30))
    with pytest.raises(TimeoutError):
        asyncio.run(fetch())
    assert len(attempts) == 2


def test_layers_do_not_multiply_in_a_program() -> None:
    """A site that retries inside one that retries makes no more attempts than the greater."""
    attempts = []

    @heal(idempotent=True)
    async def inner() -> None:
        attempts.append(1)
        raise ValueError("always")

    @heal(idempotent=True)
    async def outer() -> None:
        try:
            await inner()
        except ValueError as error:
            raise RuntimeError("wrapped") from error

    install_fix(RETRY | {"config": RETRY["config"] | {"max_retries": 3}})
    with pytest.raises(RuntimeError):
        asyncio.run(outer())
    assert len(attempts) == 4
    assert layers.get() is None


def test_tasks_do_not_share_their_retries() -> None:
    """Calls side by side each have their own."""
    attempts: dict[int, int] = {}

    @heal(idempotent=True)
    async def fetch(number: int) -> int:
        attempts[number] = attempts.get(number, 0) + 1
        await asyncio.sleep(0)
        if attempts[number] < 3:
            raise TimeoutError
        return number

    async def together() -> list[int]:
        return await asyncio.gather(*(fetch(number) for number in range(10)))

    install_fix(RETRY)
    assert asyncio.run(together()) == list(range(10))
    assert set(attempts.values()) == {3}


def test_context_variables_pass_through() -> None:
    """What the function sets, its caller sees, as without a fix."""
    variable: contextvars.ContextVar[Any] = contextvars.ContextVar("variable", default=None)

    @heal(idempotent=True)
    def set_it(value: int) -> None:
        if variable.get() is None:
            variable.set("tried")
            raise TimeoutError
        variable.set(value)

    install_fix(RETRY)
    set_it(3)
    assert variable.get() == 3
