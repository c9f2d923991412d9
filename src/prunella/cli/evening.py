"""The demo's second act: an evening of real requests, and fixes that heal them while it lasts."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, Protocol

from prunella.cli.example import Traffic, drive_evening
from prunella.model.errors import PrunellaError
from prunella.model.rollouts import LIVE, Rollout, RolloutState
from prunella.pipeline.fixes import Suggestion
from prunella.wiring.healer import Healer

#: Seconds of the evening: until fixes are proposed, from approval on, and with the fixes everywhere.
_WATCHED_S, _CANARY_S, _HEALED_S = 8, 5, 10
#: After which the program ends by itself, whatever happened.
_LONGEST_S = 90
#: Calls that began before a fix arrived have ended.
_SETTLED_S = 1.5
_A_DAY_S = 86_400
#: Time for the program to end.
_FAREWELL_S = 5
_MODULE = "shop.partners"
_APPROVED = "the demo approves, in a person's place"
_PROMOTED = (
    "the demo promotes it, in a person's place: evidence takes more calls than an evening has"
)


_Heard = tuple[float, Mapping[str, Traffic]]


NOTHING = Traffic(requests=0, failed=0)


class Phase(StrEnum):
    """How far the evening is."""

    #: Calls fail, and nothing acts.
    WATCHING = "watching"
    #: Fixes act on the canary's share.
    CANARY = "canary"
    #: Fixes act everywhere but on the holdback.
    HEALED = "healed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """One of the services that the shop asks, and how it goes."""

    name: str
    #: What was asked in each second so far.
    seconds: tuple[Traffic, ...] = ()
    #: The same, before any fix acted, and with the fix everywhere.
    before: Traffic = NOTHING
    after: Traffic = NOTHING
    incident_id: str = ""
    error_code: str = ""
    #: The surest fix; ``None`` where none was proposed.
    suggestion: Suggestion | None = None
    rollout: Rollout | None = None

    @property
    def total(self) -> Traffic:
        """The whole evening."""
        return sum_up(self.seconds)

    @property
    def healed(self) -> bool:
        """A fix acts, and less than half as many calls fail as before."""
        acts = self.rollout is not None and self.rollout.state in LIVE
        return acts and self.after.requests > 0 and self.after.ratio < self.before.ratio / 2

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON types."""
        suggestion, rollout = self.suggestion, self.rollout
        return {
            "name": self.name,
            "incident_id": self.incident_id,
            "error_code": self.error_code,
            "requests": self.total.requests,
            "failed": self.total.failed,
            "failed_ratio_before": round(self.before.ratio, 4),
            "failed_ratio_after": round(self.after.ratio, 4),
            "healed": self.healed,
            "fix": None if suggestion is None else dict(suggestion.hypothesis.document),
            "confidence": None if suggestion is None else round(suggestion.confidence, 4),
            "state": None if rollout is None else rollout.state.value,
            "share": None if rollout is None else rollout.ratio,
            "rollout_id": None if rollout is None else rollout.rollout_id,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Evening:
    """What the evening came to."""

    partners: Sequence[Partner]
    duration_s: float

    @property
    def healed(self) -> Sequence[Partner]:
        return [item for item in self.partners if item.healed]

    def to_plain(self) -> dict[str, Any]:
        """Return everything as JSON types."""
        return {
            "partners": [item.to_plain() for item in self.partners],
            "healed": len(self.healed),
            "duration_s": round(self.duration_s, 1),
        }


class EveningWitness(Protocol):
    """Is told of the evening while it passes."""

    def evening_began(self) -> None: ...

    def second_passed(self, partners: Sequence[Partner], phase: Phase) -> None: ...

    def decided(self, partners: Sequence[Partner], phase: Phase) -> None: ...

    def evening_ended(self, evening: Evening) -> None: ...


def spend_evening(healer: Healer, folder: Path, witness: EveningWitness) -> Evening:
    """Drive the evening in `folder`, let fixes be proposed, approve them, and watch what they do.

    Raises `PrunellaError` where the program doesn't run.
    """
    began_s = time.monotonic()
    act = _Act(healer, began_s)
    witness.evening_began()
    with closing(_Listening(folder)) as listening:
        for heard_s, second in listening:
            act.hear(second, heard_s)
            witness.second_passed(act.partners, act.phase)
            if act.go_on(heard_s):
                witness.decided(act.partners, act.phase)
            if act.is_over(heard_s):
                break
    evening = Evening(partners=act.partners, duration_s=time.monotonic() - began_s)
    witness.evening_ended(evening)
    return evening


class _Act:
    """Where the evening stands."""

    def __init__(self, healer: Healer, now_s: float) -> None:
        self._healer = healer
        self._partners: dict[str, Partner] = {}
        self.phase = Phase.WATCHING
        #: When the phase began, and when the first second was heard.
        self._since_s = now_s
        self._is_running = False

    @property
    def partners(self) -> Sequence[Partner]:
        return tuple(self._partners.values())

    def hear(self, second: Mapping[str, Traffic], heard_s: float) -> None:
        """Take in what was asked in one second."""
        if not self._is_running:
            self._is_running, self._since_s = True, heard_s
        if self.phase is not Phase.WATCHING:
            self._look()
        for name, asked in sorted(second.items()):
            partner = self._partners.get(name, Partner(name=name))
            partner = replace(partner, seconds=(*partner.seconds, asked))
            # Seconds that were waiting to be heard while fixes were proposed are of the phase before.
            if self.phase is Phase.WATCHING or (
                self.phase is Phase.CANARY and heard_s < self._since_s
            ):
                partner = replace(partner, before=sum_up((partner.before, asked)))
            elif self.phase is Phase.HEALED and heard_s >= self._since_s + _SETTLED_S:
                partner = replace(partner, after=sum_up((partner.after, asked)))
            self._partners[name] = partner

    def go_on(self, heard_s: float) -> bool:
        """Go on to the next phase where it is time; tell whether it was."""
        if self.phase is Phase.WATCHING and heard_s >= self._since_s + _WATCHED_S:
            self._propose()
            self.phase = Phase.CANARY
        elif self.phase is Phase.CANARY and heard_s >= self._since_s + _CANARY_S:
            self._promote()
            self.phase = Phase.HEALED
        else:
            return False
        self._since_s = time.monotonic()
        return True

    def is_over(self, heard_s: float) -> bool:
        """Tell whether enough was seen."""
        return self.phase is Phase.HEALED and heard_s >= self._since_s + _SETTLED_S + _HEALED_S

    def _propose(self) -> None:
        self._healer.refresh()
        # A partner's fault may look different now and then; the most frequent look is healed.
        for incident in sorted(self._healer.incidents(), key=lambda item: item.count):
            module, _, name = incident.site_id.partition(":")
            if module == _MODULE and name in self._partners:
                self._partners[name] = replace(
                    self._partners[name],
                    incident_id=incident.incident_id,
                    error_code=incident.error_code,
                )
        for name, partner in self._partners.items():
            if partner.incident_id:
                self._partners[name] = self._with_fix(partner)

    def _with_fix(self, partner: Partner) -> Partner:
        found = self._healer.fixes.suggest(partner.incident_id)
        best = found[0] if found else None
        rollout = best.rollout if best else None
        if rollout is not None and rollout.state is RolloutState.CANDIDATE:
            rollout = self._healer.fixes.approve(rollout.rollout_id, reason=_APPROVED)
        return replace(partner, suggestion=best, rollout=rollout)

    def _promote(self) -> None:
        self._look()
        for name, partner in self._partners.items():
            rollout = partner.rollout
            if rollout is not None and rollout.state is RolloutState.TESTING:
                rollout = self._healer.fixes.promote(rollout.rollout_id, reason=_PROMOTED)
                self._partners[name] = replace(partner, rollout=rollout)

    def _look(self) -> None:
        """See where the rollouts stand: evidence may have moved them."""
        standing = {item.rollout_id: item for item in self._healer.fixes.list()}
        for name, partner in self._partners.items():
            if partner.rollout is not None:
                rollout = standing.get(partner.rollout.rollout_id, partner.rollout)
                self._partners[name] = replace(partner, rollout=rollout)


def sum_up(parts: Sequence[Traffic]) -> Traffic:
    """Return all of them as one."""
    return Traffic(
        requests=sum(each.requests for each in parts), failed=sum(each.failed for each in parts)
    )


@contextmanager
def running(folder: Path) -> Iterator[None]:
    """Let the evening in `folder` pass in the background, for as long as the context lasts."""
    over = Event()

    def run() -> None:
        with suppress(PrunellaError), closing(drive_evening(folder, _A_DAY_S)) as driven:
            for _ in driven:
                if over.is_set():
                    break

    thread = Thread(target=run, name="prunella-demo", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_FAREWELL_S)


class _Listening:
    """The evening's seconds with the moment at which each was heard, also while nobody asks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._heard: SimpleQueue[_Heard | PrunellaError | None] = SimpleQueue()
        self._over = Event()
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            with closing(drive_evening(self._folder, _LONGEST_S)) as driven:
                for second in driven:
                    self._heard.put((time.monotonic(), second))
                    if self._over.is_set():
                        break
        except PrunellaError as error:
            self._heard.put(error)
        else:
            self._heard.put(None)

    def __iter__(self) -> Iterator[_Heard]:
        while (each := self._heard.get()) is not None:
            if isinstance(each, PrunellaError):
                raise each
            yield each

    def close(self) -> None:
        """End the program: it is heard within a second."""
        self._over.set()
        self._thread.join(_FAREWELL_S)
