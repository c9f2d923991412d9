"""Recorded successes: finding them, and marking those that are references."""

import json
from collections.abc import Sequence

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.rows import Condition, joined, load, moment, text
from prunella.model.clock import from_us, now, to_us
from prunella.model.errors import AmbiguousName, StoreError, UnknownName
from prunella.model.ids import SiteId
from prunella.model.records import Call
from prunella.ports import CallFacts, KeptCall

_MAX_CHOICES = 10
#: `seq` of every golden call, and of the calls that one made: without their answers it can't be
#: replayed.
GOLDEN = (
    "SELECT seq FROM call WHERE golden_us IS NOT NULL UNION SELECT child.seq FROM call AS golden "
    "JOIN call AS child ON child.parent_id = golden.call_id WHERE golden.golden_us IS NOT NULL"
)


def calls(db: Connection, site_id: str, limit: int) -> list[Call]:
    """Return golden calls before others; within both the newest come first."""
    found: list[Call] = []
    for golden in ("NOT NULL", "NULL"):
        rows = db.execute(
            f"SELECT body FROM call WHERE site_id = ? AND golden_us IS {golden} "  # noqa: S608
            "ORDER BY started_us DESC, seq DESC LIMIT ?",
            (text(site_id), limit - len(found)),
        )
        found += [load(Call, body) for (body,) in rows]
    return found


def kept_calls(
    db: Connection, site_id: str | None, golden_only: bool, limit: int
) -> Sequence[KeptCall]:
    # Conditions that don't ask for anything would keep SQLite from its indexes.
    wanted: list[Condition] = [("site_id = ?", (text(site_id),))] if site_id is not None else []
    wanted += [("golden_us IS NOT NULL", ())] if golden_only else []
    where, values = joined(wanted)
    rows = db.execute(
        f"SELECT body, golden_us FROM call WHERE {where} "  # noqa: S608 - constants
        "ORDER BY started_us DESC, seq DESC LIMIT ?",
        (*values, limit),
    )
    return [_kept(*row) for row in rows]


def facts(db: Connection, site_ids: Sequence[str], limit: int) -> dict[SiteId, Sequence[CallFacts]]:
    """Read no values: reading a call in full takes much longer than finding it."""
    found: dict[SiteId, Sequence[CallFacts]] = {}
    for site_id in site_ids:
        rows = db.execute(
            "SELECT body, golden_us FROM call WHERE site_id = ? "
            "ORDER BY started_us DESC, seq DESC LIMIT ?",
            (text(site_id), limit),
        )
        found[SiteId(site_id)] = [_facts(*row) for row in rows]
    return found


def kept_call(db: Connection, beginning: str) -> KeptCall:
    """Find a call by its id or an unambiguous beginning, with or without ``call_``."""
    wanted = text(beginning.strip())
    if wanted and not wanted.startswith("call_"):
        wanted = f"call_{wanted}"
    found = db.execute(
        "SELECT call_id, body, golden_us FROM call WHERE call_id >= ?1 AND call_id < ?1 || '~' "
        "AND substr(call_id, 1, length(?1)) = ?1 ORDER BY call_id LIMIT ?2",
        (wanted, _MAX_CHOICES),
    ).fetchall()
    if not found or len(wanted) <= len("call_"):
        raise UnknownName(
            f"no recorded call has the id {beginning!r}; `prunella calls` lists them. A sampled call "
            "that is neither golden nor needed by an incident is forgotten after a while"
        )
    if len(found) > 1 and found[0][0] != wanted:
        raise AmbiguousName(beginning, [row[0] for row in found])
    return _kept(*found[0][1:])


def mark(db: Connection, call_id: str, *, golden: bool) -> None:
    """Make a call a reference, or an ordinary one again; the first marking's moment stays."""
    golden_us = moment(to_us(now())) if golden else None
    db.execute(
        "UPDATE call SET golden_us = CASE WHEN ?1 IS NULL THEN NULL ELSE coalesce(golden_us, ?1) END "
        "WHERE call_id = ?2",
        (golden_us, text(call_id)),
    )


def golden_bytes(db: Connection) -> int:
    """Return what golden calls and the calls they made take, in bytes."""
    row = db.execute(
        f"SELECT coalesce(sum(length(body)), 0) FROM call WHERE seq IN ({GOLDEN})"  # noqa: S608
    ).fetchone()
    return int(row[0])


def _facts(body: str, golden_us: int | None) -> CallFacts:
    try:
        plain = json.loads(body)
        return CallFacts(
            duration_us=int(plain["duration_us"]),
            source_hash=str(plain["source_hash"]),
            complete=bool(plain["complete"]),
            is_golden=golden_us is not None,
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise StoreError(f"A call in the store can't be read ({error})") from error


def _kept(body: str, golden_us: int | None) -> KeptCall:
    return KeptCall(
        call=load(Call, body), golden_at=None if golden_us is None else from_us(golden_us)
    )
