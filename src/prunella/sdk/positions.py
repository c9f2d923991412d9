"""Where in the source an instruction stands, without walking through all before it.

`code.co_positions` makes a tuple of each instruction up to the one that is wanted. The table that it
reads (CPython's ``Objects/locations.md``, the same from Python 3.11 on) has entries that begin with a
byte of 128 and more and go on with smaller ones, so the right entry is found without reading the
others; the line is known already.
"""

from bisect import bisect_right
from itertools import accumulate
from types import CodeType

#: Entries of a code that are looked through at most; each is of one to eight instructions.
MAX_TABLE_BYTES = 65_536

#: First byte of an entry to the code units that it is of, any other byte to none.
_UNITS = bytes((byte & 7) + 1 if byte >= 128 else 0 for byte in range(256))
#: Kinds of entries, of which those below have the columns in two bytes and are on one line.
_SAME_LINE, _NEAR_LINE, _NO_COLUMNS, _LONG = 10, 13, 13, 14


def position_of(
    code: CodeType, instruction: int, line: int | None
) -> tuple[int, int, int, int] | None:
    """Return line, last line, column and end column of the instruction at a byte of `code`.

    Columns are bytes in the line. `line` is where it begins. ``None`` where the table says nothing.
    """
    table = code.co_linetable
    if line is None or len(table) > MAX_TABLE_BYTES:
        return None
    # At each byte the code units up to there: they grow with the first byte of an entry alone.
    at = bisect_right(list(accumulate(table.translate(_UNITS))), instruction // 2)
    if at >= len(table):
        return None
    kind = table[at] >> 3 & 15
    if kind < _SAME_LINE:
        column = kind << 3 | table[at + 1] >> 4
        return line, line, column, column + (table[at + 1] & 15)
    if kind < _NEAR_LINE:
        return line, line, table[at + 1], table[at + 2]
    return _long(table, at + 1, line) if kind == _LONG else None


def _long(table: bytes, at: int, line: int) -> tuple[int, int, int, int] | None:
    numbers = []
    for _ in range(4):
        number, at = _number(table, at)
        numbers.append(number)
    _, lines, column, end_column = numbers  # the first leads to the line from the entry before
    if not column or not end_column:
        return None
    return line, line + lines, column - 1, end_column - 1


def _number(table: bytes, at: int) -> tuple[int, int]:
    """Return a number of six bits a byte, least first, and where the next one begins."""
    found = shift = 0
    while table[at] & 64:
        found |= (table[at] & 63) << shift
        shift += 6
        at += 1
    return found | table[at] << shift, at + 1
