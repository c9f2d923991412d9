"""How much a key or token may do: so many requests a minute, so many bytes a day.

Requests are counted by each server for itself (a bucket in memory), bytes in the directory for all
servers together, a few seconds behind.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from prunella.model.clock import now
from prunella.model.directory import Credential
from prunella.ports import Directory

#: How often bytes are added up in the directory.
_FLUSH = timedelta(seconds=5)


@dataclass(slots=True)
class _Use:
    """What one key or token has used here."""

    #: Requests left in its bucket, and when that was so.
    left: float
    at: datetime
    day: str
    #: Bytes and requests since they were last added up.
    new_bytes: int = 0
    new_requests: int = 0
    #: Bytes of the day, as the directory said last.
    day_bytes: int = 0
    flushed_at: datetime | None = None


class Limits:
    """Admits requests of keys and tokens, or says when to come again."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._used: dict[str, _Use] = {}
        self._lock = Lock()

    def admit(self, credential: Credential) -> float | None:
        """Count a request; return after how many seconds to come again, ``None`` if it may now."""
        at = now()
        with self._lock:
            use = self._used.get(credential.credential_id)
            if use is None:
                use = _Use(left=float(credential.per_minute), at=at, day=_day(at))
                self._used[credential.credential_id] = use
            per_s = credential.per_minute / 60
            passed_s = max((at - use.at).total_seconds(), 0.0)
            use.left = min(use.left + passed_s * per_s, float(credential.per_minute))
            use.at = at
            if use.left < 1:
                return (1 - use.left) / per_s if per_s else 60.0
            use.left -= 1
            use.new_requests += 1
        self._flush(credential.credential_id, use, at)
        if use.day_bytes + use.new_bytes >= credential.bytes_per_day:
            return _until_tomorrow_s(at)
        return None

    def is_due(self, credential: Credential) -> bool:
        """Say whether `admit` would ask the directory, which may take a while."""
        use = self._used.get(credential.credential_id)
        return use is None or _is_due(use, now())

    def count(self, credential: Credential, size_bytes: int) -> None:
        """Count bytes that were sent."""
        with self._lock:
            use = self._used.get(credential.credential_id)
            if use is not None:
                use.new_bytes += size_bytes

    def close(self) -> None:
        """Add up what wasn't yet."""
        for credential_id, use in list(self._used.items()):
            self._flush(credential_id, use, now(), at_once=True)

    def _flush(self, credential_id: str, use: _Use, at: datetime, *, at_once: bool = False) -> None:
        with self._lock:
            if not (at_once or _is_due(use, at)):
                return
            is_new_day = use.day != _day(at)
            use.flushed_at = at
            size_bytes, requests, day = use.new_bytes, use.new_requests, use.day
            use.new_bytes = use.new_requests = 0
            if is_new_day:
                use.day, use.day_bytes = _day(at), 0
        total = self._directory.use(
            credential_id, day=day, requests=requests, size_bytes=size_bytes
        )
        with self._lock:
            if use.day == day:
                use.day_bytes = total


def _is_due(use: _Use, at: datetime) -> bool:
    is_due = use.flushed_at is None or at - use.flushed_at >= _FLUSH
    return is_due or use.day != _day(at)


def _day(at: datetime) -> str:
    return at.date().isoformat()


def _until_tomorrow_s(at: datetime) -> float:
    midnight = (at + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - at).total_seconds()
