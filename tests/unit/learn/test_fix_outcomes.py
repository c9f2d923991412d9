from dataclasses import replace

from prunella.learn import experience
from prunella.model.records import SiteKind
from prunella.model.rollouts import RolloutState
from prunella.rollout import By, propose
from recorded import START

DOCUMENT = {"fix_id": "f", "fix_type": "retry", "target": {"sites": ["a:b"]}, "config": {}}


def rollout(state, incident_id="inc_1"):
    made, _entry = propose(DOCUMENT, By(actor="x", at=START), incident_id=incident_id)
    return replace(made, state=state)


def test_only_decisions_teach():
    """Graduated fixes helped, rolled back ones didn't; the rest, and unknown incidents, say nothing."""
    states = [*RolloutState, RolloutState.GRADUATED]
    found = experience(
        [*map(rollout, states), rollout(RolloutState.GRADUATED, "inc_2")],
        {"inc_1": "NET.READ.TIMEOUT"},
        {"a:b": SiteKind.TOOL},
    )
    assert [(item.helped, item.failed) for item in found] == [(2, 1)]
    assert (found[0].error_code, found[0].fix_type, found[0].site_kind) == (
        "NET.READ.TIMEOUT",
        "retry",
        "tool",
    )


def test_a_retired_fix_that_had_graduated_helped():
    """It isn't needed any more because something else cured the fault; one removed early says nothing."""
    retired = [rollout(RolloutState.RETIRED), rollout(RolloutState.RETIRED)]
    found = experience(
        retired, {"inc_1": "NET.READ.TIMEOUT"}, {}, graduated={retired[0].rollout_id}
    )
    assert [(item.helped, item.failed) for item in found] == [(1, 0)]
