"""Counts of many processes: any delivery in any order gives the same."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prunella.codec.plain import from_plain, to_plain
from prunella.experiment import Arm, Counts, Shipment, Stratum, Tally, merge, read, strata
from prunella.model.errors import ImpossibleCounts

RATIOS = {1: 0.05, 2: 0.25}


def tally(n, failures=0, *, epoch=1, arm=Arm.CONTROL, rollout="rol_1", ratio=None):
    return Tally(
        rollout_id=rollout,
        epoch=epoch,
        ratio=RATIOS[epoch] if ratio is None else ratio,
        arm=arm,
        counts=Counts(n, failures),
    )


def shipment(process, sequence, *tallies):
    return Shipment(process_id=process, sequence=sequence, tallies=tallies)


TALLIES = st.builds(
    lambda n, epoch, arm, rollout: tally(n, n // 2, epoch=epoch, arm=arm, rollout=rollout),
    st.integers(0, 50),
    st.sampled_from([1, 2]),
    st.sampled_from(Arm),
    st.sampled_from(["rol_1", "rol_2"]),
)
SHIPMENTS = st.lists(
    st.builds(
        lambda process, sequence, tallies: shipment(process, sequence, *tallies),
        st.sampled_from(["p1", "p2", "p3"]),
        st.integers(0, 5),
        st.lists(TALLIES, max_size=4),
    ),
    max_size=8,
)


@settings(max_examples=50)
@given(SHIPMENTS, SHIPMENTS, SHIPMENTS)
def test_merging_is_order_free_and_idempotent(one, two, three):
    """Late, shuffled, regrouped and repeated deliveries change nothing."""
    a, b, c = read(one), read(two), read(three)
    together = read([*one, *two, *three])
    assert merge(c, a, b) == together
    assert merge(merge(a, b), c) == merge(a, merge(b, c)) == together
    assert merge(together, b, b, a) == together
    assert read([*reversed(three), *one, *two, *one]) == together
    assert strata(merge(c, b, a), "rol_1") == strata(together, "rol_1")


def test_the_highest_sequence_number_of_a_process_wins_and_processes_add_up():
    """Counts are cumulative in a process and additive over processes, by rollout, epoch and arm."""
    found = read(
        [
            shipment("p1", 2, tally(20, 1)),
            shipment("p1", 1, tally(10, 1)),
            shipment("p2", 1, tally(5, 1)),
            shipment("p2", 7, tally(3, 1, arm=Arm.TREATMENT)),
            shipment("p2", 8, tally(4, 1, epoch=2, arm=Arm.TREATMENT)),
            shipment("p2", 9, tally(100, 1, rollout="rol_2")),
        ]
    )
    assert strata(found, "rol_1") == (
        Stratum(0.05, Counts(25, 2), Counts(3, 1)),
        Stratum(0.25, Counts(), Counts(4, 1)),
    )


def test_two_ratios_in_one_epoch_are_refused():
    """An epoch has one ratio; counts of another would be pooled wrongly."""
    found = read([shipment("p1", 1, tally(1)), shipment("p2", 1, tally(1, ratio=0.25))])
    with pytest.raises(ImpossibleCounts, match=r"epoch 1 of rol_1: process p2 counted at .* 0.25"):
        strata(found, "rol_1")


def test_a_shipment_that_can_not_be_true_is_refused_with_its_place():
    """Impossible counts name the process, rollout, epoch and arm that they came from."""
    with pytest.raises(ImpossibleCounts, match="p1, rol_1, epoch 1, control: 3 failures of n = 2"):
        read([shipment("p1", 1, tally(2, 3))])


@given(SHIPMENTS)
@settings(max_examples=20)
def test_a_shipment_survives_the_wire(shipments):
    """As JSON and back it is the same."""
    for each in shipments:
        assert from_plain(Shipment, json.loads(json.dumps(to_plain(each)))) == each


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
