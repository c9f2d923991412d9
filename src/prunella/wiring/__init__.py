"""Composition root: the only package that knows which adapter serves which port.

`prunella.wiring.healer.Healer` puts the healer together; `drain` is all that a running program needs
of it, and imports no more than that.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from prunella.model.errors import ConfigurationError
from prunella.model.project import data_folder
from prunella.model.settings import Settings, load, variable_name

if TYPE_CHECKING:
    from prunella.adapters.spool import Retention
    from prunella.ports import Store

__all__ = ["drain", "retention"]

SPOOL_NAME = "spool"


def drain(root: Path) -> None:
    """Move what the program at `root` has spooled into its embedded store, and forget what is old.

    Called from the SDK's background thread; raises `StoreError` where the store can't take it, and
    nothing is lost then. Settings that can't be read count as the defaults: records matter more.
    Records of a folder that reports to a server are left to the programs that know its address.
    """
    from prunella.adapters.spool import drain as drain_spool
    from prunella.sdk.reporting_state import STATE_NAME
    from prunella.wiring.stores import open_store

    try:
        settings = load(root).settings
    except ConfigurationError:
        if os.environ.get(variable_name("database")):
            raise  # the embedded store is not where they belong
        settings = Settings()
    folder = data_folder(root)
    if (folder / STATE_NAME).exists():
        return
    store = open_store(root, settings, create=True)
    try:
        drain_spool(folder / SPOOL_NAME, store, retention=retention(settings))
        _advance(folder, store, settings)
    finally:
        store.close()


def _advance(folder: Path, store: "Store", settings: Settings) -> None:
    """Let rollouts go on by what was just counted; the healer's code is loaded only for that."""
    from prunella.adapters.feed import FILE_NAME, FileFeed
    from prunella.model.rollouts import LIVE

    if not (folder / FILE_NAME).exists() and not store.rollouts(states=LIVE):
        return
    from prunella.pipeline.advancing import advance_rollouts

    advance_rollouts(store, FileFeed(folder), settings)


def retention(settings: Settings) -> "Retention":
    """Return what the store may keep: ``retention_days`` and ``store_mb``, with limits that work.

    A day and a megabyte are the least: what was just recorded has to stay until it is looked at.
    """
    from datetime import timedelta

    from prunella.adapters.spool import Retention

    days = min(max(settings.retention_days, 1), timedelta.max.days)
    return Retention(max_age=timedelta(days=days), max_bytes=max(settings.store_mb, 1) * 2**20)
