"""How the counts of a rollout grew: kept for those who look, never decided by."""

from datetime import datetime

from prunella.experiment import Counts, evidence
from prunella.model.rollouts import Rollout, RolloutPoint
from prunella.ports import RolloutStore
from prunella.rollout import Counted

#: So many times the units of the point before make a new one: a million units leave 700 points.
_GROWTH = 1.02


def keep_point(store: RolloutStore, rollout: Rollout, known: Counted, at: datetime) -> None:
    """Keep how the counts stand, where they have grown by enough to be seen in a drawing."""
    control = sum((each.control for each in known.strata), Counts())
    treatment = sum((each.treatment for each in known.strata), Counts())
    units = control.n + treatment.n
    latest = store.points(rollout.rollout_id, limit=1)
    if units <= (latest[0].units * _GROWTH if latest else 0):
        return
    weighed = evidence(known.strata, known.base_rate)
    store.keep_point(
        RolloutPoint(
            rollout_id=rollout.rollout_id,
            at=at,
            control_units=control.n,
            control_failures=control.failures,
            treatment_units=treatment.n,
            treatment_failures=treatment.failures,
            log_benefit=weighed.log_benefit,
            log_harm=weighed.log_harm,
        )
    )
