"""Fixes that are tested for one incident at the same time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isclose

import pytest

from prunella.experiment.several import odds_spans
from prunella.model.errors import ImpossibleCounts
from prunella.model.ids import FixId, IncidentId, RolloutId
from prunella.model.rollouts import Rollout, RolloutState
from prunella.rollout import Counted, advance
from prunella.rollout.rivals import lots, rivals_of, weight_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def rollout(name, **changes):
    return replace(
        Rollout(
            rollout_id=RolloutId(f"rol_{name}"),
            fix_id=FixId(f"fix_{name}"),
            version=1,
            document={"config": {}},
            incident_id=IncidentId("inc_1"),
            state=RolloutState.TESTING,
            ratio=0.05,
            epoch=1,
            reason="approved",
            confidence=0.6,
            made_by="rules",
            made_at=START,
            started_at=START,
            changed_at=START,
            sequence=1,
        ),
        **changes,
    )


@pytest.mark.parametrize("ratios", [(0.05,), (0.05, 0.05), (0.5, 0.05, 0.25), (0.5, 0.5, 0.5)])
def test_each_candidate_has_its_ratio_of_its_own_and_the_controls_units(ratios):
    """Spans follow one another without a gap, and control has the rest."""
    spans, control_from = odds_spans(ratios)
    assert spans[0][0] == 0
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert spans[-1][1] == control_from
    for ratio, (begins, ends) in zip(ratios, spans, strict=True):
        share = ends - begins
        assert isclose(share / (share + 1 - control_from), ratio)


@pytest.mark.parametrize("ratios", [(), (0.0,), (0.5, 1.0)])
def test_ratios_that_leave_no_arm_are_refused(ratios):
    """Control and each candidate need some units."""
    with pytest.raises(ImpossibleCounts, match="ratios"):
        odds_spans(ratios)


def test_only_rivals_get_lots():
    """Of one incident, in testing, with units that may change sides; in any order the same."""
    one, two = rollout("a"), rollout("b", ratio=0.25)
    alone = [
        rollout("c", incident_id=IncidentId("inc_2")),
        rollout("d", incident_id=None),
        rollout("e", paused=True),
        rollout("f", state=RolloutState.GRADUATED, ratio=0.95),
        rollout("g", document={"target": {"sticky_key": "user"}}),
        rollout("h", document={"config": {"sticky_key": "user"}}),
    ]
    found = lots([one, *alone, two])
    assert set(found) == {"rol_a", "rol_b"}
    assert found == lots([two, one])
    assert found["rol_a"].ends == found["rol_b"].begins
    assert lots([one, *alone]) == {}


def test_rivals_share_alpha_also_when_they_have_ended():
    """By confidence; what ended before, what has won and what never began isn't a rival."""
    mine = rollout("a", started_at=START + timedelta(hours=1))
    beside = rollout("b", confidence=0.3)
    withdrawn = rollout(
        "c", state=RolloutState.ROLLED_BACK, changed_at=START + timedelta(hours=2), confidence=0.0
    )
    others = [
        rollout("d", state=RolloutState.ROLLED_BACK),
        rollout("e", state=RolloutState.GRADUATED, changed_at=START + timedelta(hours=2)),
        rollout("f", state=RolloutState.CANDIDATE, started_at=None),
        rollout("g", incident_id=IncidentId("inc_2")),
    ]
    rivals = rivals_of(mine, [mine, beside, withdrawn, *others])
    assert [each.fix_id for each in rivals] == ["fix_b", "fix_c"]
    assert isclose(weight_of(mine, rivals), 0.6 / 0.95)
    assert weight_of(mine, ()) == 1
    assert rivals_of(rollout("z", incident_id=None), [beside]) == ()


def test_a_rival_that_has_won_ends_the_test():
    """What it leaves is no measure any more; nothing ships."""
    counted = Counted(strata=(), base_rate=None, winner="fix_b")
    step = advance(rollout("a"), counted, now=START)
    assert step[0].state is RolloutState.INCONCLUSIVE
    assert "fix_b" in step[1].reason
