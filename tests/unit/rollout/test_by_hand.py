from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from prunella.model.errors import StepRefused
from prunella.model.rollouts import Rollout, RolloutState
from prunella.rollout import By, approve, pause, promote, propose, remove, resume, roll_back

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
DOCUMENT = {"fix_id": "fix-1", "fix_type": "retry", "config": {"max_retries": 3}}
STEPS = (approve, promote, pause, resume, roll_back, remove)


def by(reason="because", minutes=0):
    return By(actor="ada@host", at=AT + timedelta(minutes=minutes), reason=reason)


def candidate(**changes):
    rollout, _ = propose(DOCUMENT, by())
    return replace(rollout, **changes)


def standing(state, *, paused=False):
    live = state in {RolloutState.TESTING, RolloutState.GRADUATED}
    return candidate(state=state, paused=paused, ratio=0.5 if live else 0.0, epoch=int(live))


EVERYWHERE = [standing(state) for state in RolloutState] + [
    standing(state, paused=True) for state in (RolloutState.TESTING, RolloutState.GRADUATED)
]


def outcomes(step):
    """Return where a step is taken from, as (state, paused)."""
    taken = set()
    for rollout in EVERYWHERE:
        try:
            step(rollout, by())
        except StepRefused:
            continue
        taken.add((rollout.state.value, rollout.paused))
    return taken


def test_a_proposed_fix_acts_nowhere():
    """A new candidate has no share of the traffic, whoever proposes it."""
    rollout, entry = propose(DOCUMENT, by(), confidence=0.99)
    assert (rollout.state, rollout.ratio) == (RolloutState.CANDIDATE, 0.0)
    assert entry.subject == rollout.rollout_id
    assert entry.actor == "ada@host"


def test_approval_begins_with_a_canary():
    """An approved fix acts on a small share in a new epoch, and is no longer in shadow."""
    after, entry = approve(candidate(shadow=True), by(minutes=1))
    assert (after.state, after.ratio, after.epoch) == (RolloutState.TESTING, 0.05, 1)
    assert not after.shadow
    assert after.started_at == AT + timedelta(minutes=1)
    assert entry.evidence["before"] == "candidate"


def test_a_promoted_fix_keeps_a_holdback():
    """Even a fix that a person promotes goes on being measured."""
    after, entry = promote(candidate(), by(reason=""))
    assert after.state is RolloutState.GRADUATED
    assert 0.9 < after.ratio < 1.0
    assert "not by evidence" in entry.reason


@pytest.mark.parametrize(
    ("step", "places"),
    [
        (approve, {("candidate", False)}),
        (promote, {("candidate", False), ("testing", False), ("testing", True)}),
        (pause, {("testing", False), ("graduated", False)}),
        (resume, {("testing", True), ("graduated", True)}),
        (
            roll_back,
            {("candidate", False)}
            | {(state, paused) for state in ("testing", "graduated") for paused in (False, True)},
        ),
    ],
)
def test_a_step_is_taken_only_from_where_it_makes_sense(step, places):
    """Each step is possible from exactly the states that its docstring names."""
    assert outcomes(step) == places


def test_what_ended_doesnt_act():
    """However a rollout ends, it has no share of the traffic and isn't paused."""
    for step in (roll_back, remove):
        after, _ = step(standing(RolloutState.TESTING, paused=True), by())
        assert (after.ratio, after.paused, after.shadow) == (0.0, False, False)


def test_a_resumed_rollout_counts_anew():
    """Counts from before a pause are never pooled with those after it."""
    paused, _ = pause(standing(RolloutState.TESTING), by())
    resumed, _ = resume(paused, by())
    assert resumed.epoch == paused.epoch + 1
    assert resumed.ratio == paused.ratio


@pytest.mark.parametrize("step", STEPS)
def test_every_step_has_one_entry_of_its_own(step):
    """A step's entry names the step by rollout and sequence, so that it can't be kept twice."""
    for rollout in EVERYWHERE:
        try:
            after, entry = step(rollout, by())
        except StepRefused:
            continue
        assert isinstance(after, Rollout)
        assert after.sequence == rollout.sequence + 1
        assert entry.audit_id == f"aud_{rollout.rollout_id}.{after.sequence}"
        assert after.reason == "because"
