"""What the programs of a project report to it over the network, and what they hear from it."""

import json
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

from prunella.adapters.feed import installations_of, switched_off
from prunella.adapters.posts import Elsewhere, Kept, Removed, expected, forget_post, keep_post
from prunella.codec import Redactor
from prunella.model.project import data_folder
from prunella.model.records import Record
from prunella.pipeline import switches
from prunella.ports import Store

if TYPE_CHECKING:
    from prunella.wiring.healer import Healer

__all__ = ["Elsewhere", "Kept", "Programs", "Removed"]

#: A file of this name in the data folder switches the SDK off.
_DISABLED = "disabled"


class Programs:
    """The side of one project that running programs see. Safe to use from several threads."""

    def __init__(self, healer: "Healer") -> None:
        self._healer = healer
        self._opening = Lock()

    def _store(self) -> Store:
        with self._opening:  # the first requests come at once
            self._healer.make_store()
        return self._healer.store

    def expected(self, spool_name: str, offset: int) -> Elsewhere | Removed | None:
        """Tell what is in the way of a post of a spool file that begins at `offset`."""
        return expected(self._store(), spool_name, offset)

    def keep(self, spool_name: str, offset: int, content: bytes) -> Kept | Elsewhere | Removed:
        """Keep whole lines that stand at `offset` of a spool file, if nothing is in the way.

        Raises `StoreError` and, for what isn't lines, `RecordError`.
        """
        return keep_post(self._store(), spool_name, offset, content)

    def forget(self, spool_name: str) -> None:
        """Note that a program has removed a spool file that was kept to its end."""
        forget_post(self._store(), spool_name)

    def keep_records(self, records: Sequence[Record], *, source: str) -> None:
        """Keep what another kind of client reported; raises `StoreError`."""
        self._store().ingest(records, spool_name=f"{source}/", end_offset=0)

    def redactor(self) -> Redactor:
        """Return what takes secrets out of what comes from other clients, by the project's settings."""
        settings = self._healer.settings
        names = [name.strip() for name in settings.redact_names.split(",") if name.strip()]
        return Redactor(
            extra_names=names,
            extra_patterns=settings.redact_patterns.split(),
            emails=settings.redact_emails,
        )

    def settle(self) -> int:
        """Do with new records what is due; return how many failures were put into incidents."""
        return self._healer.settle()

    def feed(self) -> bytes:
        """Return the document that says what programs are to apply; raises `StoreError`."""
        store = self._store()
        kept = switches.switched_off(store)
        folder = data_folder(self._healer.root)
        by_file = switched_off(folder)
        document = {
            "installations": installations_of(store),
            "off": {
                "sdk": kept.sdk or (folder / _DISABLED).exists(),
                "all": kept.all_fixes or None in by_file,
                "fixes": sorted({*kept.fixes, *(each for each in by_file if each is not None)}),
            },
        }
        return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
