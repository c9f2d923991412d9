"""What a person does with a rollout: each is a step with the entry that says who took it and why.

Pure functions: the caller keeps the step where the store still has the state that it was made from.
Raises `StepRefused` where a rollout can't take the step from where it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from prunella.model.audit import AuditEntry
from prunella.model.errors import StepRefused
from prunella.model.ids import AuditId, FixId, IncidentId, RolloutId, new_id
from prunella.model.rollouts import LIVE, Rollout, RolloutState

#: Share of the units that a fix gets first.
CANARY_RATIO = 0.05
#: Share that keeps measuring a graduated fix.
HOLDBACK_RATIO = 0.05

Step = tuple[Rollout, AuditEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who takes a step, when and why."""

    actor: str
    at: datetime
    reason: str = ""


def propose(
    document: Mapping[str, Any],
    by: By,
    *,
    version: int = 1,
    incident_id: IncidentId | None = None,
    confidence: float = 0.0,
    shadow: bool = False,
) -> Step:
    """Return a new rollout of a valid fix document, waiting for approval (or in shadow)."""
    rollout = Rollout(
        rollout_id=RolloutId(new_id("rol")),
        fix_id=FixId(document["fix_id"]),
        version=version,
        document=document,
        incident_id=incident_id,
        state=RolloutState.CANDIDATE,
        ratio=0.0,
        epoch=0,
        shadow=shadow,
        reason=by.reason or ("watched in shadow" if shadow else "waits for approval"),
        confidence=confidence,
        made_by=by.actor,
        made_at=by.at,
        changed_at=by.at,
    )
    return rollout, _entry(rollout, "fix.proposed", by, "")


def approve(rollout: Rollout, by: By) -> Step:
    """Return it in testing, at the canary's share of the traffic."""
    if rollout.state is not RolloutState.CANDIDATE:
        raise StepRefused(
            f"{rollout.fix_id} can't be approved: it is {_standing(rollout)}. "
            "Only a candidate can; add the document anew for another try."
        )
    return _step(
        rollout,
        "fix.approved",
        by,
        "approved",
        state=RolloutState.TESTING,
        shadow=False,
        ratio=CANARY_RATIO,
        epoch=rollout.epoch + 1,
        started_at=by.at,
    )


def promote(rollout: Rollout, by: By) -> Step:
    """Return it graduated without waiting for evidence: a person answers for it."""
    if rollout.state not in {RolloutState.CANDIDATE, RolloutState.TESTING}:
        raise StepRefused(
            f"{rollout.fix_id} can't be promoted: it is {_standing(rollout)}. "
            "Only a candidate or one in testing can."
        )
    return _step(
        rollout,
        "rollout.promoted",
        by,
        "promoted by a person, not by evidence",
        state=RolloutState.GRADUATED,
        shadow=False,
        paused=False,
        ratio=1.0 - HOLDBACK_RATIO,
        epoch=rollout.epoch + 1,
        started_at=rollout.started_at or by.at,
    )


def pause(rollout: Rollout, by: By) -> Step:
    """Return it paused: no unit gets the fix until it is resumed."""
    if rollout.state not in LIVE or rollout.paused:
        raise StepRefused(f"{rollout.fix_id} can't be paused: it is {_standing(rollout)}.")
    return _step(rollout, "rollout.paused", by, "paused", paused=True)


def resume(rollout: Rollout, by: By) -> Step:
    """Return it going on, in a new epoch: what happened meanwhile isn't compared with before."""
    if not rollout.paused:
        raise StepRefused(f"{rollout.fix_id} can't be resumed: it isn't paused.")
    return _step(rollout, "rollout.resumed", by, "resumed", paused=False, epoch=rollout.epoch + 1)


def roll_back(rollout: Rollout, by: By) -> Step:
    """Return it rolled back: no process applies the fix any more."""
    if rollout.state not in {*LIVE, RolloutState.CANDIDATE}:
        raise StepRefused(f"{rollout.fix_id} can't be rolled back: it is {_standing(rollout)}.")
    return _step(
        rollout,
        "rollout.rolled_back",
        by,
        "rolled back by a person",
        state=RolloutState.ROLLED_BACK,
        paused=False,
        shadow=False,
        ratio=0.0,
    )


def remove(rollout: Rollout, by: By) -> Step:
    """Return it retired: it acts nowhere, and its history stays."""
    if rollout.state is RolloutState.RETIRED:
        raise StepRefused(f"{rollout.fix_id} is removed already.")
    return _step(
        rollout,
        "fix.removed",
        by,
        "removed by a person",
        state=RolloutState.RETIRED,
        paused=False,
        shadow=False,
        ratio=0.0,
    )


def _step(rollout: Rollout, action: str, by: By, default_reason: str, **changes: Any) -> Step:
    after = replace(
        rollout,
        **changes,
        reason=by.reason or default_reason,
        changed_at=by.at,
        sequence=rollout.sequence + 1,
    )
    return after, _entry(after, action, by, rollout.state.value)


def _entry(rollout: Rollout, action: str, by: By, before: str) -> AuditEntry:
    evidence: dict[str, Any] = {
        "fix": rollout.fix_id,
        "version": rollout.version,
        "after": rollout.state.value,
        "ratio": rollout.ratio,
        "epoch": rollout.epoch,
    }
    if before:
        evidence["before"] = before
    return AuditEntry(
        audit_id=AuditId(f"aud_{rollout.rollout_id}.{rollout.sequence}"),
        at=by.at,
        actor=by.actor,
        action=action,
        subject=rollout.rollout_id,
        reason=rollout.reason,
        evidence=evidence,
    )


def _standing(rollout: Rollout) -> str:
    words = rollout.state.value.replace("_", " ")
    return f"{words} and paused" if rollout.paused else words
