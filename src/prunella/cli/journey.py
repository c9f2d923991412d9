"""The demo's journey: from a program that fails to patches on branches, and to fixes that act."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from prunella.cli.attempts import Attempt, attempts
from prunella.cli.evening import Evening, EveningWitness, spend_evening
from prunella.cli.example import Traffic, copy_example, drive
from prunella.cli.session import Session
from prunella.codec.plain import to_plain
from prunella.model.errors import PrunellaError
from prunella.model.incidents import Incident, IncidentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """What the demo did."""

    folder: Path
    traffic: Traffic
    #: Every incident, ignored ones too, the one seen last first.
    incidents: Sequence[Incident]
    attempts: Sequence[Attempt]
    #: ``None`` where the program's evening couldn't be driven.
    evening: Evening | None = None
    duration_s: float

    @property
    def healed(self) -> Sequence[Attempt]:
        return [item for item in self.attempts if item.healed]

    @property
    def ignored(self) -> Sequence[Incident]:
        return [item for item in self.incidents if item.status is IncidentStatus.IGNORED]

    @property
    def next_commands(self) -> Sequence[str]:
        """What to type to look at it."""
        commands = [f"cd {self.folder}", "prunella incidents"]
        for item in self.healed[:1]:
            assert item.healing is not None  # noqa: S101 - it was healed
            commands.append(f"prunella incidents show {item.incident.incident_id}")
            if item.healing.publication and item.healing.publication.branch:
                commands.append(f"git diff main...{item.healing.publication.branch}")
        rollouts = [each.rollout for each in self.evening.healed] if self.evening else []
        if rollouts:
            assert rollouts[0] is not None  # noqa: S101 - it was healed
            commands += ["prunella fixes", f"prunella fixes show {rollouts[0].fix_id}"]
        return commands

    def to_plain(self) -> dict[str, Any]:
        """Return everything as JSON types."""
        return {
            "folder": str(self.folder),
            "requests": self.traffic.requests,
            "failed": self.traffic.failed,
            "healed": len(self.healed),
            "incidents": to_plain(self.incidents),
            "healings": [item.to_plain() for item in self.attempts],
            "evening": self.evening.to_plain() if self.evening else None,
            "duration_s": round(self.duration_s, 1),
            "next": list(self.next_commands),
        }


class Witness(EveningWitness, Protocol):
    """Is told what happens on the way, while it happens."""

    def copied(self, folder: Path) -> None: ...

    def logged(self, line: str) -> None: ...

    def drove(self, traffic: Traffic) -> None: ...

    def found(self, incidents: Sequence[Incident]) -> None: ...

    def tried(self, attempt: Attempt) -> None: ...

    def arrived(self, journey: Journey) -> None: ...

    def parted(self, journey: Journey) -> None: ...


def travel(session: Session, target: Path | None, witness: Witness) -> Journey:
    """Copy the program, drive it, heal what failed, and spend an evening; `witness` is told each step.

    Raises what the steps can't answer: `ConfigurationError`, `RepositoryError`,
    `SandboxUnavailable`, `StoreError`.
    """
    started_s = time.monotonic()
    folder, traffic = begin(target, witness)
    # An empty model is the built-in rules, whatever the environment says.
    with session.healer(folder, "") as healer:
        incidents = healer.incidents()
        witness.found(incidents)
        tried = []
        with session.progress("Healing"):
            for item in attempts(healer, healer.pending(), create_pr=True):
                tried.append(item)
                with session.aside():
                    witness.tried(item)
    journey = Journey(
        folder=folder,
        traffic=traffic,
        incidents=incidents,
        attempts=tried,
        duration_s=time.monotonic() - started_s,
    )
    witness.arrived(journey)
    evening = _evening(session, folder, witness)
    journey = replace(journey, evening=evening, duration_s=time.monotonic() - started_s)
    witness.parted(journey)
    return journey


def begin(target: Path | None, witness: Witness) -> tuple[Path, Traffic]:
    """Copy the program and drive a day's traffic through it; return its folder and what that did."""
    folder = copy_example(target)
    witness.copied(folder)
    traffic = Traffic(requests=0, failed=0)
    for line in drive(folder):
        if isinstance(line, Traffic):
            traffic = line
        else:
            witness.logged(line)
    witness.drove(traffic)
    return folder, traffic


def _evening(session: Session, folder: Path, witness: Witness) -> Evening | None:
    """Return the second act; where the program doesn't run for it, what was healed before stands."""
    try:
        with session.healer(folder, "") as healer:
            return spend_evening(healer, folder, witness)
    except PrunellaError as error:
        session.say_why(error)
        return None
