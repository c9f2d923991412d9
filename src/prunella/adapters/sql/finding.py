"""Finding incidents: by words, code, site, status, release; page by page.

Words are looked for as parts of a column of lower-case text, in both databases alike: identifiers are
found by any part of them, which no index of whole words does, and reading that column of 10,000
incidents takes a few milliseconds.
"""

from collections.abc import Mapping, Sequence

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.incidents import COLUMNS, to_incident
from prunella.adapters.sql.rows import Condition, joined, marks, text
from prunella.model.clock import to_us
from prunella.model.incidents import Incident, IncidentStatus
from prunella.ports import IncidentOrder, IncidentPage, IncidentQuery

#: More words than this ask for nothing that the first don't.
_MAX_WORDS = 10
#: A share of the processes that is few.
_FEW = 0.15
#: More processes than this are looked up where they stand.
_MOST_NAMED = 500
#: Rows that are read by one statement.
_ROWS_AT_ONCE = 500
_ORDERS = {
    IncidentOrder.LAST_SEEN: "last_us",
    IncidentOrder.FIRST_SEEN: "first_us",
    IncidentOrder.COUNT: "count",
}

_OR_BELOW = "({0} = ? OR substr({0}, 1, length(?)) = ?)"


def find_incidents(db: Connection, query: IncidentQuery) -> IncidentPage:
    """Return one page of the incidents that are asked for; `limit` and `offset` below 0 count as 0."""
    by_status, page = _counted(db, query)
    found: dict[int, Incident] = {}
    for begin in range(0, len(page), _ROWS_AT_ONCE):
        some = page[begin : begin + _ROWS_AT_ONCE]
        rows = db.execute(
            f"SELECT seq, {COLUMNS} FROM incident WHERE seq IN ({marks(some)})",  # noqa: S608
            some,
        )
        found.update((seq, to_incident(tuple(row))) for seq, *row in rows)
    return IncidentPage(
        items=[found[seq] for seq in page],
        total=sum(by_status.get(status, 0) for status in set(query.statuses or by_status)),
        by_status=by_status,
    )


def _counted(
    db: Connection, query: IncidentQuery
) -> tuple[Mapping[IncidentStatus, int], Sequence[int]]:
    """Return how many there are of each status, and `seq` of those on the page, in order.

    By one statement, so that looking for something reads the whole table once; without that, each of
    its halves has an index.
    """
    conditions = _conditions(db, query)
    where, values = joined(conditions)
    place, found, source = _ORDERS[query.order], "", "incident"
    if len(conditions) > (query.since is not None):
        found = f"WITH found AS (SELECT seq, status, {place} FROM incident WHERE {where})"  # noqa: S608
        source, where = "found", "true"
    shown = tuple(status.value for status in query.statuses)
    among = f"{where} AND status IN ({marks(shown)})" if shown else where
    rows = db.execute(
        f"{found} SELECT status, count(*), 0 FROM {source} WHERE {where} GROUP BY status "  # noqa: S608
        f"UNION ALL SELECT NULL, seq, {place} FROM (SELECT seq, {place} FROM {source} "
        f"WHERE {among} ORDER BY {place} DESC, seq DESC LIMIT ? OFFSET ?) AS page",
        (
            *(values if found else values * 2),
            *shown,
            max(query.limit, 0),
            max(query.offset, 0),
        ),
    ).fetchall()
    page = sorted(((at, seq) for status, seq, at in rows if status is None), reverse=True)
    by_status = {IncidentStatus(status): number for status, number, _ in rows if status}
    return by_status, [seq for _, seq in page]


def releases(db: Connection) -> Sequence[str]:
    rows = db.execute(
        "SELECT release FROM process WHERE release IS NOT NULL GROUP BY release "
        "ORDER BY max(started_us) DESC, release"
    )
    return [release for (release,) in rows]


def _conditions(db: Connection, query: IncidentQuery) -> list[Condition]:
    found: list[Condition] = [
        ("search LIKE ? ESCAPE '!'", (f"%{_escaped(word)}%",))
        for word in text(query.text).lower().split()[:_MAX_WORDS]
    ]
    if query.error_code:
        code = text(query.error_code)
        found.append((_OR_BELOW.format("error_code"), _or_below(code, ".")))
    if query.site:
        found.append((_OR_BELOW.format("site_id"), _or_below(text(query.site), ":")))
    for column, value in (("release", query.release), ("environment", query.environment)):
        if value:
            found.append(_seen(db, column, text(value)))
    if query.since is not None:
        found.append(("last_us >= ?", (to_us(query.since),)))
    return found


def _seen(db: Connection, column: str, value: str) -> Condition:
    """Return what holds for incidents that were seen in a process whose `column` has this value.

    Few processes: what these saw is looked up, by their names where they aren't too many, of which
    PostgreSQL knows that they are few. Many: most incidents were seen by one of the first that are
    looked at, one incident after the other (PostgreSQL would join all with an EXISTS). The other way
    round each would read the whole table of what processes saw.
    """
    of_them = f"SELECT process_id FROM process WHERE {column} = ?"  # noqa: S608 - a constant
    names = [name for (name,) in db.execute(of_them, (value,))]
    (known,) = db.execute("SELECT count(*) FROM process").fetchone()
    if len(names) >= known * _FEW:
        return (
            "(SELECT 1 FROM alike JOIN process USING (process_id) "  # noqa: S608 - a constant
            f"WHERE alike.incident_id = incident.incident_id AND process.{column} = ? LIMIT 1) = 1",
            (value,),
        )
    values = (value,)
    if 0 < len(names) <= _MOST_NAMED:
        of_them, values = marks(names), tuple(names)
    return (
        f"incident_id IN (SELECT incident_id FROM alike WHERE process_id IN ({of_them}) "  # noqa: S608
        "AND incident_id IS NOT NULL)",
        values,
    )


def _or_below(name: str, separator: str) -> tuple[str, str, str]:
    """Return the values of `_OR_BELOW`: a name, and the beginning of what is below it."""
    beginning = name.rstrip(separator) + separator
    return name, beginning, beginning


def _escaped(value: str) -> str:
    return value.replace("!", "!!").replace("%", "!%").replace("_", "!_")
