"""Generators under observation: what they yielded before they ended.

Each value is encoded when it is yielded, because its consumer may change it. The recording's trace
is in force only while the generator's body runs, never in its consumer.
"""

from __future__ import annotations

from prunella.sdk.counters import guarded
from prunella.sdk.trace import current

#: For type checkers; `typing` takes longer to import than this whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from typing import Any

    from prunella.sdk.running import Running

#: Values of one generator that are recorded.
MAX_YIELDED = 100
#: Numbers of shared nodes that each of them may take up.
NUMBERS_EACH = 1_000_000


def observe(running: Running | None, generator: Any) -> Any:
    """Return `generator`, observed if its call is recorded."""
    if running is None:
        return generator
    guarded("calls", _start, running)
    if hasattr(generator, "__anext__"):
        return _AsyncYields(generator, running)
    return _Yields(generator, running)


def _start(running: Running) -> None:
    running.yielded = []
    token, running.token = running.token, None
    if token is not None:
        current.reset(token)


def renumbered(tree: Any, offset: int) -> Any:
    """Return a tree whose shared nodes have other numbers, so that it fits in among others."""
    if type(tree) is not list or not tree:
        return tree
    if tree[0] == "&":
        return ["&", tree[1] + offset, renumbered(tree[2], offset)]
    if tree[0] == "*":
        return ["*", tree[1] + offset]
    return [renumbered(item, offset) for item in tree]


def _note(running: Running, value: Any) -> None:
    from prunella.sdk.runtime import active

    yielded = running.yielded
    if yielded is None:
        return
    if len(yielded) >= MAX_YIELDED:
        if len(yielded) == MAX_YIELDED:
            yielded.append(["cut", "more was yielded"])
            running.complete = False
        return
    active().note(running, value)


class _Yields:
    """A generator for ``yield from``, which needs these five methods of it."""

    def __init__(self, generator: Generator[Any, Any, Any], running: Running) -> None:
        self._generator = generator
        self._running = running

    def __iter__(self) -> _Yields:
        return self

    def __next__(self) -> Any:
        return self._step(self._generator.__next__)

    def send(self, value: Any) -> Any:
        return self._step(self._generator.send, value)

    def throw(self, *error: Any) -> Any:
        return self._step(self._generator.throw, *error)

    def close(self) -> None:
        token = current.set(self._running)
        try:
            self._generator.close()
        finally:
            current.reset(token)

    def _step(self, method: Any, *arguments: Any) -> Any:
        token = current.set(self._running)
        try:
            value = method(*arguments)
        finally:
            current.reset(token)
        guarded("calls", _note, self._running, value)
        return value


class _AsyncYields:
    """An async generator, as the wrapper's loop drives it."""

    def __init__(self, generator: AsyncGenerator[Any, Any], running: Running) -> None:
        self._generator = generator
        self._running = running

    async def __anext__(self) -> Any:
        return await self._step(self._generator.__anext__())

    async def asend(self, value: Any) -> Any:
        return await self._step(self._generator.asend(value))

    async def athrow(self, error: BaseException) -> Any:
        return await self._step(self._generator.athrow(error))

    async def aclose(self) -> None:
        await self._generator.aclose()

    async def _step(self, awaitable: Any) -> Any:
        token = current.set(self._running)
        try:
            value = await awaitable
        finally:
            current.reset(token)
        guarded("calls", _note, self._running, value)
        return value
