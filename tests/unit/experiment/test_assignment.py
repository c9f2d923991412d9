"""Who gets the fix."""

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunella.experiment import Arm, Assignment
from prunella.model.errors import ImpossibleCounts

UNITS = [f"trace-{number}" for number in range(20_000)]


@given(st.text(), st.text(), st.text(), st.floats(0, 1))
def test_an_arm_is_a_function_of_fix_salt_and_unit(fix, salt, unit, ratio):
    """Every way of asking gives the same arm, in every process."""
    digest = blake2b(
        b"\xff".join([fix.encode(), salt.encode(), unit.encode()]), digest_size=8
    ).digest()
    assignment = Assignment(fix, salt)
    treated = int.from_bytes(digest, "big") / 2**64 < ratio
    assert assignment.dealer(ratio)(unit) == treated
    assert assignment.arm(unit, ratio) == (Arm.TREATMENT if treated else Arm.CONTROL)
    assert 0 <= assignment.fraction(unit) < 1


@pytest.mark.parametrize("ratio", [0.05, 0.25, 0.5, 0.95])
def test_arms_have_their_share(ratio):
    """The share of treated units is the ratio, within five standard deviations."""
    treated = sum(map(Assignment("fix-1").dealer(ratio), UNITS))
    assert abs(treated - ratio * len(UNITS)) < 5 * (len(UNITS) * ratio * (1 - ratio)) ** 0.5


def test_none_and_all():
    """At a ratio of 0 nobody gets the fix, at 1 everybody does."""
    assignment = Assignment("fix-1")
    assert not any(map(assignment.dealer(0.0), UNITS))
    assert all(map(assignment.dealer(1.0), UNITS))


def test_a_treated_unit_stays_treated_as_the_ratio_grows():
    """Units keep their fix along the ramp: stickiness survives advancing."""
    assignment = Assignment("fix-1")
    at = [set(filter(assignment.dealer(ratio), UNITS)) for ratio in (0.05, 0.25, 0.5)]
    assert at[0] < at[1] < at[2]


@pytest.mark.parametrize("other", [Assignment("fix-2"), Assignment("fix-1", "new salt")])
def test_fixes_and_salts_deal_independently(other):
    """Who is treated by one fix says nothing about who is by another, or after a new salt."""
    first = Assignment("fix-1").dealer(0.5)
    second = other.dealer(0.5)
    both = sum(first(unit) and second(unit) for unit in UNITS)
    assert abs(both - len(UNITS) / 4) < 5 * (len(UNITS) * 3 / 16) ** 0.5


def test_several_candidates_get_their_shares():
    """Units are dealt to control and candidates in the given shares; no share, no unit."""
    assignment = Assignment("incident-1")
    shares = (0.5, 0.3, 0.0, 0.2)
    counts = [0] * 4
    for unit in UNITS:
        counts[assignment.choose(unit, shares)] += 1
    assert counts[2] == 0
    for share, count in zip(shares, counts, strict=True):
        assert abs(count - share * len(UNITS)) <= 5 * (len(UNITS) * share * (1 - share)) ** 0.5


@pytest.mark.parametrize("shares", [(), (0.5, 0.4), (1.2, -0.2)])
def test_shares_that_are_none_are_refused(shares):
    """Shares must be from 0 on and sum up to 1."""
    with pytest.raises(ImpossibleCounts, match="shares"):
        Assignment("fix").choose("unit", shares)


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_ratio_that_is_none_is_refused(ratio):
    """A ratio must be between 0 and 1."""
    with pytest.raises(ImpossibleCounts, match="ratio"):
        Assignment("fix").dealer(ratio)
