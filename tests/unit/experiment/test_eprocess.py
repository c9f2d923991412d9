"""E-values."""

import math

import pytest

from prunella.experiment.eprocess import said


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0.0"), (12.53, "12.5"), (1234.5, "1,234.5"), (5.17e31, "5e31"), (math.inf, "inf")],
)
def test_vast_evidence_is_told_by_its_power_of_ten(value: float, words: str) -> None:
    """Nobody reads thirty digits."""
    assert said(value) == words
