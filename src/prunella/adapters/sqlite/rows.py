"""Values to columns and back."""

import json
from typing import Any, TypeVar

from prunella.codec.plain import from_plain, to_plain
from prunella.model.errors import RecordError, StoreError

T = TypeVar("T")

_FARTHEST_US = 253_370_764_800_000_000  # the year 9999, which is as far as datetime goes


def dump(value: Any) -> str:
    """Return `value` as JSON in ASCII: lone surrogates in recorded strings stay storable."""
    return json.dumps(to_plain(value), separators=(",", ":"))


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
    """Return `value` fit for a column: valid UTF-8 and bounded, in characters."""
    return value[:limit].encode("utf-8", "replace").decode("utf-8")


def moment(epoch_us: int) -> int:
    """Return microseconds since the epoch, kept within what datetime can show."""
    return min(max(epoch_us, 0), _FARTHEST_US)
