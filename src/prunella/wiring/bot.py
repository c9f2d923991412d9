"""The healer at work by itself: round after round, until it is told to stop."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

from prunella.model.clock import now
from prunella.model.errors import (
    CodeHostError,
    ConfigurationError,
    InternalFault,
    MissingExtra,
    PrunellaError,
)
from prunella.model.incidents import Incident
from prunella.pipeline.results import Healing, HealingOutcome
from prunella.pipeline.rounds import Agenda, Turn, agenda, pull_requests_left, take_turns
from prunella.wiring.healer import Healer

#: Rounds that fail are tried again after so long at the most, in seconds.
MAX_DELAY_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round did."""

    agenda: Agenda
    turns: tuple[Turn, ...]
    #: Why nothing, or not everything, was tried; empty where nothing was in the way.
    note: str = ""

    @property
    def published(self) -> int:
        return sum(
            turn.healing is not None and turn.healing.outcome is HealingOutcome.PUBLISHED
            for turn in self.turns
        )


class Bot:
    """Heals what fails, the worst first, and opens pull requests, within the day's limits.

    Several may run at once on one store: each incident is healed by one of them. What one that was
    killed has left is taken up by the next round of any.
    """

    def __init__(
        self,
        healer: Healer,
        *,
        publish: bool = True,
        on_turn: Callable[[Turn], None] | None = None,
    ) -> None:
        self._healer, self._publish = healer, publish
        self._on_turn = on_turn or _ignore
        self._stopping = Event()
        #: Faults of the healer itself in the present round.
        self._faults = 0

    def round(self) -> Round:
        """Look once, heal what is due, and send alerts before and after.

        Raises what stops every attempt, which is kept as an incident of the healer's own until a
        round succeeds. An alert that can't be sent stops nothing: it is sent later.
        """
        self._faults = 0
        try:
            done = self._round()
        except Exception as error:
            self._note(error)
            raise
        if not self._faults:
            self._healer.clear_faults()
        return done

    def _round(self) -> Round:
        healer = self._healer
        healer.look_anew()  # people commit between two rounds
        healer.refresh()
        self._tell()
        note = self._synced() if self._publish else ""
        todo = agenda(healer.store, healer.pending(), healer.settings)
        left = pull_requests_left(healer.store, healer.settings) if self._publish else None
        due = todo.due
        if left is not None and len(due) > left:
            note = "; ".join(filter(None, (note, self._too_many(len(due), left))))
            due = due[:left]
        turns = []
        if due:
            _ = healer.parts  # made once, before the threads want it
            for turn in take_turns(due, self._heal, stopping=self._stopping):
                turns.append(turn)
                self._on_turn(turn)
            self._tell()
        return Round(agenda=todo, turns=tuple(turns), note=note)

    def run(
        self,
        every: timedelta,
        *,
        on_round: Callable[[Round], None] | None = None,
        on_error: Callable[[PrunellaError], None] | None = None,
    ) -> None:
        """Go round after round until `stop`; a round that fails is told and tried again later."""
        delay_s = every.total_seconds()
        while not self._stopping.is_set():
            try:
                done = self.round()
            except Exception as error:  # noqa: BLE001 - kept and told; the next round may succeed
                (on_error or _ignore)(error if isinstance(error, PrunellaError) else _ours(error))
                delay_s = min(2 * delay_s, max(MAX_DELAY_S, every.total_seconds()))
            else:
                (on_round or _ignore)(done)
                delay_s = every.total_seconds()
            self._stopping.wait(delay_s)

    def stop(self) -> None:
        """Finish what is under way and begin nothing more; safe in a signal handler."""
        self._stopping.set()

    def _synced(self) -> str:
        """See what people did with what was published; return why that couldn't be seen."""
        try:
            self._healer.sync()
        except CodeHostError as error:
            return str(error)
        return ""

    def _too_many(self, due: int, left: int) -> str:
        return (
            f"{due - left} incidents wait: the setting pull_requests_per_day "
            f"({self._healer.settings.pull_requests_per_day}) allows {left} more today"
        )

    def _heal(self, incident: Incident) -> Healing:
        try:
            return self._healer.heal(incident, create_pr=self._publish)
        except PrunellaError:
            raise
        except Exception as error:
            self._note(error)
            raise _ours(error) from error

    def _tell(self) -> None:
        """Send alerts; where they are badly configured, the round goes on without them."""
        try:
            self._healer.alerts.send()
        except (ConfigurationError, MissingExtra) as error:
            self._note(error, "alerts")

    def _note(self, error: Exception, activity: str = "round") -> None:
        self._faults += 1
        with suppress(PrunellaError):  # without a store there is nowhere to keep it
            self._healer.note_fault(activity, error)


class Scheduler:
    """A bot in a thread of this program; a context manager that stops it."""

    def __init__(self, bot: Bot, healer: Healer, every: timedelta) -> None:
        self._bot, self._healer = bot, healer
        #: When it was started.
        self.started_at = now()
        self._thread = Thread(target=bot.run, args=(every,), name="prunella-scheduler", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def stop(self, timeout_s: float | None = None) -> None:
        """Finish what is under way, at most `timeout_s` long, and begin nothing more."""
        self._bot.stop()
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self._healer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_ended: object) -> None:
        self.stop()


def start_scheduler(
    minutes: float = 5.0,
    *,
    model: str | None = None,
    root: Path | str | None = None,
    create_pr: bool = True,
    **settings: Any,
) -> Scheduler:
    """Heal what fails every so many minutes, from a thread of this program.

    The arguments after `minutes` are those of `Healer`. Raises `ConfigurationError` for a bad
    setting or `minutes` that aren't above 0.
    """
    if not minutes > 0:
        raise ConfigurationError(f"start_scheduler takes minutes above 0, not {minutes!r}")
    healer = Healer(model, root=root, **settings)
    return Scheduler(Bot(healer, publish=create_pr), healer, timedelta(minutes=minutes))


def _ours(error: Exception) -> InternalFault:
    return InternalFault(
        f"a fault in Prunella itself: {type(error).__name__}: {error}; please report it"
    )


def _ignore(_what: object) -> None:
    pass
