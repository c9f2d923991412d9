"""The schema, as numbered steps that are only ever appended to.

Step *n* takes a store from schema version *n - 1* to *n*. A released step never changes: stores in
the field have run it. Bodies are `codec.plain` JSON; a column beside it exists where a query needs
it.
"""

from prunella.adapters.sql.plan import Each, Plan, Step

#: Marks a SQLite file as a store of ours ("PRUN").
APPLICATION_ID = 0x5052554E

_FIRST = (
    """
    CREATE TABLE spool (
        name TEXT PRIMARY KEY,
        end_offset INTEGER NOT NULL,
        touched_us INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE process (
        process_id TEXT PRIMARY KEY,
        started_us INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    # seq grows each time a version is reported, so the highest is the one that runs now.
    """
    CREATE TABLE site (
        seq INTEGER PRIMARY KEY,
        site_id TEXT NOT NULL,
        source_hash TEXT NOT NULL,
        body TEXT NOT NULL,
        UNIQUE (site_id, source_hash)
    ) STRICT
    """,
    """
    CREATE TABLE call (
        seq INTEGER PRIMARY KEY,
        call_id TEXT NOT NULL UNIQUE,
        site_id TEXT NOT NULL,
        source_hash TEXT NOT NULL,
        process_id TEXT NOT NULL,
        parent_id TEXT,
        started_us INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX call_by_site ON call (site_id, started_us)",
    "CREATE INDEX call_by_parent ON call (parent_id, started_us) WHERE parent_id IS NOT NULL",
    "CREATE INDEX call_by_age ON call (started_us)",
    """
    CREATE TABLE occurrence (
        seq INTEGER PRIMARY KEY,
        occurrence_id TEXT NOT NULL UNIQUE,
        incident_id TEXT,
        site_id TEXT NOT NULL,
        source_hash TEXT NOT NULL,
        process_id TEXT NOT NULL,
        call_id TEXT NOT NULL,
        ending TEXT NOT NULL,
        failed_us INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX occurrence_untriaged ON occurrence (failed_us, seq) WHERE incident_id IS NULL",
    "CREATE INDEX occurrence_by_incident ON occurrence (incident_id, failed_us)",
    "CREATE INDEX occurrence_by_age ON occurrence (failed_us)",
    # Failures that one process holds to be alike; repeats wait here until triage has been.
    """
    CREATE TABLE alike (
        process_id TEXT NOT NULL,
        alike_group TEXT NOT NULL,
        incident_id TEXT,
        waiting INTEGER NOT NULL DEFAULT 0,
        last_us INTEGER NOT NULL,
        PRIMARY KEY (process_id, alike_group)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX alike_by_incident ON alike (incident_id) WHERE incident_id IS NOT NULL",
    """
    CREATE TABLE counts (
        process_id TEXT PRIMARY KEY,
        sequence INTEGER NOT NULL,
        touched_us INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    # described_us: when the occurrence failed that message, code and location are from. Repeats
    # make last_us younger without describing anything.
    """
    CREATE TABLE incident (
        seq INTEGER PRIMARY KEY,
        incident_id TEXT NOT NULL UNIQUE,
        scheme TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        site_id TEXT NOT NULL,
        error_type TEXT NOT NULL,
        error_code TEXT NOT NULL,
        message TEXT NOT NULL,
        location TEXT,
        status TEXT NOT NULL,
        status_us INTEGER NOT NULL,
        ignored_by TEXT,
        ignored_by_rule INTEGER NOT NULL DEFAULT 0,
        count INTEGER NOT NULL,
        first_us INTEGER NOT NULL,
        last_us INTEGER NOT NULL,
        described_us INTEGER NOT NULL DEFAULT -1,
        UNIQUE (scheme, fingerprint)
    ) STRICT
    """,
    "CREATE INDEX incident_by_last_sight ON incident (last_us)",
    """
    CREATE TABLE diagnosis (
        seq INTEGER PRIMARY KEY,
        diagnosis_id TEXT NOT NULL UNIQUE,
        incident_id TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX diagnosis_by_incident ON diagnosis (incident_id)",
    """
    CREATE TABLE candidate (
        seq INTEGER PRIMARY KEY,
        candidate_id TEXT NOT NULL UNIQUE,
        incident_id TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX candidate_by_incident ON candidate (incident_id)",
    """
    CREATE TABLE verdict (
        seq INTEGER PRIMARY KEY,
        candidate_id TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX verdict_by_candidate ON verdict (candidate_id)",
    """
    CREATE TABLE publication (
        seq INTEGER PRIMARY KEY,
        candidate_id TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX publication_by_candidate ON publication (candidate_id)",
    # No foreign key: a case outlives its incident, that is what it is for.
    """
    CREATE TABLE solved_case (
        seq INTEGER PRIMARY KEY,
        case_id TEXT NOT NULL UNIQUE,
        incident_id TEXT NOT NULL,
        origin TEXT NOT NULL,
        body TEXT NOT NULL,
        UNIQUE (incident_id, origin)
    ) STRICT
    """,
    # What could not be kept, by reason: nothing is dropped without a trace.
    """
    CREATE TABLE refused (
        reason TEXT PRIMARY KEY,
        number INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE upkeep (one INTEGER PRIMARY KEY CHECK (one = 1), pruned_us INTEGER) STRICT",
)

_EXCHANGES = (
    """
    CREATE TABLE exchange (
        seq INTEGER PRIMARY KEY,
        exchange_id TEXT NOT NULL UNIQUE,
        incident_id TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX exchange_by_incident ON exchange (incident_id)",
)

#: What a day took of a model is asked before each question to it.
_EXCHANGES_BY_TIME = (
    "ALTER TABLE exchange ADD COLUMN asked_us INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX exchange_by_time ON exchange (asked_us)",
)

_ROLLOUTS = (
    """
    CREATE TABLE rollout (
        seq INTEGER PRIMARY KEY,
        rollout_id TEXT NOT NULL UNIQUE,
        fix_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        incident_id TEXT,
        state TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        changed_us INTEGER NOT NULL,
        body TEXT NOT NULL,
        UNIQUE (fix_id, version)
    ) STRICT
    """,
    "CREATE INDEX rollout_by_state ON rollout (state)",
    """
    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY,
        audit_id TEXT NOT NULL UNIQUE,
        subject TEXT NOT NULL,
        at_us INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX audit_by_subject ON audit (subject)",
)

#: When a call was marked as a reference; NULL for all others.
_GOLDEN_CALLS = (
    "ALTER TABLE call ADD COLUMN golden_us INTEGER",
    "CREATE INDEX call_golden ON call (site_id, started_us) WHERE golden_us IS NOT NULL",
)

#: Who heals which incident, and when it was last tried.
_CLAIMS = (
    """
    CREATE TABLE claim (
        seq INTEGER PRIMARY KEY,
        claim_id TEXT NOT NULL UNIQUE,
        incident_id TEXT NOT NULL,
        function TEXT NOT NULL,
        started_us INTEGER NOT NULL,
        lease_us INTEGER NOT NULL,
        ended_us INTEGER,
        body TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX claim_by_incident ON claim (incident_id)",
    "CREATE INDEX claim_by_function ON claim (function)",
    "CREATE INDEX claim_by_time ON claim (started_us)",
)

_JUDGEMENTS = (
    """
    CREATE TABLE judgement (
        incident_id TEXT NOT NULL,
        evidence_key TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (incident_id, evidence_key)
    ) STRICT, WITHOUT ROWID
    """,
)

#: What people are told, where to and how far it got; what they don't want to hear of for a while; and
#: how often incidents failed in each stretch of time.
_ALERTS = (
    """
    CREATE TABLE alert (
        seq INTEGER PRIMARY KEY,
        alert_id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        subject TEXT NOT NULL,
        at_us INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX alert_by_time ON alert (at_us)",
    "CREATE INDEX alert_by_subject ON alert (subject, kind)",
    """
    CREATE TABLE delivery (
        alert_id TEXT NOT NULL,
        target TEXT NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        due_us INTEGER NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (alert_id, target)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE mute (
        what TEXT PRIMARY KEY,
        until_us INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE tally (
        incident_id TEXT NOT NULL,
        stretch INTEGER NOT NULL,
        failures INTEGER NOT NULL,
        PRIMARY KEY (incident_id, stretch)
    ) STRICT, WITHOUT ROWID
    """,
)

#: What processes have counted of fixes in rollouts: the latest reading of every meter.
_EXPOSURES = (
    """
    CREATE TABLE reading (
        process_id TEXT NOT NULL,
        rollout_id TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        arm TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        ratio REAL NOT NULL,
        body TEXT NOT NULL,
        touched_us INTEGER NOT NULL,
        PRIMARY KEY (rollout_id, process_id, epoch, arm)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE effect (
        process_id TEXT NOT NULL,
        rollout_id TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        body TEXT NOT NULL,
        touched_us INTEGER NOT NULL,
        PRIMARY KEY (rollout_id, process_id)
    ) STRICT, WITHOUT ROWID
    """,
)

#: Long work that people asked for: at most one of a kind and subject at a time.
_JOBS = (
    """
    CREATE TABLE job (
        seq INTEGER PRIMARY KEY,
        job_id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        state TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        is_cancelled INTEGER NOT NULL,
        made_us INTEGER NOT NULL,
        lease_us INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX job_under_way ON job (kind, subject) "
    "WHERE state IN ('waiting', 'running')",
    "CREATE INDEX job_by_state ON job (state, seq)",
    "CREATE INDEX job_by_subject ON job (subject)",
)

#: What queries ask for stands in a column of its own, which every database can look up; who a program
#: ran for; what verdicts and cases rest on; failures of all incidents in each stretch of time; and the
#: text that incidents are searched in, in lower case.
_COLUMNS = (
    "ALTER TABLE occurrence ADD COLUMN caused_by TEXT",
    "ALTER TABLE process ADD COLUMN host TEXT",
    "ALTER TABLE process ADD COLUMN release TEXT",
    "ALTER TABLE process ADD COLUMN environment TEXT",
    "ALTER TABLE incident ADD COLUMN search TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE upkeep ADD COLUMN taken_bytes INTEGER NOT NULL DEFAULT 0",
    """
    CREATE TABLE evidence (
        owner_id TEXT NOT NULL,
        record_id TEXT NOT NULL,
        PRIMARY KEY (owner_id, record_id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE failure_sum (
        stretch INTEGER PRIMARY KEY,
        failures INTEGER NOT NULL
    ) STRICT
    """,
    # What a damaged body says nothing of is left out; reading the body will tell.
    Each(
        sqlite=(
            """
            UPDATE occurrence SET caused_by = json_extract(body, '$.caused_by')
            WHERE incident_id IS NULL AND json_valid(body)
            """,
            """
            UPDATE process SET host = json_extract(body, '$.hostname'),
                release = json_extract(body, '$.release'),
                environment = json_extract(body, '$.environment')
            WHERE json_valid(body)
            """,
            """
            INSERT OR IGNORE INTO evidence SELECT candidate_id, reference.value FROM verdict, json_each(
                CASE WHEN json_valid(body) THEN body ELSE '{}' END, '$.replays.reproduced'
            ) AS reference
            """,
            """
            INSERT OR IGNORE INTO evidence SELECT case_id, reference.value FROM solved_case, json_each(
                CASE WHEN json_valid(body) THEN body ELSE '{}' END, '$.rests_on'
            ) AS reference
            """,
        ),
    ),
    "INSERT INTO failure_sum SELECT stretch, sum(failures) FROM tally GROUP BY stretch",
    """
    UPDATE incident SET search = lower(
        error_code || ' ' || error_type || ' ' || site_id || ' ' || substr(message, 1, 600)
    )
    """,
    "DROP INDEX occurrence_untriaged",
    """
    CREATE INDEX occurrence_untriaged ON occurrence (failed_us, seq)
        WHERE incident_id IS NULL AND caused_by IS NULL
    """,
    "CREATE INDEX occurrence_by_cause ON occurrence (caused_by) WHERE caused_by IS NOT NULL",
    "CREATE INDEX incident_by_status ON incident (status, last_us)",
)

#: How the counts of a rollout grew, to be drawn: kept when there are some more units than before.
_POINTS = (
    """
    CREATE TABLE rollout_point (
        rollout_id TEXT NOT NULL,
        units INTEGER NOT NULL,
        at_us INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (rollout_id, units)
    ) STRICT, WITHOUT ROWID
    """,
)

#: Which releases and environments there are, and how many processes of each, whatever bodies hold.
_PROCESSES = (
    "CREATE INDEX process_by_release ON process (release, started_us)",
    "CREATE INDEX process_by_environment ON process (environment)",
)

#: What is signed with, the same for every server and command that has the store.
_SECRETS = (
    """
    CREATE TABLE secret (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)

#: Ids of what other libraries' clients reported lately, so that it counts once at whichever server.
_HEARD = (
    """
    CREATE TABLE heard (
        hour INTEGER NOT NULL,
        report INTEGER NOT NULL,
        PRIMARY KEY (hour, report)
    ) STRICT, WITHOUT ROWID
    """,
)

MIGRATIONS: tuple[Step, ...] = (
    _FIRST,
    _EXCHANGES,
    _EXCHANGES_BY_TIME,
    _GOLDEN_CALLS,
    _ROLLOUTS,
    _CLAIMS,
    _JUDGEMENTS,
    _ALERTS,
    _EXPOSURES,
    _JOBS,
    _COLUMNS,
    _POINTS,
    _PROCESSES,
    _SECRETS,
    _HEARD,
)

#: The schema of a project's store.
STORE = Plan(name="store", application_id=APPLICATION_ID, steps=MIGRATIONS)
