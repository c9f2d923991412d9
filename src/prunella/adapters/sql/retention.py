"""Forgetting: by age, then by size, the least useful first.

*Referenced* is what the healer may still want to look at or replay. An incident that isn't closed
(open, mitigated or regressed) stands on its latest occurrences and the latest calls of its site; a
verdict and a case stand on the calls and occurrences that were replayed for them; and each of these
on the calls that it made. Candidates, verdicts and publications stay as long as their incident. Age
never removes anything referenced; size does, but only after everything else, because a store that
fills the disk heals nothing.

*Golden* calls, which somebody marked as references, stay whatever their age and the store's size,
with the calls that they made. Of the rest, size takes, in this order and oldest first: calls
that are neither referenced nor among the latest of their site, other calls that aren't referenced,
such occurrences, any calls, all but the latest occurrence of each incident, whole incidents.
"""

from prunella.adapters.sql import heard
from prunella.adapters.sql.calls import GOLDEN
from prunella.adapters.sql.connection import Database
from prunella.model.clock import now, to_us

#: What stays of an incident that isn't closed.
KEPT_OCCURRENCES = 20
KEPT_CALLS = 200
#: Pruning by size begins at the first share of the limit, so that the store stays below it between
#: two looks, and goes on down to the second, so that it isn't due again at once.
_HIGH_WATER_RATIO = 0.9
_TARGET_RATIO = 0.8
#: Rows removed in one transaction, at most: writers don't wait long for it.
_BATCH_ROWS = 200
#: The same for rows of two numbers.
_BATCH_IDS = 10_000
#: What an incident is taken to have with all that goes with it, in bytes.
_INCIDENT_BYTES = 256 * 1024
_REFERENCED = (
    "CREATE TEMP TABLE IF NOT EXISTS kept_occurrence (seq BIGINT PRIMARY KEY)",
    "CREATE TEMP TABLE IF NOT EXISTS kept_call (seq BIGINT PRIMARY KEY)",
    "CREATE TEMP TABLE IF NOT EXISTS golden_call (seq BIGINT PRIMARY KEY)",
    "DELETE FROM kept_occurrence",
    "DELETE FROM kept_call",
    "DELETE FROM golden_call",
    f"INSERT INTO golden_call {GOLDEN}",
    """
    INSERT INTO kept_occurrence SELECT seq FROM (
        SELECT occurrence.seq AS seq, row_number() OVER
            (PARTITION BY incident_id ORDER BY failed_us DESC, occurrence.seq DESC) AS place
        FROM occurrence JOIN incident USING (incident_id)
        WHERE status IN ('open', 'mitigated', 'regressed')
    ) AS ranked WHERE place <= :occurrences
    """,
    """
    INSERT INTO kept_occurrence SELECT seq FROM occurrence
        WHERE occurrence_id IN (SELECT record_id FROM evidence) ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO kept_call SELECT seq FROM (
        SELECT seq, row_number() OVER
            (PARTITION BY site_id ORDER BY started_us DESC, seq DESC) AS place
        FROM call WHERE site_id IN
            (SELECT site_id FROM incident WHERE status IN ('open', 'mitigated', 'regressed'))
    ) AS ranked WHERE place <= :calls
    """,
    """
    INSERT INTO kept_call SELECT seq FROM call
        WHERE call_id IN (SELECT record_id FROM evidence) ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO kept_call SELECT call.seq FROM call WHERE parent_id IN
        (SELECT call_id FROM occurrence JOIN kept_occurrence USING (seq) UNION ALL
        SELECT call_id FROM call JOIN kept_call USING (seq)) ON CONFLICT DO NOTHING
    """,
    "INSERT INTO kept_call SELECT seq FROM golden_call WHERE true ON CONFLICT DO NOTHING",
)

#: The latest calls of each site, whether it fails or not: a busy site doesn't push out the others.
_RECENT = (
    "CREATE TEMP TABLE IF NOT EXISTS recent_call (seq BIGINT PRIMARY KEY)",
    "DELETE FROM recent_call",
    """
    INSERT INTO recent_call SELECT seq FROM (
        SELECT seq, row_number() OVER
            (PARTITION BY site_id ORDER BY started_us DESC, seq DESC) AS place
        FROM call
    ) AS ranked WHERE place <= :calls
    """,
)

