"""The schema of what spans projects: people, keys, sessions, what is counted of them."""

from prunella.adapters.sql.plan import Plan

_FIRST = (
    """
    CREATE TABLE project (
        name TEXT PRIMARY KEY,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE person (
        name TEXT PRIMARY KEY,
        subject TEXT UNIQUE,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE session (
        digest TEXT PRIMARY KEY,
        person TEXT NOT NULL,
        made_us INTEGER NOT NULL,
        seen_us INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX session_by_person ON session (person)",
    """
    CREATE TABLE invitation (
        digest TEXT PRIMARY KEY,
        person TEXT NOT NULL,
        expires_us INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE credential (
        seq INTEGER PRIMARY KEY,
        credential_id TEXT NOT NULL UNIQUE,
        digest TEXT NOT NULL UNIQUE,
        project TEXT NOT NULL,
        ended_us INTEGER,
        body TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE used (
        credential_id TEXT NOT NULL,
        day TEXT NOT NULL,
        requests INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        PRIMARY KEY (credential_id, day)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE failed_login (
        seq INTEGER PRIMARY KEY,
        subject TEXT NOT NULL,
        at_us INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX failed_login_by_subject ON failed_login (subject, at_us)",
    "CREATE INDEX failed_login_by_time ON failed_login (at_us)",
    """
    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY,
        audit_id TEXT NOT NULL UNIQUE,
        body TEXT NOT NULL
    ) STRICT
    """,
)

#: "PRUD"
DIRECTORY = Plan(name="directory", application_id=0x50525544, steps=(_FIRST,))
