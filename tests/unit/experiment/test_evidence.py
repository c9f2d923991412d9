"""The e-values: what they are worth under each null, and that they are what they claim to be."""

from itertools import product
from math import exp, inf, isclose, log, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import binom

from prunella import experiment
from prunella.experiment import Counts, Stratum
from prunella.experiment.bets import (
    AROUND_HISTORY,
    BENEFIT_RATIOS,
    HARM_RATIOS,
    SAFE_RATIOS,
    conditional_rows,
    share_of_failures,
)
from prunella.experiment.eprocess import log_below, log_conditional, log_joint
from prunella.model.errors import ImpossibleCounts

RATIOS = st.sampled_from([0.05, 0.25, 0.5, 0.95])
BASE_RATES = st.one_of(st.none(), st.sampled_from([0.01, 0.2, 0.5, 1.0]))


@st.composite
def arms(draw, most=60):
    n = draw(st.integers(0, most))
    return Counts(n, draw(st.integers(0, n)))


STRATA = st.lists(st.builds(Stratum, RATIOS, arms(), arms()), max_size=4)


def counted(ratio, outcomes):
    """The stratum of a sequence of (treated, failed)."""
    sides = {
        side: Counts(
            sum(treated == side for treated, _ in outcomes),
            sum(treated == side and failed for treated, failed in outcomes),
        )
        for side in (False, True)
    }
    return Stratum(ratio, sides[False], sides[True])


def expectation(capital, ratios, p0, p1):
    """The exact mean capital over every sequence of units; unit i fails with p0[i] or p1[i]."""
    total = 0.0
    for sequence in product(product((False, True), repeat=2), repeat=len(p0)):
        chance = 1.0
        epochs = {}
        for index, (treated, failed) in enumerate(sequence):
            rate = (p1 if treated else p0)[index]
            chance *= ratios[index] if treated else 1 - ratios[index]
            chance *= rate if failed else 1 - rate
            epochs.setdefault(ratios[index], []).append((treated, failed))
        total += chance * exp(capital([counted(r, units) for r, units in epochs.items()]))
    return total


@pytest.mark.parametrize("direction", ["benefit", "harm"])
@pytest.mark.parametrize("base_rate", [None, 0.2, 1.0])
@pytest.mark.parametrize("rates", [(0.3, 0.3, 0.3, 0.3), (0.01, 0.9, 0.5, 0.99)])
def test_no_effect_pays_exactly_one(direction, base_rate, rates):
    """Under a common failure rate, drifting or not, in one epoch or two, the mean capital is 1."""
    ratios = (0.05, 0.05, 0.5, 0.5)
    joint = expectation(lambda s: log_joint(s, direction, base_rate), ratios, rates, rates)
    conditional = expectation(lambda s: log_conditional(s, direction), ratios, rates, rates)
    assert isclose(joint, 1, rel_tol=1e-9)
    assert isclose(conditional, 1, rel_tol=1e-9)


@pytest.mark.parametrize("factor", [0.25, 0.5, 0.9])
@pytest.mark.parametrize("base_rate", [None, 0.1, 0.6])
def test_a_true_null_never_pays(factor, base_rate):
    """The mean capital is at most 1 wherever a null holds, not only at its edge."""
    ratios, better, worse = (0.25,) * 4, [0.4 * factor] * 4, [0.4] * 4
    benefit = expectation(lambda s: log_joint(s, "benefit", base_rate), ratios, better, worse)
    harm = expectation(lambda s: log_joint(s, "harm", base_rate), ratios, worse, better)
    assert benefit <= 1
    assert harm <= 1
    ratio = 1 / factor
    for margin in (ratio, ratio * 0.6):
        assert (
            expectation(lambda s, m=margin: log_conditional(s, "benefit", m), ratios, better, worse)
            <= 1 + 1e-9
        )
    for margin in (factor, factor * 1.5):
        assert (
            expectation(lambda s, m=margin: log_conditional(s, "harm", m), ratios, worse, better)
            <= 1 + 1e-9
        )


@settings(max_examples=20)
@given(STRATA, BASE_RATES)
def test_the_joint_capital_is_the_brute_force_likelihood(strata, base_rate):
    """It is the mean over bets of the ratio of binomial likelihoods, whatever the order of units."""
    if base_rate is None or base_rate > 0.1:
        base_rate = 0.01
    logs = []
    for by, ratio in product(AROUND_HISTORY, HARM_RATIOS):
        control, treatment = base_rate * by, base_rate * by * ratio
        bet = 0.0
        for stratum in strata:
            mean = stratum.ratio * treatment + (1 - stratum.ratio) * control
            for arm, rate in ((stratum.treatment, treatment), (stratum.control, control)):
                bet += binom.logpmf(arm.failures, arm.n, rate)
                bet -= binom.logpmf(arm.failures, arm.n, mean)
        logs.append(bet)
    expected = logsumexp(logs) - log(len(logs))
    assert isclose(log_joint(strata, "harm", base_rate), expected, rel_tol=1e-9, abs_tol=1e-9)


