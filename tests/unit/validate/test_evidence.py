"""What counts as agreement."""

import pytest

from builders import candidate
from prunella.model.ids import OccurrenceId
from prunella.model.repair import (
    Check,
    CheckOutcome,
    ReplayCounts,
    ReplayEnding,
    ReplayOutcome,
)
from prunella.validate.evidence import LEAST_SCORE, score, settled, source


def returned(value: object) -> tuple[ReplayOutcome, ...]:
    ending = ReplayEnding.RETURNED
    return (ReplayOutcome(request_id=OccurrenceId("occ_1"), ending=ending, result=value),)


def scored(origin: str, *others: tuple[str, object]) -> float:
    return score(
        candidate(origin=origin, prior=0.5),
        (),
        ReplayCounts(failing_reproduced=1, failing_healed=1),
        returned(0.0),
        [(name, returned(value)) for name, value in others],
    )


def test_rules_and_a_model_that_agree_support_each_other() -> None:
    """Equal results from another source raise the score, in both directions."""
    alone = scored("rule:zero.empty")
    assert scored("rule:zero.empty", ("model:openai:gpt-4.1", 0.0)) > alone
    assert scored("model:openai:gpt-4.1", ("rule:zero.empty", 0.0)) > alone
    assert scored("rule:zero.empty", ("model:openai:gpt-4.1", 1.0)) == alone


@pytest.mark.parametrize(
    ("origin", "other"),
    [
        ("rule:zero.empty", "rule:zero.guard"),
        ("rule:zero.empty", "rule:zero.empty"),
        ("model:openai:gpt-4.1", "model:openai:gpt-4.1"),
    ],
)
def test_variants_of_one_source_are_one_opinion(origin: str, other: str) -> None:
    """A family of rules doesn't agree with itself, nor samples of a model with each other."""
    assert scored(origin, (other, 0.0)) == scored(origin)


def test_many_variants_of_another_source_count_once() -> None:
    """Ten variants of a rule are one voice for a model's candidate."""
    once = scored("model:openai:gpt-4.1", ("rule:zero.empty", 0.0))
    many = [(f"rule:zero.variant{number}", 0.0) for number in range(10)]
    assert scored("model:openai:gpt-4.1", *many) == once


def test_models_differ_by_name() -> None:
    """Two models are two sources."""
    assert source("model:openai:gpt-4.1") != source("model:openai:o3")
    assert source("rule:none.or_at_source") == source("rule:none.get_default") == "rule:none"


def test_what_answers_differently_lowers_the_score() -> None:
    """Of candidates that disagree none keeps its score; variants of one answer are one voice."""
    alone = settled([(0.6, returned(0.0))])
    same = settled([(0.6, returned(0.0)), (0.6, returned(0.0))])
    two = settled([(0.6, returned(0.0)), (0.6, returned(1.0))])
    three = settled([(0.6, returned(0.0)), *[(0.6, returned(1.0))] * 2])
    assert alone[0] == pytest.approx(0.6)
    assert same[0] == alone[0]
    assert two[0] == two[1] < alone[0]
    assert three[0] == two[0]


def test_no_evidence_carries_a_value_that_nothing_names() -> None:
    """A confident model's invented answer isn't offered, whatever else speaks for it."""
    checks = [
        Check(name="tests", outcome=CheckOutcome.PASSED, detail=""),
        Check(name="invariants", outcome=CheckOutcome.PASSED, detail=""),
        Check(name="foundations", outcome=CheckOutcome.NOT_SHOWN, detail=""),
    ]
    counts = ReplayCounts(
        failing_reproduced=1, failing_healed=1, passing_reproduced=50, passing_equal=50
    )
    others = [(f"rule:family{number}", returned(7)) for number in range(5)]
    invented = candidate(origin="model:openai:o3", prior=0.65)
    assert score(invented, checks, counts, returned(7), others) < LEAST_SCORE
    assert score(invented, checks[:2], counts, returned(7), others) > LEAST_SCORE
