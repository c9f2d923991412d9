"""What worked for a similar incident is tried first, and says so."""

from dataclasses import replace

import pytest

import builders as b
from prunella.fixes import parse
from prunella.model.hypotheses import FixHypothesis
from prunella.model.incidents import CaseOutcome, SimilarCase
from prunella.propose import with_cases

INCIDENT = b.incident(error_code="NET.READ.TIMEOUT")


def hypothesis(fix_type="retry", prior=0.4, **changes):
    document = {"fix_id": f"fix-{fix_type}", "fix_type": fix_type, "config": {}}
    return FixHypothesis(
        incident_id=INCIDENT.incident_id,
        title=fix_type,
        reasoning="From the records.",
        document=document,
        prior=prior,
        **changes,
    )


def worked(fix_type="retry", config=None, similarity=0.8, **changes):
    case = replace(
        b.case(),
        fix={"fix_id": "fix-old", "fix_type": fix_type, "config": config or {}, "description": "x"},
        resolution="Retry with backoff. Fewer units fail with the fix.",
        outcome=CaseOutcome.HELPED,
        **changes,
    )
    return SimilarCase(case=case, similarity=similarity, because="the same exception")


def test_the_type_that_worked_comes_first_with_its_reason():
    """Its numbers are those of this incident's records; its chance rises."""
    own = (hypothesis("fallback", 0.6), hypothesis("retry", 0.4))
    first, second = with_cases(own, [worked()], INCIDENT)
    assert (first.fix_type, second) == ("retry", own[0])
    assert first.prior > own[1].prior
    assert first.document == own[1].document
    assert first.reasoning.startswith("Worked for a similar incident: ")
    assert "Retry with backoff. Fewer units fail" in first.reasoning
    assert first.reasoning.endswith("From the records.")


def test_a_fix_that_no_template_gave_is_taken_over():
    """For this incident's site and code, as a valid document."""
    (first,) = with_cases((), [worked(config={"max_retries": 2})], INCIDENT)
    fix = parse(first.document)
    assert (fix.target.sites, fix.target.error_codes) == (
        (INCIDENT.site_id,),
        (INCIDENT.error_code,),
    )
    assert fix.config.max_retries == 2
    assert first.made_by.startswith("case:")


@pytest.mark.parametrize(
    ("fix_type", "config"),
    [
        ("guard", {"stage": "input", "parameter": "n", "check": {}, "on_fail": "reject"}),
        ("fallback", {"chain": [{"constant": 0}]}),
        ("retry", {"approved_non_idempotent": True}),
    ],
)
def test_what_is_for_people_or_for_one_function_is_not_taken_over(fix_type, config):
    """Made-up results, repeats that were approved for another function, bounds of other arguments."""
    assert with_cases((), [worked(fix_type, config)], INCIDENT) == ()


def test_an_outcome_that_is_counted_already_is_not_counted_twice():
    """A case of the same error code is part of the experience."""
    own = hypothesis(helped=1)
    same_code = worked(error_code=INCIDENT.error_code)
    assert with_cases((own,), [same_code], INCIDENT)[0].prior == own.prior


def test_without_cases_nothing_changes():
    """The order of the templates stays."""
    own = (hypothesis("fallback"), hypothesis("retry"))
    assert with_cases(own, [], INCIDENT) == own
