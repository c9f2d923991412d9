"""The embedded store: one SQLite file in ``.prunella/``, no service, no third-party package."""

from pathlib import Path

from prunella.adapters.sql.migrations import STORE
from prunella.adapters.sql_store import SqlStore
from prunella.adapters.sqlite import SqliteDatabase


def open_store(path: Path, *, create: bool) -> SqlStore:
    """Open the store at `path`, bringing its schema up to date.

    With `create` a missing file is made, with its folder; without it, `StoreError` says that
    nothing has been recorded yet. A file that is damaged, of another program or of a newer release
    raises `StoreError` and is left as it is.
    """
    return SqlStore(SqliteDatabase(path, STORE, create=create))
