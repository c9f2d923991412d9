"""Replay: recorded answers stand in for the sites that reach outside.

The replay's runner sets ``PRUNELLA_REPLAY=1`` before it imports the program and gives the answers
by `set_answers`. ``@heal`` then leaves every function as it is, except that a boundary site asks
`answer`, and its body never runs.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any

from prunella.sdk.site import module_name
from prunella.sdk.wrapper import kind_of

Answers = Callable[[str, tuple[Any, ...], dict[str, Any]], Any]
"""``(site id, arguments, keyword arguments)`` to the recorded result; raises a recorded error.

For generators it gives an iterable of what was yielded.
"""


class UnansweredCall(Exception):
    """A boundary site was called in a replay for which nothing was recorded."""


class _State:
    answers: Answers | None = None


def set_answers(answers: Answers | None) -> None:
    """Make `answers` what boundary sites return; ``None`` for no answers at all."""
    _State.answers = answers


def answer(site_id: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """Return the recorded answer to a call of a boundary site; raises `UnansweredCall`."""
    if _State.answers is None:
        raise UnansweredCall(
            f"{site_id} reaches outside, and no answers were recorded for this call"
        )
    return _State.answers(site_id, arguments, keywords)


def stand_in(function: FunctionType) -> FunctionType:
    """Return what stands in for a boundary site in a replay: the same kind of function."""
    from functools import update_wrapper

    site_id = f"{module_name(function.__module__, function.__globals__)}:{function.__qualname__}"

    def sync(*args: Any, **kwargs: Any) -> Any:
        return answer(site_id, args, kwargs)

    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        return answer(site_id, args, kwargs)

    def generator(*args: Any, **kwargs: Any) -> Any:
        yield from answer(site_id, args, kwargs)

    async def async_generator(*args: Any, **kwargs: Any) -> Any:
        for value in answer(site_id, args, kwargs):
            yield value

    chosen: Any = {
        "sync": sync,
        "async": coroutine,
        "generator": generator,
        "async_generator": async_generator,
    }[kind_of(function.__code__)]
    update_wrapper(chosen, function)
    chosen.__prunella_site__ = site_id
    return chosen  # type: ignore[no-any-return]  # one of the functions above