@settings(max_examples=20)
@given(STRATA, st.sampled_from([0.8, 1.0, 1.5, 2.0]))
def test_the_conditional_capital_is_the_brute_force_likelihood(strata, margin):
    """It is the mean over bets of the ratio of binomial likelihoods of "whose failure"."""
    logs = []
    for ratio in SAFE_RATIOS if margin > 1 else BENEFIT_RATIOS:
        bet = 0.0
        for stratum in strata:
            rho, failed = stratum.ratio, stratum.treatment.failures
            both = failed + stratum.control.failures
            for risk, sign in ((ratio * margin, 1), (margin, -1)):
                share = rho * risk / (rho * risk + 1 - rho)
                bet += sign * binom.logpmf(failed, both, share)
        logs.append(bet)
    expected = logsumexp(logs) - log(len(logs))
    actual = log_conditional(strata, "benefit", margin)
    assert isclose(actual, expected, rel_tol=1e-9, abs_tol=1e-9)


def test_one_arm_alone_is_the_brute_force_likelihood():
    """The capital against "fails at least that often" is a ratio of binomial likelihoods."""
    logs = [binom.logpmf(2, 50, 0.3 * by) - binom.logpmf(2, 50, 0.3) for by in BENEFIT_RATIOS]
    assert isclose(log_below(Counts(50, 2), 0.3), logsumexp(logs) - log(len(logs)))


@pytest.mark.parametrize("strata", [[], [Stratum(0.3, Counts(0, 0), Counts(0, 0))]])
@pytest.mark.parametrize("base_rate", [None, 0.1])
def test_no_data_is_no_evidence(strata, base_rate):
    """Without counts every e-value is exactly 1."""
    found = experiment.evidence(strata, base_rate=base_rate)
    assert (found.benefit, found.harm, found.futility) == (1, 1, 1)
    assert dict(found.margins) == {"RR>=2": 1, "RR>=1.5": 1, "RR<=0.8": 1}


def test_arms_are_not_swapped():
    """A fix that removes failures is evidence of benefit; the same counts swapped, of harm."""
    fails, works = Counts(200, 100), Counts(200, 5)
    helps = experiment.evidence([Stratum(0.5, fails, works)], base_rate=0.5)
    hurts = experiment.evidence([Stratum(0.5, works, fails)], base_rate=0.5)
    assert helps.benefit > 1e6
    assert helps.harm < 1
    assert helps.futility < 1e-3
    assert helps.below_2 > helps.below_1_5 > helps.benefit / 1e30
    assert hurts.harm > 1e6
    assert hurts.benefit < 1
    assert hurts.futility > 1e6
    assert hurts.below_2 < 1e-3


@given(st.integers(0, 40), st.integers(0, 40))
def test_swapping_the_arms_swaps_the_sides_of_the_conditional_evidence(control, treatment):
    """Seen from the other arm, at the mirrored allocation, a bet on r is the bet on 1/r."""
    for ratio in (0.05, 0.3, 0.5):
        for row, risk in zip(conditional_rows(ratio, 1.0, "harm"), HARM_RATIOS, strict=True):
            share = share_of_failures(1 - ratio, 1 / risk)
            mirrored = (log(share / (1 - ratio)), log((1 - share) / ratio))
            here = treatment * row[0] + control * row[1]
            there = control * mirrored[0] + treatment * mirrored[1]
            assert isclose(here, there, rel_tol=1e-9, abs_tol=1e-9)


@given(STRATA, st.randoms(use_true_random=False), BASE_RATES)
def test_the_order_of_strata_does_not_matter(strata, random, base_rate):
    """Strata may come in any order."""
    shuffled = strata[:]
    random.shuffle(shuffled)
    one, other = (experiment.evidence(each, base_rate) for each in (strata, shuffled))
    assert isclose(one.log_benefit, other.log_benefit, rel_tol=1e-9, abs_tol=1e-9)
    assert isclose(one.log_harm, other.log_harm, rel_tol=1e-9, abs_tol=1e-9)


