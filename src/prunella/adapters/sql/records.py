"""What programs reported: reading processes, sites, calls, occurrences and counts."""

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.rows import load, text
from prunella.model.records import Call, Counts, Occurrence, Process, Site


def spool_offset(db: Connection, spool_name: str) -> int:
    row = db.execute("SELECT end_offset FROM spool WHERE name = ?", (text(spool_name),)).fetchone()
    return row[0] if row else 0


def sites(db: Connection) -> list[Site]:
    rows = db.execute(
        "SELECT body FROM site WHERE seq IN (SELECT max(seq) FROM site GROUP BY site_id) "
        "ORDER BY site_id"
    )
    return [load(Site, body) for (body,) in rows]


def process(db: Connection, process_id: str) -> Process | None:
    row = db.execute(
        "SELECT body FROM process WHERE process_id = ?", (text(process_id),)
    ).fetchone()
    return load(Process, row[0]) if row else None


def children(db: Connection, call_id: str) -> list[Call]:
    rows = db.execute(
        "SELECT body FROM call WHERE parent_id = ? ORDER BY started_us, seq", (text(call_id),)
    )
    return [load(Call, body) for (body,) in rows]


def counts(db: Connection) -> list[Counts]:
    rows = db.execute("SELECT body FROM counts ORDER BY process_id")
    return [load(Counts, body) for (body,) in rows]


def untriaged(db: Connection, limit: int) -> list[Occurrence]:
    rows = db.execute(
        "SELECT body FROM occurrence WHERE incident_id IS NULL AND caused_by IS NULL "
        "ORDER BY failed_us, seq LIMIT ?",
        (limit,),
    )
    return [load(Occurrence, body) for (body,) in rows]