# Removing asks for `golden_us` itself, because a call may be marked after the temporary tables were
# filled.
_OLD_CALLS = (
    "DELETE FROM call WHERE seq IN (SELECT seq FROM call WHERE started_us < :before "
    "AND golden_us IS NULL AND seq NOT IN (SELECT seq FROM kept_call) LIMIT :batch)"
)
_OLD_OCCURRENCES = (
    "DELETE FROM occurrence WHERE seq IN (SELECT seq FROM occurrence WHERE failed_us < :before "
    "AND seq NOT IN (SELECT seq FROM kept_occurrence) LIMIT :batch)"
)
_OLD_REST = (
    # Without a record that refers to it, nobody asks for a process, site version or group again.
    "DELETE FROM process WHERE started_us < :before AND NOT EXISTS (SELECT 1 FROM call "
    "WHERE call.process_id = process.process_id) AND NOT EXISTS (SELECT 1 FROM occurrence "
    "WHERE occurrence.process_id = process.process_id) AND process_id NOT IN "
    "(SELECT process_id FROM counts WHERE touched_us >= :before)",
    "DELETE FROM counts WHERE touched_us < :before",
    "DELETE FROM alike WHERE last_us < :before",
    "DELETE FROM spool WHERE end_offset < 0 AND touched_us < :before",
    "DELETE FROM claim WHERE started_us < :before AND lease_us < :before",
    "DELETE FROM job WHERE made_us < :before AND state NOT IN ('waiting', 'running')",
    "DELETE FROM tally WHERE stretch < :before / 600000000",
    # What people were told of an incident stays as long as it, so that they aren't told again.
    "DELETE FROM alert WHERE at_us < :before AND subject NOT IN (SELECT incident_id FROM incident) "
    "AND subject NOT IN (SELECT rollout_id FROM rollout)",
    "DELETE FROM delivery WHERE alert_id NOT IN (SELECT alert_id FROM alert)",
    "DELETE FROM mute WHERE until_us < :before",
    "DELETE FROM failure_sum WHERE stretch < :before / 600000000",
    "DELETE FROM site WHERE seq NOT IN (SELECT max(seq) FROM site GROUP BY site_id) "
    "AND NOT EXISTS (SELECT 1 FROM call WHERE call.site_id = site.site_id "
    "AND call.source_hash = site.source_hash) AND NOT EXISTS (SELECT 1 FROM occurrence "
    "WHERE occurrence.site_id = site.site_id AND occurrence.source_hash = site.source_hash)",
)

#: Whole incidents; `_ORPHANS` is what goes with them.
_INCIDENTS = (
    "DELETE FROM incident WHERE seq IN (SELECT seq FROM incident "
    "ORDER BY status NOT IN ('ignored', 'cured'), last_us LIMIT :batch)"
)
#: Oldest first, the least useful kind first.
_BY_SIZE = (
    "DELETE FROM call WHERE seq IN (SELECT seq FROM call "
    "WHERE golden_us IS NULL AND seq NOT IN (SELECT seq FROM kept_call) "
    "AND seq NOT IN (SELECT seq FROM recent_call) ORDER BY started_us LIMIT :batch)",
    "DELETE FROM call WHERE seq IN (SELECT seq FROM call "
    "WHERE golden_us IS NULL AND seq NOT IN (SELECT seq FROM kept_call) "
    "ORDER BY started_us LIMIT :batch)",
    "DELETE FROM occurrence WHERE seq IN (SELECT seq FROM occurrence "
    "WHERE seq NOT IN (SELECT seq FROM kept_occurrence) ORDER BY failed_us LIMIT :batch)",
    "DELETE FROM call WHERE seq IN (SELECT seq FROM call "
    "WHERE golden_us IS NULL AND seq NOT IN (SELECT seq FROM golden_call) "
    "ORDER BY started_us LIMIT :batch)",
    "DELETE FROM occurrence WHERE seq IN (SELECT seq FROM occurrence AS old "
    "WHERE EXISTS (SELECT 1 FROM occurrence AS newer WHERE newer.incident_id = old.incident_id "
    "AND newer.failed_us > old.failed_us) ORDER BY failed_us LIMIT :batch)",
    _INCIDENTS,
)
_ORPHANS = (
    "DELETE FROM tally WHERE incident_id NOT IN (SELECT incident_id FROM incident)",
    "DELETE FROM occurrence WHERE incident_id IS NOT NULL "
    "AND incident_id NOT IN (SELECT incident_id FROM incident)",
    "DELETE FROM alike WHERE incident_id IS NOT NULL "
    "AND incident_id NOT IN (SELECT incident_id FROM incident)",
    "DELETE FROM diagnosis WHERE incident_id NOT IN (SELECT incident_id FROM incident)",
    "DELETE FROM judgement WHERE incident_id NOT IN (SELECT incident_id FROM incident)",
    "DELETE FROM candidate WHERE incident_id NOT IN (SELECT incident_id FROM incident)",
    "DELETE FROM verdict WHERE candidate_id NOT IN (SELECT candidate_id FROM candidate)",
    "DELETE FROM publication WHERE candidate_id NOT IN (SELECT candidate_id FROM candidate)",
    "DELETE FROM evidence WHERE owner_id NOT IN (SELECT candidate_id FROM candidate) "
    "AND owner_id NOT IN (SELECT case_id FROM solved_case)",
)


