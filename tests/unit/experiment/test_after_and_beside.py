"""Maturity of exposures, competing fixes, and what becomes of a graduated fix."""

from dataclasses import replace
from itertools import product
from math import exp, isclose
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunella.experiment import Arm, Counts, Stratum
from prunella.experiment.holdback import (
    Keep,
    Released,
    Retire,
    Revoke,
    Watched,
    log_changed,
    log_recovered,
    stands,
)
from prunella.experiment.maturity import Ledger, StickyLedger
from prunella.experiment.several import against_control, e_bh, thompson_shares, weights
from prunella.model.errors import ImpossibleCounts


def test_every_unit_counts_at_its_deadline():
    """A quick success counts no sooner than a slow failure that started with it."""
    ledger = Ledger(wait_s=10.0)
    slow = ledger.begin(Arm.TREATMENT, 0.0)
    ledger.begin(Arm.CONTROL, 0.0).end(failed=False, now_s=0.1)
    slow.end(failed=True, now_s=6.0)
    assert ledger.settle(9.9) == {Arm.CONTROL: Counts(), Arm.TREATMENT: Counts()}
    assert len(ledger) == 2
    assert ledger.settle(10.0) == {Arm.CONTROL: Counts(1, 0), Arm.TREATMENT: Counts(1, 1)}
    assert len(ledger) == 0


def test_what_misses_its_deadline_has_failed():
    """At its deadline a unit counts as failed, whether it never ends or succeeds too late."""
    ledger = Ledger(wait_s=1.0)
    never = ledger.begin(Arm.CONTROL, 0.0)
    ledger.begin(Arm.CONTROL, 0.0).end(failed=False, now_s=3.0)
    assert ledger.settle(4.0)[Arm.CONTROL] == Counts(2, 2)
    never.end(failed=False, now_s=5.0)
    assert ledger.settle(6.0)[Arm.CONTROL] == Counts(2, 2)


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 20), st.booleans()), max_size=30),
    st.floats(0, 60),
)
def test_which_units_count_says_nothing_about_how_they_fared(units, now_s):
    """Whatever becomes of units and when: at any moment those count that began long enough ago."""
    ledger = Ledger(wait_s=10.0)
    for start, (treated, takes_s, fails) in enumerate(units):
        exposure = ledger.begin(Arm.TREATMENT if treated else Arm.CONTROL, float(start))
        exposure.end(failed=fails, now_s=start + takes_s)
    counts = ledger.settle(now_s)
    mature = [unit for start, unit in enumerate(units) if start + 10.0 <= now_s]
    for arm, side in ((Arm.CONTROL, False), (Arm.TREATMENT, True)):
        ours = [(takes_s, fails) for treated, takes_s, fails in mature if treated == side]
        assert counts[arm].n == len(ours)
    assert len(ledger) == len(units) - len(mature)


def test_sticky_units_count_once_as_any_failure():
    """A unit counts once, when its last request must have ended; failed if any of them failed."""
    ledger = StickyLedger(window_s=5.0, wait_s=1.0, most=3)
    for unit, fails in (("a", False), ("b", False), ("a", True), ("a", False), ("c", False)):
        ledger.begin(unit, Arm.CONTROL, 0.0).end(fails, 0.1)
    ledger.begin("one too many", Arm.CONTROL, 0.0)
    ledger.begin("b", Arm.CONTROL, 5.5)  # after the window: isn't followed
    assert len(ledger) == 3
    assert ledger.settle(5.9)[Arm.CONTROL] == Counts()
    assert ledger.settle(6.0)[Arm.CONTROL] == Counts(3, 1)
    ledger.begin("a", Arm.CONTROL, 7.0)
    assert ledger.settle(20.0)[Arm.CONTROL] == Counts(3, 1)


def test_sticky_units_with_a_request_that_has_not_ended_have_failed():
    """However late in the window it began: nothing is gained by making failures slow."""
    ledger = StickyLedger(window_s=5.0, wait_s=1.0)
    ledger.begin("a", Arm.TREATMENT, 0.0).end(False, 0.1)
    late = ledger.begin("a", Arm.TREATMENT, 4.9)
    late.end(False, 6.0)
    assert ledger.settle(6.0)[Arm.TREATMENT] == Counts(1, 1)


def test_a_sticky_unit_counts_in_one_epoch():
    """It stays in its arm, so that its luck must not count anew at each ratio."""
    known = set()
    first, second = (StickyLedger(window_s=5.0, wait_s=1.0, known=known) for _ in range(2))
    first.begin("a", Arm.TREATMENT, 0.0).end(False, 0.1)
    second.begin("a", Arm.TREATMENT, 1.0).end(False, 1.1)
    second.begin("b", Arm.TREATMENT, 1.0).end(False, 1.1)
    assert first.settle(100.0)[Arm.TREATMENT] == Counts(1, 0)
    assert second.settle(100.0)[Arm.TREATMENT] == Counts(1, 0)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=6))
def test_weights_share_alpha(priors):
    """Weights are proportional to the priors and sum up to 1."""
    shared = weights(priors)
    assert isclose(sum(shared), 1)
    assert isclose(shared[0] * priors[-1], shared[-1] * priors[0])


