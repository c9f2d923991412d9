"""Which recorded call runs: how nested calls find the call that made them.

A context variable holds the innermost call that is being recorded. Calls on the fast path aren't
in it, so a call's parent is its nearest *observed* ancestor. asyncio tasks inherit it by
themselves; threads and executors by `carry`.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import update_wrapper

from prunella.sdk.wrapper import CO_COROUTINE

#: For type checkers; `typing` takes longer to import than this whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ParamSpec, TypeVar

    from prunella.sdk.running import Running

    P = ParamSpec("P")
    T = TypeVar("T")

current: ContextVar[Running | None] = ContextVar("prunella_call", default=None)


def carry(function: Callable[P, T]) -> Callable[P, T]:
    """Return `function` so that what it calls, in whatever thread, belongs to the present call.

    ``executor.submit(carry(work), item)``, ``Thread(target=carry(work))``. Where no call is being
    recorded it changes nothing.
    """
    parent = current.get()
    if parent is None:
        return function

    async def carried_async(*args: Any, **kwargs: Any) -> Any:
        token = current.set(parent)
        try:
            result: Any = function(*args, **kwargs)
            return await result
        finally:
            current.reset(token)

    def carried(*args: Any, **kwargs: Any) -> Any:
        token = current.set(parent)
        try:
            return function(*args, **kwargs)
        finally:
            current.reset(token)

    code = getattr(function, "__code__", None)
    is_async = code is not None and code.co_flags & CO_COROUTINE
    chosen: Any = carried_async if is_async else carried
    update_wrapper(chosen, function)
    return chosen  # type: ignore[no-any-return]  # it takes and gives what `function` does
