"""What came of trying to heal an incident, as commands show it."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prunella.codec.plain import to_plain
from prunella.model.errors import (
    CoolingDown,
    NothingToHeal,
    PatchRefused,
    RecordError,
    SourceUnavailable,
)
from prunella.model.incidents import Incident
from prunella.pipeline.results import Healing, HealingOutcome

if TYPE_CHECKING:
    from prunella.wiring.healer import Healer

#: Outcomes after which there is a patch that wasn't there before.
_HEALED = frozenset({HealingOutcome.PUBLISHED, HealingOutcome.PROVEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One incident that was to be healed, and what came of it."""

    incident: Incident
    #: ``None`` where healing couldn't be tried.
    healing: Healing | None
    #: Why it couldn't.
    problem: str = ""

    @property
    def healed(self) -> bool:
        return self.healing is not None and self.healing.outcome in _HEALED

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON types: `Healing.to_plain`, or the incident with its ``problem``."""
        if self.healing is not None:
            return {**self.healing.to_plain(), "incident": to_plain(self.incident)}
        return {
            "incident_id": self.incident.incident_id,
            "outcome": "not_tried",
            "explanation": self.problem,
            "incident": to_plain(self.incident),
        }


def attempt(
    healer: "Healer",
    incident: Incident,
    *,
    create_pr: bool,
    keep: bool = True,
    force: bool = False,
) -> Attempt:
    """Heal one incident; where that one can't be healed, the attempt says why.

    Raises what would stop every other one too: `SandboxUnavailable`, `RepositoryError`,
    `StoreError`, `ModelError`.
    """
    try:
        healing = healer.heal(incident, create_pr=create_pr, keep=keep, force=force)
    except (CoolingDown, NothingToHeal, SourceUnavailable, PatchRefused, RecordError) as error:
        return Attempt(incident=incident, healing=None, problem=str(error))
    return Attempt(incident=incident, healing=healing)


def attempts(
    healer: "Healer",
    incidents: Sequence[Incident],
    *,
    create_pr: bool,
    keep: bool = True,
    force: bool = False,
) -> Iterator[Attempt]:
    """Heal incidents, as many at once as there are processors; yield each in their order.

    Healing waits for sandboxed processes most of its time, so that threads serve. Raises what
    `attempt` raises.
    """
    _ = healer.parts  # made once, before the threads want it
    with ThreadPoolExecutor(os.cpu_count() or 1, "prunella-heal") as pool:
        try:
            yield from pool.map(
                lambda incident: attempt(
                    healer, incident, create_pr=create_pr, keep=keep, force=force
                ),
                incidents,
            )
        finally:
            pool.shutdown(cancel_futures=True)


def attempt_tests(healer: "Healer", tests: Sequence[str], *, create_pr: bool) -> Attempt:
    """Heal what makes tests fail; raises `NothingToHeal` where none does, and what stops healing."""
    healing = healer.heal_tests(tests, create_pr=create_pr)
    return Attempt(incident=healing.incident, healing=healing)
