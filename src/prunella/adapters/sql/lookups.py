"""Looking many things up by as many statements as for one."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.rows import marks

#: How many values, or pairs of them, a list in a statement has: few lengths, so that few statements are
#: prepared, and no more than psycopg remembers the translation of.
_LENGTHS = (1, 5, 20)


def rows_with(
    db: Connection, select: str, values: Iterable[str], *before: str
) -> Iterator[tuple[Any, ...]]:
    """Run a statement that ends in a column's name for the rows that have one of `values`.

    `before` are the values of its other placeholders.
    """
    for chunk in chunks(values):
        yield from db.execute(f"{select} IN ({marks(chunk)})", [*before, *chunk])


def rows_with_pairs(
    db: Connection,
    columns: str,
    table: str,
    pair: tuple[str, str],
    values: Iterable[tuple[Any, Any]],
) -> Iterator[tuple[Any, ...]]:
    """Yield `columns` of the rows of `table` whose two columns `pair` have one of `values`."""
    for chunk in chunks(values):
        wanted = ", ".join(["(?, ?)"] * len(chunk))
        yield from db.execute(
            f"WITH wanted (one, other) AS (VALUES {wanted}) SELECT {columns} FROM wanted "  # noqa: S608 - constants
            f"JOIN {table} ON {table}.{pair[0]} = wanted.one AND {table}.{pair[1]} = wanted.other",
            [value for both in chunk for value in both],
        )


def chunks(values: Iterable[Any]) -> Iterator[Sequence[Any]]:
    """Yield all distinct values in lists of one of `_LENGTHS`, filled up by the last of each."""
    distinct = list(dict.fromkeys(values))
    for begin in range(0, len(distinct), _LENGTHS[-1]):
        chunk = distinct[begin : begin + _LENGTHS[-1]]
        length = next(length for length in _LENGTHS if length >= len(chunk))
        yield chunk + chunk[-1:] * (length - len(chunk))
