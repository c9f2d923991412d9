"""One step of a rollout from what has been counted: pure, so that a healer that died loses none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from prunella.experiment import (
    DEFAULT_LIMITS,
    STAGES,
    Advance,
    Decision,
    Graduate,
    Hold,
    Inconclusive,
    Limits,
    RollBack,
    Stage,
    Stratum,
    Withdraw,
    decide,
)
from prunella.experiment.holdback import Released, Retire, Revoke, Standing, Watched, stands
from prunella.experiment.ramp import HOLDBACK_RATIO
from prunella.model.audit import AuditEntry
from prunella.model.ids import AuditId
from prunella.model.rollouts import Rollout, RolloutState
from prunella.rollout.by_hand import Step

#: Who takes these steps.
ACTOR = "healer"
#: A graduated fix is measured in periods of that length, in seconds: harm is looked for from each on.
PERIOD_S = 86_400.0
_HELD = "held: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What is known of a rollout's traffic."""

    #: One for each epoch, in their order, up to the rollout's own epoch.
    strata: Sequence[Stratum]
    #: Failure rate of units without the fix, from history; ``None`` where there is none.
    base_rate: float | None
    #: Only units were counted on which the fix fires.
    triggered: bool = False
    #: Processes whose own breaker has switched the fix off because it failed totally.
    breakers: int = 0
    #: Share of alpha where several fixes are tested for the incident.
    weight: float = 1.0
    #: A fix that was tested for the same incident and has gone to all traffic; ``""`` without one.
    winner: str = ""
    #: Since the fix fired for the last time in either arm, and the calls of its sites in that time.
    quiet_s: float = 0.0
    quiet_calls: int = 0
    #: How it fares at new code of its site, where there is some.
    released: Released | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Nothing changes. `found` is what was decided, ``None`` where there was nothing to decide."""

    reason: str
    found: Decision | Standing | None = None


def advance(
    rollout: Rollout, counted: Counted, *, now: datetime, limits: Limits = DEFAULT_LIMITS
) -> Step | Stay:
    """Return the rollout after the step that the evidence asks for with its entry, or why none is.

    The same arguments give the same step with the same id (`Rollout.sequence` is part of it), so a
    step that is tried twice is kept once; keep both parts together, or nothing. `now` is aware. Candidates wait for whoever approves
    them; paused rollouts and those that are over don't move; one in shadow changes nothing, so
    there is nothing to decide. Raises `ImpossibleCounts`.
    """
    if rollout.state not in _MOVES or rollout.paused or rollout.shadow:
        return Stay(reason=f"{_standing(rollout)}: no step is taken by evidence")
    if counted.breakers:
        reason = (
            f"the breaker of {counted.breakers} process(es) switched the fix off: it failed totally"
        )
        return _end(rollout, RolloutState.ROLLED_BACK, "rolled_back", reason, {}, now)
    return _MOVES[rollout.state](rollout, counted, now, limits)


def _test(rollout: Rollout, counted: Counted, now: datetime, limits: Limits) -> Step | Stay:
    if counted.winner:
        reason = f"{counted.winner}, tested for the same incident, has gone to all traffic"
        return _end(rollout, RolloutState.INCONCLUSIVE, "gave_up", reason, {}, now)
    began = rollout.started_at or rollout.changed_at
    stage = next((each for each in STAGES if each.ratio == rollout.ratio), None)
    if stage is None:
        return Stay(reason=f"a ratio of {rollout.ratio:g} is no stage of the ramp")
    decision = decide(
        stage,
        counted.strata,
        base_rate=counted.base_rate,
        triggered=counted.triggered,
        elapsed_s=(now - began).total_seconds(),
        limits=limits,
        weight=counted.weight,
    )
    return _follow(rollout, decision, now)


def _follow(rollout: Rollout, decision: Decision, now: datetime) -> Step | Stay:
    numbers = _numbers(decision)
    match decision:
        case Advance(to=name):
            ratio = _named(name).ratio
            return _step(rollout, "advanced", decision.reason, numbers, now, ratio=ratio)
        case Graduate():
            return _step(
                rollout,
                "graduated",
                decision.reason,
                numbers,
                now,
                state=RolloutState.GRADUATED,
                ratio=1 - HOLDBACK_RATIO,
            )
        case RollBack():
            return _end(
                rollout, RolloutState.ROLLED_BACK, "rolled_back", decision.reason, numbers, now
            )
        case Withdraw():
            return _end(
                rollout, RolloutState.ROLLED_BACK, "withdrawn", decision.reason, numbers, now
            )
        case Inconclusive():
            return _end(
                rollout, RolloutState.INCONCLUSIVE, "gave_up", decision.reason, numbers, now
            )
        case Hold() if decision.findings.exposures + decision.findings.controls:
            if not rollout.reason.startswith(_HELD):
                return _step(
                    rollout, "held", _HELD + decision.reason, numbers, now, same_epoch=True
                )
    return Stay(reason=decision.reason, found=decision)


def _watch(rollout: Rollout, counted: Counted, now: datetime, limits: Limits) -> Step | Stay:
    ratio = 1 - HOLDBACK_RATIO
    standing = stands(
        Watched(
            periods=[stratum for stratum in counted.strata if stratum.ratio == ratio],
            base_rate=counted.base_rate,
            quiet_s=counted.quiet_s,
            quiet_calls=counted.quiet_calls,
            released=counted.released,
        ),
        limits=limits,
    )
    match standing:
        case Revoke():
            return _end(rollout, RolloutState.ROLLED_BACK, "revoked", standing.reason, {}, now)
        case Retire():
            return _end(rollout, RolloutState.RETIRED, "retired", standing.reason, {}, now)
    if (now - rollout.changed_at).total_seconds() >= PERIOD_S:
        return _step(rollout, "kept", standing.reason, {}, now)
    return Stay(reason=standing.reason, found=standing)


_MOVES = {RolloutState.TESTING: _test, RolloutState.GRADUATED: _watch}


def _end(
    rollout: Rollout,
    state: RolloutState,
    verb: str,
    reason: str,
    numbers: dict[str, float | str],
    now: datetime,
) -> Step:
    return _step(rollout, verb, reason, numbers, now, state=state, ratio=0.0)


def _step(
    rollout: Rollout,
    verb: str,
    reason: str,
    numbers: dict[str, float | str],
    now: datetime,
    *,
    same_epoch: bool = False,
    **changes: Any,
) -> Step:
    after = replace(
        rollout,
        **changes,
        # Every step begins an epoch, also one that keeps the ratio: a period of its own.
        epoch=rollout.epoch + (not same_epoch),
        reason=reason,
        changed_at=now,
        sequence=rollout.sequence + 1,
    )
    evidence = numbers | {
        "before": rollout.state.value,
        "after": after.state.value,
        "ratio_before": rollout.ratio,
        "ratio": after.ratio,
        "epoch": after.epoch,
    }
    entry = AuditEntry(
        audit_id=AuditId(f"aud_{rollout.rollout_id}.{after.sequence}"),
        at=now,
        actor=ACTOR,
        action=f"rollout.{verb}",
        subject=rollout.rollout_id,
        reason=reason,
        evidence=evidence,
    )
    return after, entry


def _numbers(decision: Decision) -> dict[str, float | str]:
    found = decision.findings
    # Logarithms: an e-value may be infinite, which JSON can't hold.
    return {
        "log_benefit": found.evidence.log_benefit,
        "log_harm": found.evidence.log_harm,
        "log_futility": found.evidence.log_futility,
        "log_below_2": found.evidence.log_below_2,
        "log_below_1_5": found.evidence.log_below_1_5,
        "exposures": found.exposures,
        "controls": found.controls,
        "elapsed_s": found.elapsed_s,
    }


def _named(name: str) -> Stage:
    return next(stage for stage in STAGES if stage.name == name)


def _standing(rollout: Rollout) -> str:
    words = rollout.state.value.replace("_", " ")
    return (
        words + (", paused" if rollout.paused else "") + (", in shadow" if rollout.shadow else "")
    )
