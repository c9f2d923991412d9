"""One round of an unattended healer: what is to be healed now, within the limits of the day."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from os import cpu_count
from threading import Event

from prunella.model.claims import Claim
from prunella.model.clock import now
from prunella.model.errors import (
    CodeHostError,
    CoolingDown,
    InternalFault,
    NothingToHeal,
    PatchRefused,
    RecordError,
    SourceUnavailable,
)
from prunella.model.incidents import Incident
from prunella.model.settings import Settings
from prunella.pipeline.claims import healed_function
from prunella.pipeline.results import Healing, HealingOutcome
from prunella.ports import Store

_DAY = timedelta(days=1)
#: What ends one incident's turn and no other's. A code host that fails does: what was proven is kept.
_ITS_OWN = (
    CodeHostError,
    CoolingDown,
    NothingToHeal,
    SourceUnavailable,
    PatchRefused,
    RecordError,
    InternalFault,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One incident in a round, and what came of it."""

    incident: Incident
    #: ``None`` where it wasn't tried.
    healing: Healing | None
    #: Why it wasn't.
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """What a round is about, before anything is tried."""

    #: The worst first.
    due: tuple[Incident, ...]
    #: Left alone for now, with the reason.
    waiting: tuple[tuple[Incident, str], ...]


def agenda(
    store: Store, incidents: Sequence[Incident], settings: Settings, *, at: datetime | None = None
) -> Agenda:
    """Choose of `incidents`, the worst first, those that may be tried now.

    Of several in one function the worst goes first, because what heals it may heal the others. The
    claim itself decides between healers that choose at the same time.
    """
    at = at or now()
    cooldown = timedelta(minutes=max(settings.cooldown_minutes, 0))
    claims = store.claims(since=at - max(cooldown, _DAY))
    due: list[Incident] = []
    waiting: list[tuple[Incident, str]] = []
    functions: set[str] = set()
    for incident in incidents:
        function = healed_function(incident)
        reason = _reason_to_wait(incident, function, claims, cooldown, at)
        if not reason and function in functions:
            reason = f"a worse incident of {function} goes first"
        if reason:
            waiting.append((incident, reason))
        else:
            due.append(incident)
            functions.add(function)
    return Agenda(due=tuple(due), waiting=tuple(waiting))


def _reason_to_wait(
    incident: Incident, function: str, claims: Sequence[Claim], cooldown: timedelta, at: datetime
) -> str:
    for claim in reversed(claims):
        if claim.incident_id != incident.incident_id and claim.function != function:
            continue
        if claim.ended_at is None:
            if claim.lease_until > at:
                return f"{claim.actor} is at it since {claim.started_at:%H:%M} UTC"
        elif claim.ended_at + cooldown > at:
            return f"attempted at {claim.ended_at:%H:%M} UTC ({claim.outcome})"
    return ""


def pull_requests_left(store: Store, settings: Settings) -> int | None:
    """Return how many pull requests the day still allows; ``None`` where there is no limit."""
    if settings.pull_requests_per_day <= 0:
        return None
    claims = store.claims(since=now() - _DAY)
    opened = sum(item.outcome == HealingOutcome.PUBLISHED for item in claims)
    return max(settings.pull_requests_per_day - opened, 0)


def take_turns(
    incidents: Sequence[Incident],
    heal: Callable[[Incident], Healing],
    *,
    stopping: Event,
    workers: int = 0,
) -> Iterator[Turn]:
    """Heal incidents, several at once; yield each as it ends.

    Once `stopping` is set no other is begun, and those under way are finished. Raises what would
    stop every other one too: `SandboxUnavailable`, `RepositoryError`, `StoreError`.
    """

    def turn(incident: Incident) -> Turn | None:
        if stopping.is_set():
            return None
        try:
            return Turn(incident=incident, healing=heal(incident))
        except _ITS_OWN as error:
            return Turn(incident=incident, healing=None, problem=str(error))

    with ThreadPoolExecutor(workers or cpu_count() or 1, "prunella-heal") as pool:
        try:
            for done in as_completed([pool.submit(turn, item) for item in incidents]):
                taken = done.result()
                if taken is not None:
                    yield taken
        finally:
            pool.shutdown(cancel_futures=True)
