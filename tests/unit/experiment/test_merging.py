"""Counts of many processes: any delivery in any order gives the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunella.experiment import Arm, Counts, Meter, Reading, Stratum, merge, strata
from prunella.model.errors import ImpossibleCounts

RATIOS = {1: 0.05, 2: 0.25}


@st.composite
def readings(draw):
    epoch = draw(st.sampled_from([1, 2]))
    n = draw(st.integers(0, 50))
    return Reading(
        meter=Meter(
            draw(st.sampled_from(["p1", "p2", "p3"])),
            draw(st.sampled_from(["fix-1", "fix-2"])),
            epoch,
            draw(st.sampled_from(Arm)),
        ),
        sequence=draw(st.integers(0, 5)),
        ratio=RATIOS[epoch],
        counts=Counts(n, draw(st.integers(0, n))),
    )


DELIVERIES = st.lists(readings(), max_size=30)


@given(DELIVERIES, DELIVERIES, DELIVERIES)
def test_merging_is_order_free_and_idempotent(one, two, three):
    """Late, shuffled, regrouped and repeated deliveries change nothing."""
    together = merge(one, two, three)
    assert merge(three, one, two) == together
    assert merge(merge(one, two).values(), three) == together
    assert merge(one, merge(two, three).values()) == together
    assert merge(together.values(), two, two, reversed(one)) == together
    assert strata(merge(three, two, one), "fix-1") == strata(together, "fix-1")


def test_the_highest_sequence_number_of_a_process_wins_and_processes_add_up():
    """Counts are cumulative in a process and additive over processes, by fix, epoch and arm."""

    def reading(process, sequence, epoch, arm, n, fix="fix-1"):
        return Reading(
            meter=Meter(process, fix, epoch, arm),
            sequence=sequence,
            ratio=RATIOS[epoch],
            counts=Counts(n, 1),
        )

    found = merge(
        [
            reading("p1", 2, 1, Arm.CONTROL, 20),
            reading("p1", 1, 1, Arm.CONTROL, 10),
            reading("p2", 1, 1, Arm.CONTROL, 5),
            reading("p2", 7, 1, Arm.TREATMENT, 3),
            reading("p2", 8, 2, Arm.TREATMENT, 4),
            reading("p2", 9, 1, Arm.TREATMENT, 100, fix="fix-2"),
        ]
    )
    assert strata(found, "fix-1") == (
        Stratum(0.05, Counts(25, 2), Counts(3, 1)),
        Stratum(0.25, Counts(), Counts(4, 1)),
    )


def test_two_ratios_in_one_epoch_are_refused():
    """An epoch has one ratio; counts of another would be pooled wrongly."""
    meters = [Meter(process, "fix-1", 1, Arm.CONTROL) for process in ("p1", "p2")]
    found = merge(
        [
            Reading(meter=meters[0], sequence=1, ratio=0.05, counts=Counts(1, 0)),
            Reading(meter=meters[1], sequence=1, ratio=0.25, counts=Counts(1, 0)),
        ]
    )
    with pytest.raises(ImpossibleCounts, match=r"epoch 1 of fix-1: process p2 counted at .* 0.25"):
        strata(found, "fix-1")


@given(*[st.builds(Counts, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))] * 3)
def test_counts_add_like_numbers(a, b, c):
    """Addition is commutative and associative, and no counts are its zero."""
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + Counts() == a


def test_a_rate_without_units_is_unknown():
    """No units have no failure rate, rather than one of 0."""
    assert Counts().rate is None
    assert Counts(4, 1).rate == 0.25
