"""Secrets to sign with: made once, whoever asks first, and the same for everybody who has the store."""

import secrets

from prunella.adapters.sql.connection import Connection

_BYTES = 32


def secret(db: Connection, name: str) -> bytes:
    """Return the secret of that name, made where there is none; in a transaction that may write."""
    db.execute(
        "INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (name, secrets.token_hex(_BYTES)),
    )
    (value,) = db.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchall()[0]
    return bytes.fromhex(value)
