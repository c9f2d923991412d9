"""Fixes that are tested at the same time for one incident: they share a control, and one error.

Each goes its own way along the ramp. Of the units of control and one fix, the fix gets its own ratio,
whatever its rivals have: shares are dealt by odds, so that a rival that comes, goes or grows leaves
what was counted as comparable as before.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from prunella.experiment.several import odds_spans, weights
from prunella.fixes import Lot
from prunella.model.ids import RolloutId
from prunella.model.rollouts import Rollout, RolloutState

#: A fix whose author isn't sure at all still gets its part of the error.
_LEAST_PRIOR = 0.05
#: States in which a fix has won: its rivals are measured on what it leaves.
_WON = (RolloutState.GRADUATED, RolloutState.RETIRED)


def lots(rollouts: Sequence[Rollout]) -> Mapping[RolloutId, Lot]:
    """Return the lot of each rollout that has a rival among these; the same for any order of them."""
    groups: dict[str, list[Rollout]] = {}
    for each in sorted(rollouts, key=lambda item: item.rollout_id):
        if each.incident_id is not None and _competes(each):
            groups.setdefault(each.incident_id, []).append(each)
    found = {}
    for incident_id, group in groups.items():
        if len(group) > 1:
            spans, control_from = odds_spans([each.ratio for each in group])
            for each, (begins, ends) in zip(group, spans, strict=True):
                found[each.rollout_id] = Lot(
                    salt=incident_id, begins=begins, ends=ends, control_from=control_from
                )
    return found


def rivals_of(rollout: Rollout, others: Sequence[Rollout]) -> tuple[Rollout, ...]:
    """Return those of the `others` that were tested for its incident while it was.

    They share its chance of an error, also where they have ended since.
    """
    if rollout.started_at is None or rollout.incident_id is None:
        return ()
    return tuple(
        each
        for each in others
        if each.incident_id == rollout.incident_id
        and each.rollout_id != rollout.rollout_id
        and each.started_at is not None
        and each.state not in _WON
        and (each.state is RolloutState.TESTING or each.changed_at >= rollout.started_at)
    )


def weight_of(rollout: Rollout, rivals: Sequence[Rollout]) -> float:
    """Return the share of alpha that it has beside its rivals: its confidence, normalised."""
    confidences = [max(each.confidence, _LEAST_PRIOR) for each in (rollout, *rivals)]
    return weights(confidences)[0]


def _competes(rollout: Rollout) -> bool:
    """Tell whether it takes part: who must not change sides can't make room for a rival."""
    is_dealt = rollout.state is RolloutState.TESTING and not rollout.paused and not rollout.shadow
    return is_dealt and 0 < rollout.ratio < 1 and not _is_sticky(rollout.document)


def _is_sticky(document: Mapping[str, Any]) -> bool:
    parts = (document.get("target"), document.get("config"))
    return any(isinstance(part, Mapping) and part.get("sticky_key") for part in parts)
