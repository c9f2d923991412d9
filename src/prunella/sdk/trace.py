"""Which recorded call runs: how nested calls find the call that made them.

A context variable holds the innermost call that is being recorded. Calls on the fast path aren't
in it, so a call's parent is its nearest *observed* ancestor. asyncio tasks inherit it by
themselves; threads and executors by `carry`.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import update_wrapper
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from prunella.sdk.recording import Running

P = ParamSpec("P")
T = TypeVar("T")

current: "ContextVar[Running | None]" = ContextVar("prunella_call", default=None)


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
            return await cast(Any, function(*args, **kwargs))
        finally:
            current.reset(token)

    def carried(*args: Any, **kwargs: Any) -> Any:
        token = current.set(parent)
        try:
            return function(*args, **kwargs)
        finally:
            current.reset(token)

    chosen = carried_async if iscoroutinefunction(function) else carried
    return cast("Callable[P, T]", update_wrapper(chosen, function))
