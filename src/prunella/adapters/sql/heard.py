"""Which reports of other libraries' clients were kept lately: one that is sent again counts once.

A client sends again what it got no answer to, perhaps to another server or to one that was started
anew. So the ids of reports are kept in the transaction that keeps what they report, for an hour or two:
clients give up long before that. Of an id 64 bits are kept.
"""

from collections.abc import Iterable
from hashlib import blake2b

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.lookups import rows_with_pairs
from prunella.model.clock import now, to_us

#: Ids of this hour and of the one before are known, and of the next, which another server's clock may
#: have reached.
_HOUR_US = 3_600_000_000
#: Older ones are removed a few at a time, but more than come, so that nobody waits for it.
_REMOVED_LEAST = 500


def known(db: Connection, events: Iterable[str]) -> set[str]:
    """Return those of the ids `events` whose reports were kept."""
    by_number = {_number(event): event for event in events}
    hour = _hour()
    hours = (hour, hour - 1, hour + 1)
    pairs = [(each, number) for each in hours for number in by_number]
    found = rows_with_pairs(db, "report", "heard", ("hour", "report"), pairs)
    return {by_number[number] for (number,) in found}


def remember(db: Connection, events: Iterable[str]) -> None:
    """Keep ids, and forget old ones."""
    hour = _hour()
    rows = [(hour, _number(event)) for event in events]
    if not rows:
        return
    db.executemany(
        "INSERT INTO heard (hour, report) VALUES (?, ?) ON CONFLICT (hour, report) DO NOTHING", rows
    )
    forget(db, max(2 * len(rows), _REMOVED_LEAST))


def forget(db: Connection, most: int) -> int:
    """Remove up to `most` of the ids that are known no more; return how many that were."""
    removed = db.execute(
        "DELETE FROM heard WHERE (hour, report) IN "
        "(SELECT hour, report FROM heard WHERE hour < ? ORDER BY hour, report LIMIT ?)",
        (_hour() - 1, most),
    )
    return removed.rowcount


def _hour() -> int:
    return to_us(now()) // _HOUR_US


def _number(event: str) -> int:
    digest = blake2b(event.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
