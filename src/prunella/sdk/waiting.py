"""Sampled successes on their way to the spool: their callers don't wait for it.

A success that is kept leaves behind its values as they were (`prunella.codec.snapshot`); the SDK's
thread makes its record of them a moment later and writes many at once. Never do failures wait, whose
records are safe before their callers see them, nor the first successes of a function, without which
nothing can be proven and which a process that soon ends may not live to write. Where no thread comes
(before it runs, in a forked child until it runs there, while the interpreter ends), and for what is
too many, records are written at once.
"""

from collections import deque
from threading import RLock
from time import thread_time_ns
from typing import TYPE_CHECKING

from prunella.model.clock import now_us
from prunella.sdk import counters
from prunella.sdk.lines import call_line

if TYPE_CHECKING:
    from prunella.sdk.journal import Journal
    from prunella.sdk.process import Host
    from prunella.sdk.running import Running
    from prunella.sdk.sampling import Sampling
    from prunella.sdk.site import Site

#: Records that may wait; what comes then is written by those who come.
MOST_WAITING = 256
#: Records of one write.
BATCH = 32


class Waiting:
    """The recorded successes of one process that aren't written yet."""

    def __init__(self, host: "Host", journal: "Journal", sampling: "Sampling") -> None:
        self._host = host
        self._journal = journal
        self._sampling = sampling
        self._calls: deque[Running] = deque()
        self._room = 0
        self._is_closed = False
        #: Held while a batch is on its way. Reentrant, as the journal's lock.
        self._under_way = RLock()

    def open(self) -> None:
        """Let records wait from now on: somebody comes for them."""
        if not self._is_closed:
            self._room = MOST_WAITING

    def close(self) -> None:
        """Let none wait any more; when this returns, nothing is on its way either."""
        self._is_closed, self._room = True, 0
        with self._under_way:
            self.write()

    def add(self, running: "Running") -> None:
        """Take in a call that has returned; it may wait."""
        calls = self._calls
        calls.append(running)
        if len(calls) > self._room:
            self._write(self._taken(1))

    def write(self) -> None:
        """Write all that waits, and have it paid for."""
        while self._calls and not self._host.is_off:
            began_ns = thread_time_ns()
            with self._under_way:
                self._write(self._taken(BATCH))
            self._sampling.samples.take(thread_time_ns() - began_ns)

    def _taken(self, most: int) -> "list[Running]":
        found: list[Running] = []
        while len(found) < most:
            try:
                found.append(self._calls.popleft())
            except IndexError:  # another thread may have been here
                break
        return found

    def _write(self, calls: "list[Running]") -> None:
        lines: list[tuple[Site, bytes]] = []
        dropped = 0
        for running in calls:
            try:
                lines.append((running.site, self._line(running)))
            except Exception as fault:  # noqa: BLE001 - the others are none the worse for it
                counters.note_fault("calls", fault)
                dropped += 1
        if lines:
            dropped += self._journal.write_all(lines, now_us())
        if dropped:
            counters.count("dropped_samples", dropped)

    def _line(self, running: "Running") -> bytes:
        host, names = self._host, running.site.redact
        redactor = host.redactor_for(names) if names else host.redactor
        line = call_line(running, host.process_id, redactor)
        return b"".join((*running.held, line)) if running.held else line