@pytest.mark.parametrize("priors", [(), (1.0, 0.0), (float("nan"),)])
def test_priors_that_are_none_are_refused(priors):
    """Each candidate needs a prior above 0."""
    with pytest.raises(ImpossibleCounts, match="priors"):
        weights(priors)


def test_better_candidates_get_more_but_none_starves():
    """Thompson shares favour what fails less, keep control's share and a floor for each."""
    arms = [Counts(100, 50), Counts(100, 5), Counts()]
    shares = thompson_shares(arms, Random(1), control_share=0.4)
    assert shares == thompson_shares(arms, Random(1), control_share=0.4)
    assert isclose(sum(shares), 1)
    assert shares[0] == 0.4
    assert shares[2] > shares[1] >= 0.6 * 0.2 / 3
    for wrong in ([], 0.4), (arms, 1.0):
        with pytest.raises(ImpossibleCounts, match="control share"):
            thompson_shares(wrong[0], Random(1), control_share=wrong[1])


def test_one_candidate_against_control_has_its_own_ratio():
    """Among the units of two arms, the candidate's share is relative to both."""
    stratum = against_control((0.4, 0.2, 0.4), Counts(4, 1), Counts(2, 1), 1)
    assert stratum == Stratum(0.2 / (0.2 + 0.4), Counts(4, 1), Counts(2, 1))


def test_e_bh_by_definition():
    """The k largest are rejected, k the largest number with e_(k) * k >= K / alpha."""
    assert e_bh([100, 45, 1, 25], 0.05) == (True, True, False, False)
    assert e_bh([80, 41, 27, 1]) == (True, True, True, False)
    assert e_bh([19.9]) == (False,)
    assert e_bh([20]) == (True,)
    assert e_bh([]) == ()


def watched(periods, *, quiet_s=0.0, quiet_calls=0):
    return Watched(periods=periods, base_rate=0.5, quiet_s=quiet_s, quiet_calls=quiet_calls)


GOOD = Stratum(0.95, Counts(5, 3), Counts(95, 2))


def test_a_good_record_does_not_hide_that_a_fix_begins_to_hurt():
    """After a hundred good days, one bad day revokes the fix."""
    bad = Stratum(0.95, Counts(50, 2), Counts(950, 700))
    assert isinstance(stands(watched([GOOD] * 100)), Keep)
    assert isinstance(stands(watched([GOOD] * 100 + [bad])), Revoke)


def test_a_fix_retires_when_nothing_fails_without_it():
    """When units of the holdback don't fail any more, the fix isn't needed."""
    fine = Stratum(0.95, Counts(100, 0), Counts(1900, 0))
    verdict = stands(watched([GOOD, GOOD, fine, fine]))
    assert isinstance(verdict, Retire)
    assert verdict.reason.startswith("units without the fix fail less than 10% as often as before")
    assert isinstance(stands(watched([GOOD] * 3)), Keep)


def test_a_fix_retires_when_it_does_not_fire_any_more():
    """Quiet in time and in calls; a site that isn't called at all is no proof."""
    week = 7 * 86_400.0
    assert isinstance(stands(watched([], quiet_s=week, quiet_calls=1000)), Retire)
    assert isinstance(stands(watched([], quiet_s=week, quiet_calls=999)), Keep)
    assert isinstance(stands(watched([], quiet_s=week - 1, quiet_calls=10_000)), Keep)


def test_watching_for_ever_costs_alpha_once():
    """Under no effect the mean capital of all starting points together is exactly 1."""
    total = recovered = 0.0
    for sequence in product(product((False, True), repeat=2), repeat=3):
        chance = 1.0
        periods = []
        for treated, failed in sequence:
            chance *= (0.95 if treated else 0.05) * (0.05 if failed else 0.95)
            seen, unseen = Counts(1, int(failed)), Counts()
            periods.append(Stratum(0.95, *((unseen, seen) if treated else (seen, unseen))))
        total += chance * exp(log_changed(periods, 0.5))
        recovered += chance * exp(log_recovered(periods, 0.5))
    assert isclose(total, 1, rel_tol=1e-9)
    assert isclose(recovered, 1, rel_tol=1e-9)


def test_a_fix_retires_where_new_code_does_not_need_it():
    """It fires a tenth as often there, or units without it don't fail; as often as before: it stays."""
    there = Released(
        name="release 2",
        calls=2_000,
        fired=0,
        fired_rate=0.1,
        holdback=Counts(),
        holdback_rate=0.5,
    )
    good = watched([GOOD] * 3)
    assert "release 2 doesn't need it" in stands(replace(good, released=there)).reason
    fires = replace(there, fired=200, holdback=Counts(100, 0))
    assert isinstance(stands(replace(good, released=fires)), Retire)
    for needed in (
        replace(there, fired=200, holdback=Counts(100, 50)),
        replace(there, calls=10),
        replace(there, fired_rate=0.0),
    ):
        assert isinstance(stands(replace(good, released=needed)), Keep)
