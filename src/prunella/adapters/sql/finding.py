"""Finding incidents: by words, code, site, status, release; page by page.

Words are looked for as parts of a column of lower-case text, in both databases alike: identifiers are
found by any part of them, which no index of whole words does, and reading that column of 10,000
incidents takes a few milliseconds.
"""

from collections.abc import Sequence
from typing import Any

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.incidents import COLUMNS, to_incident
from prunella.adapters.sql.rows import marks, text
from prunella.model.clock import to_us
from prunella.model.incidents import IncidentStatus
from prunella.ports import IncidentOrder, IncidentPage, IncidentQuery

#: More words than this ask for nothing that the first don't.
_MAX_WORDS = 10
#: A share of the processes that is few.
_FEW = 0.15
_ORDERS = {
    IncidentOrder.LAST_SEEN: "last_us",
    IncidentOrder.FIRST_SEEN: "first_us",
    IncidentOrder.COUNT: "count",
}

_OR_BELOW = "({0} = ? OR substr({0}, 1, length(?)) = ?)"

_Condition = tuple[str, tuple[Any, ...]]


def find_incidents(db: Connection, query: IncidentQuery) -> IncidentPage:
    """Return one page of the incidents that are asked for; `limit` and `offset` below 0 count as 0."""
    conditions = _conditions(db, query)
    where, values = _joined(conditions)
    by_status = {
        IncidentStatus(status): number
        for status, number in db.execute(
            f"SELECT status, count(*) FROM incident WHERE {where} GROUP BY status",  # noqa: S608
            values,
        )
    }
    wanted = query.statuses or tuple(IncidentStatus)
    if query.statuses:
        conditions.append(
            (f"status IN ({marks(wanted)})", tuple(status.value for status in wanted))
        )
        where, values = _joined(conditions)
    rows = db.execute(
        f"SELECT {COLUMNS} FROM incident WHERE {where} "  # noqa: S608 - constants and marks
        f"ORDER BY {_ORDERS[query.order]} DESC, seq DESC LIMIT ? OFFSET ?",
        (*values, max(query.limit, 0), max(query.offset, 0)),
    )
    return IncidentPage(
        items=[to_incident(row) for row in rows],
        total=sum(by_status.get(status, 0) for status in set(wanted)),
        by_status=by_status,
    )


def releases(db: Connection) -> Sequence[str]:
    rows = db.execute(
        "SELECT release FROM process WHERE release IS NOT NULL GROUP BY release "
        "ORDER BY max(started_us) DESC, release"
    )
    return [release for (release,) in rows]


def _conditions(db: Connection, query: IncidentQuery) -> list[_Condition]:
    found: list[_Condition] = [
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


def _seen(db: Connection, column: str, value: str) -> _Condition:
    """Return what holds for incidents that were seen in a process whose `column` has this value.

    Few processes: what these saw is looked up. Many: most incidents were seen by one of the first that
    are looked at. The other way round each would read the whole table of what processes saw.
    """
    (named,) = db.execute(f"SELECT count(*) FROM process WHERE {column} = ?", (value,)).fetchone()  # noqa: S608
    (known,) = db.execute("SELECT count(*) FROM process").fetchone()
    if named < known * _FEW:
        seen = (
            "incident_id IN (SELECT incident_id FROM alike WHERE process_id IN "  # noqa: S608
            f"(SELECT process_id FROM process WHERE {column} = ?) AND incident_id IS NOT NULL)"
        )
    else:
        seen = (
            "EXISTS (SELECT 1 FROM alike JOIN process USING (process_id) "  # noqa: S608
            f"WHERE alike.incident_id = incident.incident_id AND process.{column} = ?)"
        )
    return seen, (value,)


def _joined(conditions: Sequence[_Condition]) -> _Condition:
    if not conditions:
        return "true", ()
    return (
        " AND ".join(condition for condition, _ in conditions),
        tuple(value for _, values in conditions for value in values),
    )


def _or_below(name: str, separator: str) -> tuple[str, str, str]:
    """Return the values of `_OR_BELOW`: a name, and the beginning of what is below it."""
    beginning = name.rstrip(separator) + separator
    return name, beginning, beginning


def _escaped(value: str) -> str:
    return value.replace("!", "!!").replace("%", "!%").replace("_", "!_")
