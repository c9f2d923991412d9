"""Composition root: the only package that knows which adapter serves which port.

`prunella.wiring.healer.Healer` puts the healer together; `drain` is all that a running program needs
of it, and imports no more than that.
"""

from pathlib import Path

from prunella.model.project import data_folder

__all__ = ["drain"]


def drain(root: Path) -> None:
    """Move what the program at `root` has spooled into its embedded store.

    Called from the SDK's background thread; raises `StoreError` where the store can't take it, and
    nothing is lost then.
    """
    from prunella.adapters.spool import drain as drain_spool
    from prunella.adapters.sqlite_store import open_store

    folder = data_folder(root)
    store = open_store(folder / STORE_NAME, create=True)
    try:
        drain_spool(folder / SPOOL_NAME, store)
    finally:
        store.close()


STORE_NAME = "prunella.db"
SPOOL_NAME = "spool"
