"""Two edits where one only moves the crash."""

from dataclasses import replace

from crashes import dossier_of, load
from prunella.model.dossier import Dossier
from prunella.model.repair import Candidate, Check, CheckOutcome, ReplayCounts
from prunella.pipeline.second_edit import second_edits
from prunella.propose.rules import propose_by_rules
from prunella.validate import Trial

SOURCE = (
    "def f(rows):\n    found = []\n    for row in rows:\n        if row not in fuond:\n"
    "            found += row\n    return found\n"
)


def moved(dossier: Dossier, candidate: Candidate) -> Trial:
    """Return the trial of a candidate with which the failing call still fails."""
    again = dossier_of(candidate.patch.after.decode(), "f", failing=[([5, 5],)])
    check = Check(name="failing_calls", outcome=CheckOutcome.FAILED, detail="")
    return Trial(
        candidate=candidate,
        checks=[check],
        healed=tuple(outcome for _, outcome in again.baseline.failing),
        counts=ReplayCounts(failing_reproduced=1),
    )


def first(dossier: Dossier) -> Candidate:
    found = propose_by_rules(dossier)
    return next(item for item in found if b"not in found" in item.patch.after)


def test_a_second_edit_answers_the_crash_that_the_first_uncovers() -> None:
    """Both edits are one patch of the original, less sure than either alone."""
    dossier = dossier_of(SOURCE, "f", failing=[([5, 5],)], passing=[([],)])
    one = first(dossier)
    both = second_edits(dossier, [moved(dossier, one)])
    chosen = next(item for item in both if b"found += [row]" in item.patch.after)
    assert chosen.patch.before == SOURCE.encode()
    assert load(chosen.patch.after.decode())["f"]([5, 5]) == [5]
    assert "+growth.item" in chosen.origin
    assert chosen.prior < one.prior
    assert chosen.candidate_id != one.candidate_id


def test_a_crash_that_stays_calls_for_no_second_edit() -> None:
    """An edit that changes nothing about the failure is no first half of a repair."""
    dossier = dossier_of(SOURCE, "f", failing=[([5, 5],)], passing=[([],)])
    trial = moved(dossier, first(dossier))
    trial.healed = tuple(outcome for _, outcome in dossier.baseline.failing)
    assert second_edits(dossier, [trial]) == []


def test_what_another_check_rejects_is_not_taken_further() -> None:
    """A first edit that changes a passing call's result stays rejected."""
    dossier = dossier_of(SOURCE, "f", failing=[([5, 5],)], passing=[([],)])
    trial = moved(dossier, first(dossier))
    trial.checks.append(Check(name="passing_calls", outcome=CheckOutcome.FAILED, detail=""))
    assert second_edits(dossier, [trial]) == []


def test_a_function_that_is_not_known_gets_none() -> None:
    """Without a function there is nothing to edit twice."""
    dossier = dossier_of(SOURCE, "f", failing=[([5, 5],)])
    trial = moved(dossier, first(dossier))
    assert second_edits(replace(dossier, function=None), [trial]) == []
