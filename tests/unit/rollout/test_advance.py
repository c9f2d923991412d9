"""Steps of a rollout: each from evidence, with an entry, and never twice."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from prunella.codec.plain import to_plain
from prunella.experiment import Continue, Counts, Hold, Stratum
from prunella.model.ids import FixId, RolloutId
from prunella.model.rollouts import Rollout, RolloutState
from prunella.rollout import Counted, Stay, advance

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = START + timedelta(hours=1)


def rollout(state=RolloutState.TESTING, ratio=0.05, **changes):
    return replace(
        Rollout(
            rollout_id=RolloutId("rol_1"),
            fix_id=FixId("fix_1"),
            version=1,
            document={},
            incident_id=None,
            state=state,
            ratio=ratio,
            epoch=1,
            reason="approved",
            confidence=0.9,
            made_by="rules",
            made_at=START,
            started_at=START,
            changed_at=START,
            sequence=1,
        ),
        **changes,
    )


def counted(*arms, base_rate=0.5, **options):
    """Strata from (ratio, n and failures of control, n and failures of treatment)."""
    strata = [Stratum(r, Counts(n, f), Counts(m, g)) for r, n, f, m, g in arms]
    return Counted(strata=strata, base_rate=base_rate, **options)


GOOD_CANARY = (0.05, 570, 280, 30, 1)


@pytest.mark.parametrize(
    ("ratio", "arms", "verb", "state", "after"),
    [
        (0.05, [GOOD_CANARY], "advanced", "testing", 0.25),
        (0.25, [GOOD_CANARY, (0.25, 300, 150, 100, 3)], "advanced", "testing", 0.5),
        (0.5, [GOOD_CANARY, (0.5, 50, 25, 50, 1)], "graduated", "graduated", 0.95),
        (0.05, [(0.05, 190, 2, 10, 10)], "rolled_back", "rolled_back", 0.0),
        (0.5, [(0.5, 2000, 1000, 2000, 1000)], "withdrawn", "rolled_back", 0.0),
    ],
)
def test_evidence_moves_a_rollout(ratio, arms, verb, state, after):
    """Each decision becomes a step to its state and ratio, in a new epoch, with its entry."""
    before = rollout(ratio=ratio)
    step = advance(before, counted(*arms), now=LATER)
    assert not isinstance(step, Stay)
    assert (step[0].state, step[0].ratio) == (state, after)
    assert (step[0].epoch, step[0].sequence) == (2, 2)
    assert step[0].changed_at == step[1].at == LATER
    assert step[1].action == f"rollout.{verb}"
    assert step[1].actor == "healer"
    assert step[0].reason == step[1].reason
    assert step[1].evidence["before"] == "testing"
    json.dumps(to_plain(step[1]), allow_nan=False)


def test_a_step_taken_twice_is_the_same_step():
    """From the same state the same counts make the same step with the same id."""
    one, two = (advance(rollout(), counted(GOOD_CANARY), now=LATER) for _ in range(2))
    assert one == two
    assert one[1].audit_id == "aud_rol_1.2"
    # After it, the counts of the canary alone ask for nothing more.
    assert isinstance(advance(one[0], counted(GOOD_CANARY), now=LATER), Stay)


@pytest.mark.parametrize(
    "resting",
    [
        *(
            rollout(state, ratio=0.0)
            for state in (
                RolloutState.CANDIDATE,
                RolloutState.ROLLED_BACK,
                RolloutState.INCONCLUSIVE,
                RolloutState.RETIRED,
            )
        ),
        rollout(paused=True),
        rollout(shadow=True),
    ],
)
def test_what_is_not_live_does_not_move(resting):
    """Candidates, ended, paused and shadowed rollouts stay where they are, whatever is counted."""
    assert isinstance(advance(resting, counted(GOOD_CANARY, breakers=3), now=LATER), Stay)


def test_no_data_never_ships():
    """Without counts a rollout stays, and ends inconclusive when its time is over."""
    stay = advance(rollout(), counted(), now=LATER)
    assert isinstance(stay.found, Hold)
    end = advance(rollout(ratio=0.5), counted(), now=START + timedelta(days=14))
    assert end[0].state is RolloutState.INCONCLUSIVE
    assert end[0].ratio == 0.0


def test_little_data_goes_on():
    """Without enough evidence nothing changes, and what was found is told."""
    stay = advance(rollout(), counted((0.05, 95, 50, 5, 3)), now=LATER)
    assert isinstance(stay.found, Continue)
    assert "e-value of benefit" in stay.reason


def test_a_mismatch_is_recorded_once():
    """A hold is a step of its own the first time, and a stay from then on."""
    lost = counted((0.5, 300, 150, 100, 5))
    first = advance(rollout(ratio=0.5), lost, now=LATER)
    assert first[1].action == "rollout.held"
    assert (first[0].ratio, first[0].epoch) == (0.5, 1)
    again = advance(first[0], lost, now=LATER)
    assert isinstance(again, Stay)
    assert isinstance(again.found, Hold)


def test_a_breaker_rolls_back_at_once():
    """A process that saw total failure ends the rollout without any count."""
    step = advance(rollout(), counted(breakers=1), now=LATER)
    assert step[0].state is RolloutState.ROLLED_BACK
    assert step[1].reason.startswith("the breaker of 1 process(es)")


def test_a_graduated_fix_stays_armed():
    """Harm seen against the holdback revokes the fix; what came before graduation isn't asked."""
    graduated = rollout(RolloutState.GRADUATED, ratio=0.95)
    bad = advance(graduated, counted(GOOD_CANARY, (0.95, 50, 2, 950, 700)), now=LATER)
    assert (bad[0].state, bad[1].action) == (RolloutState.ROLLED_BACK, "rollout.revoked")
    good = advance(graduated, counted(GOOD_CANARY, (0.95, 50, 25, 950, 30)), now=LATER)
    assert isinstance(good, Stay)


def test_a_graduated_fix_begins_a_new_period_each_day():
    """Each day is an epoch of its own, so that a long record can't hide a change."""
    graduated = rollout(RolloutState.GRADUATED, ratio=0.95)
    step = advance(graduated, counted(), now=START + timedelta(days=1))
    assert step[1].action == "rollout.kept"
    assert (step[0].ratio, step[0].epoch) == (0.95, 2)


def test_a_graduated_fix_retires_when_it_is_not_needed():
    """No trigger for a week of calls, or a holdback that doesn't fail: retired by itself."""
    graduated = rollout(RolloutState.GRADUATED, ratio=0.95)
    for known in (
        counted(quiet_s=7 * 86_400.0, quiet_calls=5000, base_rate=None),
        counted((0.95, 300, 0, 5700, 0)),
    ):
        step = advance(graduated, known, now=LATER)
        assert (step[0].state, step[1].action) == (RolloutState.RETIRED, "rollout.retired")


def test_a_ratio_off_the_ramp_is_left_alone():
    """A share that a person chose is no stage: it is measured, not moved."""
    stay = advance(rollout(ratio=0.3), counted(GOOD_CANARY), now=LATER)
    assert stay.reason == "a ratio of 0.3 is no stage of the ramp"
