"""Values to columns and back."""

import json
from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from prunella.codec.plain import from_plain, to_plain
from prunella.model.errors import RecordError, StoreError

T = TypeVar("T")

Condition = tuple[str, tuple[Any, ...]]
"""What comes after a WHERE, and the values of its placeholders."""

_ENCODER = json.JSONEncoder(separators=(",", ":"))

_FARTHEST_US = 253_370_764_800_000_000  # the year 9999, which is as far as datetime goes


def dump(value: Any) -> str:
    """Return `value` as JSON in ASCII: lone surrogates in recorded strings stay storable."""
    return _ENCODER.encode(to_plain(value))


def load(kind: type[T], body: str) -> T:
    """Read what `dump` wrote; raises `StoreError` where the row is damaged."""
    with_kind = kind.__name__
    try:
        return from_plain(kind, json.loads(body))
    except (ValueError, RecordError, RecursionError) as error:
        raise StoreError(
            f"A {with_kind} in the store can't be read ({error}); the file may be damaged. "
            "`prunella doctor` shows its state."
        ) from error


def text(value: str, limit: int = 500) -> str:
    """Return `value` fit for a column: valid UTF-8 without NUL, of `limit` characters at most.

    And of twice as many bytes: no entry of an index of PostgreSQL may have more than 2,700.
    """
    value = value[:limit].replace("\0", "?")
    if value.isascii():
        return value
    return value.encode("utf-8", "replace")[: 2 * limit].decode("utf-8", "ignore")


def search_text(error_code: str, error_type: str, site_id: str, message: str) -> str:
    """Return what an incident is found by, in lower case."""
    parts = (error_code, error_type, site_id, message)
    return text(" ".join(part[:600] for part in parts), 2_000).lower()


def marks(values: Collection[Any]) -> str:
    """Return a placeholder for each value, with commas between them."""
    return ", ".join("?" * len(values))


def joined(conditions: Sequence[Condition]) -> Condition:
    """Return what holds where all of these hold."""
    if not conditions:
        return "true", ()
    return (
        " AND ".join(condition for condition, _ in conditions),
        tuple(value for _, values in conditions for value in values),
    )


def moment(epoch_us: int) -> int:
    """Return microseconds since the epoch, kept within what datetime can show."""
    return min(max(epoch_us, 0), _FARTHEST_US)
