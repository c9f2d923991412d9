"""Reporting to a server: of all processes of a folder, one at a time does it for all.

Whoever holds ``report.lock`` ships every file of the folder's spool, also those of processes that
died, and listens for fixes; the others look now and then whether it is free. Two threads do that,
apart from the SDK's own: a server that is slow never delays the look at fixes and kill switches. What
fails is tried again later and later, and nothing of it reaches the program.
"""

import os
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from prunella.model.clock import now_us
from prunella.sdk.connection import Connection
from prunella.sdk.counters import count, guarded
from prunella.sdk.files import sweep, try_lock
from prunella.sdk.listening import Listener
from prunella.sdk.reporting_state import LOCK_NAME, ReportState, state_for, write_state
from prunella.sdk.shipping import NotShippedError, Shipper
from prunella.sdk.thinning import thin

if TYPE_CHECKING:
    from prunella.model.settings import Settings
    from prunella.sdk.dsn import Dsn

#: How often is looked whether something is to be shipped, and whether the lock is free.
LOOK_S = 1.0
#: What shipping gets at exit.
EXIT_S = 0.5
#: Wait after a failure, at first and at most.
_RETRY_S = (1.0, 300.0)


def open_reporter(data_folder: Path, settings: "Settings") -> "Reporter | None":
    """Return what reports a folder's records; ``None``, with a warning, where the DSN is unusable.

    Also ``None`` where the setting `offline` wants nothing to be sent: the records stay in the spool.
    """
    from prunella.model.errors import ConfigurationError
    from prunella.sdk.dsn import parse

    if settings.offline:
        return None
    try:
        dsn = parse(settings.dsn, plain_http=settings.dsn_plain_http)
    except ConfigurationError as error:
        count("report_unusable_dsn")
        with suppress(RuntimeWarning):  # a host that makes errors of warnings shall live
            warnings.warn(f"Prunella reports nothing: {error}", RuntimeWarning, stacklevel=2)
        return None
    return Reporter(data_folder, dsn, spool_bytes=max(settings.spool_mb, 1) * 1024 * 1024)


class Reporter:
    """Reports what one folder holds, from threads of this process, if no other process does."""

    def __init__(
        self,
        data_folder: Path,
        dsn: "Dsn",
        *,
        spool_bytes: int,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._folder = data_folder
        self._dsn = dsn
        self._spool_bytes = spool_bytes
        self._clock = clock
        self._stop, self._finished = threading.Event(), threading.Event()
        self._lock: int | None = None
        self._state: ReportState | None = None
        self._shipper: Shipper | None = None
        self._connections: list[Connection] = []
        self._retry_at = 0.0
        self._retry_s = _RETRY_S[0]

    def start(self) -> None:
        """Start the thread that ships; it starts the one that listens."""
        thread = threading.Thread(target=self._run, name="prunella-report", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the program is ending already: this thread has nothing else to do
            self._run()

    def finish(self) -> None:
        """At exit: ship what is left, if the server takes it at once. Takes `EXIT_S` at most."""
        self._stop.set()
        self._finished.wait(EXIT_S)

    def forget(self) -> None:
        """In a forked child: the lock is the parent's."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        for connection in self._connections:
            connection.abandon()

    def _run(self) -> None:
        try:
            while not self._stop.wait(LOOK_S):
                guarded("report", self.look)
            guarded("report", self.look, within_s=0.9 * EXIT_S)
            if self._shipper is not None:
                self._shipper.close()
        finally:
            self._finished.set()

    def look(self, *, within_s: float | None = None) -> None:
        """Do what is to be done now."""
        if self._lock is None and not self._begin(is_exit=within_s is not None):
            return
        state, shipper = self._state, self._shipper
        if state is None or shipper is None:
            return
        before = state.dropped
        guarded("report", thin, self._folder / "spool", state, room_bytes=self._spool_bytes)
        if self._clock() < self._retry_at:
            if state.dropped != before:
                write_state(self._folder, state)
            return
        try:
            shipped = shipper.ship(within_s=within_s)
        except NotShippedError as error:
            self._failed(state, error)
        else:
            self._retry_s, self._retry_at = _RETRY_S[0], 0.0
            if shipped:
                state.shipped_at_us = now_us()
            elif state.dropped == before and not state.problem:
                return
            state.went_well(at_us=state.answered_at_us)
        write_state(self._folder, state)

    def _begin(self, *, is_exit: bool) -> bool:
        """Take the folder's lock, if it is free, and what goes with it."""
        if not self._folder.is_dir():
            return False
        try:
            self._lock = try_lock(self._folder / LOCK_NAME)
        except OSError as error:
            count(f"report_lock_{type(error).__name__}")
        if self._lock is None:
            return False
        sweep(self._folder / "spool")
        state = self._state = state_for(self._folder, self._dsn.place)
        write_state(self._folder, state)
        self._shipper = Shipper(self._folder / "spool", state, self._connect(state))
        if state.retry_at_us > now_us():  # what another process has met
            self._retry_at = self._clock() + min((state.retry_at_us - now_us()) / 1e6, _RETRY_S[1])
        if not is_exit:
            listener = Listener(self._folder, self._connect(state), self._stop)
            threading.Thread(target=listener.run, name="prunella-listen", daemon=True).start()
        return True

    def _connect(self, state: ReportState) -> Connection:
        connection = Connection(self._dsn, sender=state.sender)
        self._connections.append(connection)
        return connection

    def _failed(self, state: ReportState, error: NotShippedError) -> None:
        count("report_failed")
        # Those who were told the same don't come back at the same moment.
        chance = os.urandom(1)[0] / 255
        wait_s = max(self._retry_s * (0.5 + 0.5 * chance), (error.wait_s or 0.0) * (1 + 0.25 * chance))
        self._retry_s = min(2 * self._retry_s, _RETRY_S[1])
        self._retry_at = self._clock() + wait_s
        at_us = now_us()
        state.failed(str(error), at_us=at_us, retry_at_us=at_us + int(wait_s * 1e6))
