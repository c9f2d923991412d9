"""What is kept of a solved incident."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

import builders as b
from prunella.learn import case_of, case_of_fix
from prunella.model.incidents import CaseOutcome
from prunella.model.rollouts import RolloutState
from prunella.rollout import By, approve, propose


def test_a_case_says_where_why_and_how_far_it_was_proven() -> None:
    """A later reader needs no other record to judge it."""
    case = case_of(b.incident(), b.diagnosis(), b.candidate(), b.accepted())
    assert case.function == "shop.prices:average"
    assert case.root_cause == "`values` is empty."
    assert case.resolution == (
        "Return 0.0 when `values` is empty. "
        "3 failing calls no longer fail; 5 passing calls return the equal result."
    )
    assert (case.origin, case.diff) == ("rule:empty_guard", b.candidate().patch.diff)


def test_a_case_without_a_project_frame_names_the_site() -> None:
    """Where no frame belongs to the project, the decorated function stands for the place."""
    case = case_of(b.incident(location=None), b.diagnosis(), b.candidate(), b.accepted())
    assert case.function == "shop.prices:average"


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (RolloutState.GRADUATED, CaseOutcome.HELPED),
        (RolloutState.RETIRED, CaseOutcome.HELPED),
        (RolloutState.ROLLED_BACK, CaseOutcome.TAKEN_BACK),
        (RolloutState.INCONCLUSIVE, None),
        (RolloutState.TESTING, None),
        (RolloutState.CANDIDATE, None),
    ],
)
def test_a_decided_rollout_is_a_case(state: RolloutState, outcome: CaseOutcome | None) -> None:
    """It carries the fix and why it went as it did; what is undecided teaches nothing."""
    by = By(actor="x", at=datetime(2026, 1, 1, tzinfo=UTC))
    document = {"fix_id": "fix_1", "fix_type": "retry", "description": "retry", "config": {}}
    testing = approve(propose(document, by, incident_id=b.incident().incident_id)[0], by)[0]
    rollout = replace(testing, state=state, reason="because")
    case = case_of_fix(b.incident(), rollout, "the upstream is slow")
    assert (case and case.outcome) == outcome
    if case is not None:
        assert (case.fix, case.origin, case.diff) == (document, "fix:fix_1", "")
        assert case.resolution == "retry. because."
        assert case.case_id == f"case_{rollout.rollout_id}"
