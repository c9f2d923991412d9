"""What goes on beside a server, or in a worker of its own: records sorted, jobs done, rounds made."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from threading import Event, Thread
from typing import Self

from prunella.model.clock import now
from prunella.model.errors import PrunellaError
from prunella.wiring.bot import Bot, Round
from prunella.wiring.healer import Healer
from prunella.wiring.jobs import JobRunner

_log = logging.getLogger("prunella.worker")

#: How often what was recorded is sorted into incidents, and rollouts go on, in seconds.
_REFRESH_S = 2.0

OnRound = Callable[[Healer, Round | PrunellaError], None]
"""Told how a project's round went."""


class Worker:
    """Works for several projects until it is stopped; a context manager.

    Any number may work for the same projects at once: leases and claims share the work out.
    `healers` gives the projects' healers, again and again, so that projects come and go. With
    `every` it also makes the bot's rounds: heals what fails, the worst first, and publishes.
    """

    def __init__(
        self,
        healers: Callable[[], Iterable[Healer]],
        *,
        name: str,
        threads: int = 2,
        every: timedelta | None = None,
        on_round: OnRound | None = None,
    ) -> None:
        self._healers, self._every, self._on_round = healers, every, on_round
        #: What does the jobs.
        self.jobs = JobRunner(healers, worker=name, threads=threads)
        self._stopping = Event()
        self._bot: Bot | None = None
        self._threads = [Thread(target=self._refresh, name="prunella-refresh", daemon=True)]
        if every is not None:
            self._threads.append(Thread(target=self._rounds, name="prunella-rounds", daemon=True))

    def start(self) -> None:
        """Begin, in threads."""
        self.jobs.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin nothing more; jobs are laid down at their next step, a round is finished."""
        self._stopping.set()
        if (bot := self._bot) is not None:
            bot.stop()
        self.jobs.stop()
        for thread in self._threads:
            thread.join()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is told to stop; return whether it was."""
        return self._stopping.wait(timeout_s)

    def stop_soon(self) -> None:
        """Let `wait` return; safe in a signal handler."""
        self._stopping.set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_ended: object) -> None:
        self.stop()

    def _refresh(self) -> None:
        while not self._stopping.wait(_REFRESH_S):
            for healer in self._known():
                try:
                    healer.refresh()
                except PrunellaError as error:  # told, and tried again
                    _log.warning("%s: what was recorded can't be sorted: %s", healer.root, error)
                except Exception as error:  # noqa: BLE001 - kept; the other projects go on
                    _log.exception("%s: a fault in Prunella itself", healer.root)
                    with suppress(PrunellaError):
                        healer.note_fault("refresh", error)
                if self._stopping.is_set():
                    return

    def _rounds(self) -> None:
        """Make a round of each project, each time with a healer that sees the source anew."""
        every = self._every or timedelta(0)
        while not self._stopping.is_set():
            began = now()
            for healer in self._known():
                if self._stopping.is_set():
                    return
                self._round(healer)
            self._stopping.wait(max((every - (now() - began)).total_seconds(), 1.0))

    def _round(self, healer: Healer) -> None:
        self._bot = Bot(healer.telling(_ignore))
        try:
            done: Round | PrunellaError = self._bot.round()
        except PrunellaError as error:
            done = error
        except Exception:  # noqa: BLE001 - kept by the bot; the next round may succeed
            _log.exception("%s: a round failed by a fault in Prunella itself", healer.root)
            return
        if self._on_round is not None:
            self._on_round(healer, done)

    def _known(self) -> list[Healer]:
        try:
            return list(self._healers())
        except PrunellaError as error:
            _log.warning("the projects can't be listed: %s", error)
            return []


def _ignore(_doing: str) -> None:
    pass
