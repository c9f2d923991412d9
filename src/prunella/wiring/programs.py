"""What the programs of a project report to it over the network, and what they hear from it."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from prunella.adapters.feed import installations_of, switched_off
from prunella.adapters.posts import (
    Answer,
    Elsewhere,
    Kept,
    Post,
    Removed,
    expected,
    forget_post,
    keep_posts,
)
from prunella.codec import Redactor
from prunella.model.project import DISABLED, data_folder
from prunella.model.records import Record
from prunella.pipeline import switches
from prunella.pipeline.refresh import Intake
from prunella.ports import Store
from prunella.triage import load_rules
from prunella.wiring.fixes import user

#: The project's rules are read anew this often.
_RULES_S = 10.0
_MAX_INTAKES = 8

if TYPE_CHECKING:
    from prunella.wiring.healer import Healer

__all__ = ["Answer", "Elsewhere", "Kept", "Post", "Programs", "Removed"]


class Programs:
    """The side of one project that running programs see. Safe to use from several threads."""

    def __init__(self, healer: "Healer") -> None:
        self._healer = healer
        self._opening = Lock()
        self._intakes: list[Intake] = []
        self._rules_until = 0.0

    def _store(self) -> Store:
        with self._opening:  # the first requests come at once
            self._healer.make_store()
        return self._healer.store

    def expected(self, spool_name: str, offset: int) -> Elsewhere | Removed | None:
        """Tell what is in the way of a post of a spool file that begins at `offset`."""
        return expected(self._store(), spool_name, offset)

    def keep(
        self, posts: Iterable[Post], *, loads: Callable[[bytes], Any] = json.loads
    ) -> list[Answer]:
        """Keep what programs post of their spool files; return what became of each post.

        `loads` reads JSON and raises `ValueError` where it is none. Raises `StoreError` where there
        is no store to keep anything in.
        """
        with self._intake() as intake:
            return keep_posts(self._store(), intake.triaged, posts, loads)

    def forget(self, spool_name: str) -> None:
        """Note that a program has removed a spool file that was kept to its end."""
        forget_post(self._store(), spool_name)

    def keep_records(
        self, records: Sequence[Record], *, source: str, events: Sequence[str] = ()
    ) -> Collection[str]:
        """Keep what another kind of client reported; raises `StoreError`.

        `events` are the ids of the reports. Where any of these was kept before, by whichever server,
        nothing is, and the answer is which they were.
        """
        with self._intake() as intake:
            while not intake.take(records, spool_name=f"{source}/", end_offset=0, events=events):
                if known := self._store().heard(events):
                    return known
        return ()

    @contextmanager
    def _intake(self) -> Iterator[Intake]:
        """Lend what takes records in, to one thread at a time, by the rules as they are."""
        store = self._store()
        with self._opening:
            if monotonic() > self._rules_until:
                self._rules_until = monotonic() + _RULES_S
                self._intakes.clear()
            intake = self._intakes.pop() if self._intakes else None
        if intake is None:
            intake = Intake(store, load_rules(self._healer.root))
        yield intake
        with self._opening:
            if len(self._intakes) < _MAX_INTAKES:
                self._intakes.append(intake)

    def switch(
        self,
        fix_id: str | None,
        *,
        off: bool,
        recording: bool = False,
        actor: str = "",
        reason: str = "",
    ) -> bool:
        """Switch one fix off (or on) in all programs that report here, or all fixes (``None``).

        With `recording`, all that Prunella does in them. Returns whether it was otherwise before.
        """
        if recording:
            which = switches.SDK
        else:
            which = switches.FIXES if fix_id is None else switches.switch_of(fix_id)
        return switches.turn(self._store(), which, off=off, actor=actor or user(), reason=reason)

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
                "sdk": kept.sdk or (folder / DISABLED).exists(),
                "all": kept.all_fixes or None in by_file,
                "fixes": sorted({*kept.fixes, *(each for each in by_file if each is not None)}),
            },
        }
        return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
