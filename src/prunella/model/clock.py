"""The one place that reads the wall clock."""

from datetime import UTC, datetime
from time import time_ns


def now() -> datetime:
    """Return the present moment as an aware UTC datetime."""
    return datetime.now(UTC)  # noqa: TID251 - this is the clock adapter


def from_us(epoch_us: int) -> datetime:
    """Return the aware UTC datetime of ``epoch_us`` microseconds since the epoch, exactly."""
    seconds, us = divmod(epoch_us, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=us)


def to_us(moment: datetime) -> int:
    """Return the microseconds since the epoch of an aware datetime; the inverse of `from_us`."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def now_us() -> int:
    """Return the present moment in microseconds since the epoch; what records on disk carry."""
    return time_ns() // 1_000
