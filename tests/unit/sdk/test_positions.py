"""Positions of instructions are those that Python gives."""

import argparse
import ast
import asyncio.base_events
import decimal
import json.decoder
import typing
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from prunella.sdk import positions
from prunella.sdk.positions import position_of

MODULES = (argparse, ast, asyncio.base_events, decimal, json.decoder, typing, positions)


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def lines(code: CodeType) -> dict[int, int | None]:
    return {at: line for start, end, line in code.co_lines() for at in range(start, end, 2)}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_instruction_has_the_position_that_python_gives(module: ModuleType) -> None:
    """Whatever the entry's kind, and also where there is no position."""
    whole = compile(Path(str(module.__file__)).read_bytes(), "module.py", "exec")
    for code in codes(whole):
        starts = lines(code)
        for number, expected in enumerate(code.co_positions()):
            line = starts[2 * number]
            if line is not None:
                found = position_of(code, 2 * number, line)
                assert found == (None if None in expected else expected), (code, number)


def test_wide_and_long_expressions_have_positions() -> None:
    """Columns beyond 255 and expressions over many lines too."""
    text = "x = (" + "1 + " * 200 + "\n" * 700 + " (\n" + "a" * 300 + "\n / 0))"
    code = compile(text, "module.py", "exec")
    starts = lines(code)
    for number, expected in enumerate(code.co_positions()):
        line = starts[2 * number]
        if line is not None and None not in expected:
            assert position_of(code, 2 * number, line) == expected


def test_what_has_no_position_has_none() -> None:
    """An instruction behind the end, a code without columns, a table that is too long."""
    code = compile("a = 1", "module.py", "exec")
    assert position_of(code, 10_000, 1) is None
    assert position_of(code.replace(co_linetable=b""), 0, 1) is None
    entries = islice(iter(lambda: b"\x80\x00", None), positions.MAX_TABLE_BYTES)
    assert position_of(code.replace(co_linetable=b"".join(entries)), 0, 1) is None
