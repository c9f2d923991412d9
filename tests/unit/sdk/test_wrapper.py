"""The generated wrapper is the function, as far as anyone can tell."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from types import CellType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunella.sdk.wrapper import build, kind_of, parameter_names

Call = tuple[str, Any]


def wrap(function: Any, *, left: int = 0, boundary: bool = False) -> tuple[Any, list[Call]]:
    """Return a wrapper of `function`, and the list of what it will tell its hooks."""
    told: list[Call] = []

    def begin(values: tuple[Any, ...]) -> str:
        told.append(("begin", values))
        return "running"

    def returned(running: Any, result: Any) -> None:
        told.append(("returned", (running, result)))

    def failed(running: Any, values: tuple[Any, ...]) -> None:
        told.append(("failed", (running, values)))

    hooks: dict[str, Callable[..., Any]] = {
        "begin": begin,
        "returned": returned,
        "failed": failed,
        "observe": lambda running, generator: generator,
        "inside": lambda: None,
    }
    return build(function, CellType(left), hooks, boundary=boundary), told


def everything(a: Any, b: Any = 2, /, c: Any = 3, *args: Any, d: Any, e: Any = 5, **kw: Any) -> Any:
    """Take everything."""
    return (a, b, c, args, d, e, kw)


def only_keywords(*, x: Any, y: Any = None) -> Any:
    return (x, y)


def nothing() -> Any:
    return ()


def stars(*a: Any, **k: Any) -> Any:
    return (a, k)


def positional(a: Any, b: Any, /) -> Any:
    return (a, b)


FUNCTIONS = [everything, only_keywords, nothing, stars, positional]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("left", [0, 1])
@given(
    args=st.lists(st.integers(), max_size=5),
    kwargs=st.dictionaries(st.sampled_from("abcdexyz"), st.integers(), max_size=4),
)
def test_binds_as_the_function_does(
    function: Callable[..., Any], left: int, args: list[int], kwargs: dict[str, int]
) -> None:
    """Whatever arguments the function takes or refuses, the wrapper takes or refuses."""
    wrapper, _ = wrap(function, left=left)
    try:
        expected = function(*args, **kwargs)
    except TypeError:
        with pytest.raises(TypeError, match=function.__name__):
            wrapper(*args, **kwargs)
    else:
        assert wrapper(*args, **kwargs) == expected


@pytest.mark.parametrize("function", FUNCTIONS)
def test_looks_like_the_function(function: Callable[..., Any]) -> None:
    """Signature, names, documentation, annotations and defaults are the function's own."""
    wrapper, _ = wrap(function)
    assert inspect.signature(wrapper) == inspect.signature(function)
    assert inspect.signature(wrapper, follow_wrapped=False) == inspect.signature(function)
    assert wrapper.__wrapped__ is function
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__"):
        assert getattr(wrapper, name) == getattr(function, name)
    assert wrapper.__code__.co_name == function.__name__
    assert wrapper.__defaults__ is function.__defaults__  # type: ignore[attr-defined]  # a function


def test_tells_arguments_in_the_order_of_the_signature() -> None:
    """Stars stand before the names of ``*args`` and ``**kwargs``."""
    wrapper, told = wrap(everything)
    wrapper(1, d=4, z=6)
    assert told[0] == ("begin", (1, 2, 3, (), 4, 5, {"z": 6}))
    assert told[1] == ("returned", ("running", (1, 2, 3, (), 4, 5, {"z": 6})))
    assert parameter_names(everything.__code__) == ("a", "b", "c", "*args", "d", "e", "**kw")


def test_counts_down_in_silence() -> None:
    """While the countdown lasts, a call that returns tells nothing."""
    wrapper, told = wrap(nothing, left=3)
    for _ in range(3):
        wrapper()
    assert told == []
    wrapper()
    assert told[0] == ("begin", ())


def test_a_failure_is_told_even_in_the_countdown() -> None:
    """It comes with the arguments, and reaches the caller."""

    def fail(a: int) -> None:
        raise KeyError(a)

    wrapper, told = wrap(fail, left=1)
    with pytest.raises(KeyError):
        wrapper(1)
    with pytest.raises(KeyError):
        wrapper(2)
    assert told == [
        ("failed", (None, (1,))),
        ("begin", (2,)),
        ("failed", ("running", (2,))),
    ]


@pytest.mark.parametrize("left", [0, 9])
def test_is_of_the_same_kind(left: int) -> None:
    """A coroutine function stays one, a generator function too."""

    async def coroutine() -> int:
        return 1

    def generator() -> Iterator[int]:
        yield 1

    async def async_generator() -> AsyncIterator[int]:
        yield 1

    async def drive() -> None:
        assert await wrap(coroutine, left=left)[0]() == 1
        assert [value async for value in wrap(async_generator, left=left)[0]()] == [1]

    asyncio.run(drive())
    assert list(wrap(generator, left=left)[0]()) == [1]
    assert inspect.iscoroutinefunction(wrap(coroutine)[0])
    assert inspect.isgeneratorfunction(wrap(generator)[0])
    assert inspect.isasyncgenfunction(wrap(async_generator)[0])
    assert [kind_of(f.__code__) for f in (nothing, coroutine, generator, async_generator)] == [
        "sync",
        "async",
        "generator",
        "async_generator",
    ]


def test_functions_of_one_signature_share_code() -> None:
    """Many functions cost one compilation."""

    def one(a: int, b: int) -> None: ...

    def two(a: int, b: int) -> None: ...

    first, second = wrap(one)[0], wrap(two)[0]
    assert first.__code__.co_code == second.__code__.co_code
    assert first.__code__.co_consts is second.__code__.co_consts