@given(RATIOS, arms(), arms(), BASE_RATES)
def test_a_stratum_may_be_split_where_the_ratio_is_the_same(ratio, control, treatment, base_rate):
    """Counts of the same ratio give the same in one stratum or in two."""
    half = Counts(control.n // 2, min(control.failures, control.n // 2))
    rest = Counts(control.n - half.n, control.failures - half.failures)
    whole = experiment.evidence([Stratum(ratio, control, treatment)], base_rate)
    parts = experiment.evidence(
        [Stratum(ratio, half, treatment), Stratum(ratio, rest, Counts(0, 0))], base_rate
    )
    assert isclose(whole.log_benefit, parts.log_benefit, rel_tol=1e-9, abs_tol=1e-9)
    assert isclose(whole.log_futility, parts.log_futility, rel_tol=1e-9, abs_tol=1e-9)


def test_counts_of_different_ratios_are_not_pooled():
    """A base rate that rises together with the ratio isn't taken for an effect of the fix."""
    quiet = Stratum(0.05, Counts(9500, 95), Counts(500, 5))
    outage = Stratum(0.5, Counts(500, 250), Counts(500, 250))
    pooled = Stratum(0.095, quiet.control + outage.control, quiet.treatment + outage.treatment)
    assert experiment.evidence([pooled], 0.01).harm > 1e9
    assert experiment.evidence([quiet, outage], 0.01).harm < 1


@given(RATIOS, arms(), arms(), BASE_RATES)
def test_another_failure_of_treatment_never_speaks_for_the_fix(
    ratio, control, treatment, base_rate
):
    """A failure more in treatment raises harm and lowers benefit; one in control the other way."""
    before = experiment.evidence([Stratum(ratio, control, treatment)], base_rate)
    worse = experiment.evidence([Stratum(ratio, control, treatment + Counts(1, 1))], base_rate)
    passed = experiment.evidence([Stratum(ratio, control, treatment + Counts(1, 0))], base_rate)
    better = experiment.evidence([Stratum(ratio, control + Counts(1, 1), treatment)], base_rate)
    slack = 1e-9
    assert worse.log_harm >= before.log_harm - slack
    assert worse.log_benefit <= before.log_benefit + slack
    assert passed.log_harm <= before.log_harm + slack
    assert passed.log_benefit >= before.log_benefit - slack
    assert better.log_benefit >= before.log_benefit - slack
    assert better.log_harm <= before.log_harm + slack


def test_e_values_never_overflow():
    """Counts of any size give an e-value; what a float can't hold is infinite or 0."""
    million = 10**12
    found = experiment.evidence([Stratum(0.5, Counts(million, million), Counts(million, 0))], 0.5)
    assert found.benefit == inf
    assert found.futility == 0
    assert found.log_benefit < inf


@pytest.mark.parametrize(
    ("stratum", "message"),
    [
        (Stratum(0.5, Counts(3, 4), Counts(0, 0)), "stratum 1, control: 4 failures of n = 3"),
        (Stratum(0.5, Counts(3, 0), Counts(-1, 0)), "stratum 1, treatment: -1 is no count"),
        (Stratum(0.5, Counts(3, 0), Counts(1.5, 0)), "stratum 1, treatment: 1.5 is no count"),
        (Stratum(0.5, Counts(3, True), Counts(1, 0)), "stratum 1, control: True is no count"),
        (Stratum(0.0, Counts(3, 0), Counts(1, 0)), "stratum 1: ratio 0.0"),
        (Stratum(nan, Counts(3, 0), Counts(1, 0)), "stratum 1: ratio nan"),
        (Stratum(0.5, Counts(3, 0, 4), Counts(1, 0)), "control: 4 timed of n = 3"),
        (Stratum(0.5, Counts(3, 0, 3, (1, 1, 1), (2, 0, 0)), Counts()), "2 very_slow of slow = 1"),
        (Stratum(0.5, Counts(3, 0, cost_sum=inf), Counts()), "control: costs sum up to inf"),
    ],
)
def test_impossible_counts_are_refused_with_their_place(stratum, message):
    """Counts that no traffic gives are an error that says where and what."""
    with pytest.raises(ImpossibleCounts, match=message.replace("(", "\\(")):
        experiment.evidence([stratum])


@pytest.mark.parametrize("base_rate", [0, -0.1, 1.1, nan])
def test_a_base_rate_that_is_no_probability_is_refused(base_rate):
    """A base rate outside of (0, 1] is an error that names it."""
    with pytest.raises(ImpossibleCounts, match="base_rate"):
        experiment.evidence([], base_rate=base_rate)