def is_due(database: Database, *, after_us: int, max_bytes: int) -> bool:
    """Say whether the last pruning was before `after_us`, or the data comes close to `max_bytes`."""
    with database.reading() as db:
        pruned_us, taken_bytes = db.execute(
            "SELECT coalesce(max(pruned_us), -1), coalesce(max(taken_bytes), 0) FROM upkeep"
        ).fetchone()
    limit_bytes = int(max_bytes * _HIGH_WATER_RATIO)
    return bool(pruned_us <= after_us) or database.is_filling(limit_bytes, taken_bytes)


def prune(database: Database, *, before_us: int, max_bytes: int) -> int:
    """Forget what is older than `before_us` and what doesn't fit; return the rows removed."""
    with database.session():
        removed = _prune(database, before_us=before_us, max_bytes=max_bytes)
    database.give_back()
    taken_bytes = database.taken_bytes()
    with database.writing() as db:
        db.execute(
            "INSERT INTO upkeep (one, pruned_us, taken_bytes) VALUES (1, ?, ?) ON CONFLICT (one) "
            "DO UPDATE SET pruned_us = excluded.pruned_us, taken_bytes = excluded.taken_bytes",
            (to_us(now()), taken_bytes),
        )
    return removed


def _prune(database: Database, *, before_us: int, max_bytes: int) -> int:
    _mark(database, _REFERENCED)
    removed = _remove_all(database, _OLD_CALLS, before_us)
    removed += _remove_all(database, _OLD_OCCURRENCES, before_us)
    with database.writing() as db:
        for statement in _OLD_REST:
            removed += db.execute(statement, {"before": before_us}).rowcount
    removed += _forget_reports(database)
    if database.fill().used_bytes > max_bytes * _HIGH_WATER_RATIO:
        _mark(database, _RECENT)
        for statement in _BY_SIZE:
            removed += _remove_excess(database, statement, int(max_bytes * _TARGET_RATIO))
    return removed


def _forget_reports(database: Database) -> int:
    """Remove ids of reports that nobody sends again, which may be many once nothing is reported."""
    removed = 0
    while True:
        with database.writing() as db:
            count = heard.forget(db, _BATCH_IDS)
        removed += count
        if count < _BATCH_IDS:
            return removed


def _remove_all(database: Database, statement: str, before_us: int) -> int:
    """Run `statement` until it finds nothing more."""
    removed = 0
    while True:
        with database.writing() as db:
            values = {"before": before_us, "batch": _BATCH_ROWS}
            rows = db.execute(statement, values).rowcount
        removed += rows
        if not rows:
            return removed


def _remove_excess(database: Database, statement: str, target_bytes: int) -> int:
    """Run `statement` until it finds nothing more, or what remains is at most `target_bytes`."""
    removed = wanted = 0
    while True:
        if wanted <= 0:
            fill = database.fill()
            excess_bytes = fill.used_bytes - target_bytes
            if excess_bytes <= 0:
                return removed
            # An incident takes all its records with it.
            row_bytes = fill.row_bytes if statement != _INCIDENTS else _INCIDENT_BYTES
            wanted = 1 + excess_bytes // row_bytes
        with database.writing() as db:
            rows = db.execute(statement, {"batch": min(wanted, _BATCH_ROWS)}).rowcount
            removed += rows
            wanted -= rows
            if rows and statement == _INCIDENTS:
                removed += sum(db.execute(orphans).rowcount for orphans in _ORPHANS)
        if not rows:
            return removed


def _mark(database: Database, statements: tuple[str, ...]) -> None:
    """Fill temporary tables, which needs no write lock."""
    with database.reading() as db:
        for statement in statements:
            values = {"occurrences": KEPT_OCCURRENCES, "calls": KEPT_CALLS}
            db.execute(
                statement, {name: values[name] for name in values if f":{name}" in statement}
            )
