"""The rollout of a fix: from a candidate through canary and ramp to graduated, or back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from prunella.model.ids import FixId, IncidentId, RolloutId


class Arm(StrEnum):
    """One side of a rollout."""

    #: Runs as before; always concurrent with treatment.
    CONTROL = "control"
    #: Runs with the fix.
    TREATMENT = "treatment"


class RolloutState(StrEnum):
    """Where a rollout stands."""

    #: It waits for approval and changes nothing.
    CANDIDATE = "candidate"
    #: It acts on a share of the traffic and is measured against a concurrent control.
    TESTING = "testing"
    #: It was shown to help; all traffic but the holdback has it.
    GRADUATED = "graduated"
    #: It did harm, didn't help, or a person said so; nobody has it.
    ROLLED_BACK = "rolled_back"
    #: The time was up before the evidence decided; nobody has it.
    INCONCLUSIVE = "inconclusive"
    #: It was graduated and is needed no more.
    RETIRED = "retired"


#: States in which the fix acts somewhere.
LIVE = (RolloutState.TESTING, RolloutState.GRADUATED)

#: States that nothing comes after: another try is another version.
ENDED = (RolloutState.ROLLED_BACK, RolloutState.INCONCLUSIVE, RolloutState.RETIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What the units of both arms are measured by, frozen when the fix begins to act."""

    #: A unit counts so long after it began; until then it has to end, or it has failed.
    wait_s: float
    #: The p50, p90 and p99 of how long passing calls took; empty where latency isn't measured.
    slow_s: tuple[float, ...] = ()
    #: Units with the fix that take this many times as long count as too slow.
    max_latency_ratio: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One version of one fix on its way."""

    #: Random, so that it also serves as the salt that makes its assignment independent of others'.
    rollout_id: RolloutId
    fix_id: FixId
    #: Counts the versions of the fix from 1: an edited document is a new rollout.
    version: int
    #: The fix document, valid by `prunella.fixes.parse`.
    document: Mapping[str, Any]
    #: The incident that it is to mitigate; ``None`` where a person wrote the fix for none.
    incident_id: IncidentId | None
    state: RolloutState
    #: Share of the units that get the fix, from 0 to 1.
    ratio: float
    #: Counts the values of `ratio`; counts of different epochs are never pooled.
    epoch: int
    #: It logs what it would do and does nothing.
    shadow: bool = False
    #: A person stopped it for now: no unit gets the fix.
    paused: bool = False
    #: Why it stands where it does, in words.
    reason: str
    #: Between 0 and 1; decides whether it may start by itself.
    confidence: float
    #: ``rules``, ``model:<provider>:<name>``, or the person who added it.
    made_by: str
    made_at: datetime
    #: When it began to act.
    started_at: datetime | None = None
    #: ``None`` until it begins to act.
    baseline: Baseline | None = None
    #: When its state or ratio changed last.
    changed_at: datetime
    #: Counts its steps: a step is taken from one sequence to the next, so never twice.
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPoint:
    """What both arms had counted at a moment, over all epochs: to be drawn, never to decide by."""

    rollout_id: RolloutId
    at: datetime
    control_units: int
    control_failures: int
    treatment_units: int
    treatment_failures: int
    #: Logarithms of the e-values of benefit and harm.
    log_benefit: float
    log_harm: float

    @property
    def units(self) -> int:
        return self.control_units + self.treatment_units
