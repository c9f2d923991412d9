"""What the repair benchmark makes of priors."""

import sys
from pathlib import Path

import pytest

from builders import candidate
from prunella.model.ids import OccurrenceId
from prunella.model.repair import ReplayCounts, ReplayEnding, ReplayOutcome
from prunella.propose.rules.priors import judged, prior_of
from prunella.validate import Trial

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
RULE = "zero.empty"


@pytest.fixture
def parts(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import calibration
    import repair_report

    yield calibration, repair_report
    for name in ("calibration", "repair_report"):
        sys.modules.pop(name)


def _program(report, question, *, right, passing=3):
    """A program with one incident, for which one rule has one candidate that nothing is against."""
    ending = ReplayEnding.RETURNED
    trial = Trial(
        candidate=candidate(origin=f"rule:{RULE}", prior=prior_of(RULE)),
        healed=(ReplayOutcome(request_id=OccurrenceId("occ_1"), ending=ending, result=0),),
        counts=ReplayCounts(
            failing_reproduced=1, failing_healed=1, passing_reproduced=3, passing_equal=passing
        ),
        score=0.5,
    )
    incident = report.Incident(trials=(trial,), right=(right,), correct=(right,), offered=0)
    return report.Result(
        program_id="one", question=question, split="dev", exception="E", incidents=[incident]
    )


def _counts(text, question):
    """Offered and correct at the lowest limit."""
    cells = next(line.split() for line in text.splitlines() if line.split()[0] == str(question))
    return int(cells[3]), int(cells[5])


def test_a_question_has_one_voice(parts):
    """However many of its programs a rule serves, a question moves a prior half-way at the most."""
    calibration, report = parts
    many = [_program(report, 1, right=True) for _ in range(60)]
    prior = calibration.calibrated(many)[RULE]
    assert prior == pytest.approx((1 + judged(RULE)) / 2, abs=0.01)
    assert calibration.calibrated(many[:6])[RULE] == prior


def test_a_question_is_offered_what_the_others_speak_for(parts):
    """Priors come from the other questions: what was wrong there is not offered here."""
    calibration, report = parts
    wrong = [_program(report, 1, right=False) for _ in range(20)]
    right = [_program(report, 3, right=True) for _ in range(20)]
    text = calibration.cross([*wrong, *right])
    assert _counts(text, 1) == (20, 0)  # question 3 speaks for the rule
    offered, correct = _counts(text, 3)
    assert offered == correct
    assert calibration.calibrated(wrong)[RULE] < judged(RULE)


def test_without_passing_calls_nothing_is_offered(parts):
    """A removed crash alone is no offer, with whatever prior."""
    calibration, report = parts
    programs = [_program(report, number, right=True, passing=0) for number in (1, 3)]
    assert _counts(calibration.cross(programs), "all") == (0, 0)
