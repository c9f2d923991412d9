"""The text of functions."""

import inspect
import json.decoder
import json.encoder
import textwrap
from types import FunctionType, ModuleType

import pytest

from prunella.sdk.source import source_of


def functions_of(module: ModuleType) -> list[FunctionType]:
    holders = [module, *(each for each in vars(module).values() if isinstance(each, type))]
    found = [each for holder in holders for each in vars(holder).values()]
    return [
        each
        for each in found
        if isinstance(each, FunctionType) and each.__module__ == module.__name__
    ]


@pytest.mark.parametrize("module", [json.decoder, json.encoder, textwrap])
def test_it_is_what_inspect_finds(module: ModuleType) -> None:
    """The text is that of `inspect`, which reads all tokens for it."""
    functions = functions_of(module)
    assert functions
    for function in functions:
        assert source_of(function.__code__, module.__name__) == inspect.getsource(function)


# fmt: off
def awkward(
    a: int,
    b: str = """
first column
""",
) -> str:
    if a:
        return b.join([
    "less", "indented",
])  # a comment at the end
    return (
        b
)
# a comment of nobody
# fmt: on


def test_closing_brackets_may_stand_anywhere() -> None:
    """Lines with less indentation than the function belong to it while an expression is open."""
    text = source_of(awkward.__code__, __name__)
    assert text is not None
    assert text.startswith("def awkward(")
    assert text.endswith("    return (\n        b\n)\n")


def test_what_has_no_file_has_no_text() -> None:
    """A function that was compiled from a string has no text, and that is no error."""
    namespace: dict[str, FunctionType] = {}
    exec("def f():\n    return 1\n", namespace)  # noqa: S102
    assert source_of(namespace["f"].__code__, "nowhere") is None


def test_a_file_that_got_shorter_has_no_text() -> None:
    """Lines that aren't there any more are nobody's text."""
    moved = awkward.__code__.replace(co_firstlineno=1_000_000)
    assert source_of(moved, __name__) is None
