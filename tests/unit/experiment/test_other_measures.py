"""Sample ratio, guardrails, intervals: cross-checked against scipy, and what they promise."""

from itertools import product
from math import comb, exp, inf, isclose, log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import binom, dirichlet_multinomial, multinomial, norm

from prunella.experiment import Counts, Stratum
from prunella.experiment.confidence import difference_interval, rate_interval, ratio_interval
from prunella.experiment.guardrails import log_cost, log_latency
from prunella.experiment.sample_ratio import log_multinomial, sample_ratio_mismatch
from prunella.model.errors import ImpossibleCounts


def units(n, failures=0):
    return Counts(n, failures)


def test_the_sample_ratio_is_the_dirichlet_multinomial_likelihood():
    """It is the likelihood ratio of scipy's Dirichlet-multinomial and multinomial."""
    counts, shares = [310, 55, 35], [0.75, 0.15, 0.1]
    expected = dirichlet_multinomial.logpmf(counts, [20 * share for share in shares], 400)
    expected -= multinomial.logpmf(counts, 400, shares)
    assert isclose(log_multinomial(counts, shares), expected, rel_tol=1e-9)


@pytest.mark.parametrize("ratio", [0.05, 0.5])
def test_a_right_sample_ratio_pays_exactly_one(ratio):
    """Over every possible deal of 30 units its mean is 1."""
    mean = sum(
        comb(30, k)
        * ratio**k
        * (1 - ratio) ** (30 - k)
        * sample_ratio_mismatch([Stratum(ratio, units(30 - k), units(k))])
        for k in range(31)
    )
    assert isclose(mean, 1, rel_tol=1e-9)


def test_lost_units_are_noticed_over_strata():
    """Capitals multiply across strata; each stratum has a ratio of its own."""
    fair = [Stratum(0.05, units(950), units(50)), Stratum(0.5, units(500), units(500))]
    lost = [Stratum(0.05, units(950), units(20)), Stratum(0.5, units(500), units(420))]
    assert sample_ratio_mismatch(fair) < 1
    assert sample_ratio_mismatch(lost) > 1000
    parts = [sample_ratio_mismatch([each]) for each in lost]
    assert isclose(sample_ratio_mismatch(lost), parts[0] * parts[1])


def timed(n, slow, very_slow):
    return Counts(n, 0, n, slow, very_slow)


def test_latencies_within_the_limit_never_pay():
    """The mean capital is at most 1 where treatment exceeds 2 tau as often as control tau."""
    total = 0.0
    for sequence in product(product((False, True), repeat=2), repeat=4):
        chance = 1.0
        slow = [0, 0]
        n = [0, 0]
        for treated, exceeds in sequence:
            chance *= 0.5 * (0.3 if exceeds else 0.7)
            slow[treated] += exceeds
            n[treated] += 1
        control = timed(n[0], (slow[0],) * 3, (0, 0, 0))
        treatment = timed(n[1], (slow[1],) * 3, (slow[1],) * 3)
        total += chance * exp(log_latency([Stratum(0.5, control, treatment)]))
    assert isclose(total, 1, rel_tol=1e-9)


def test_latency_speaks_where_one_threshold_does():
    """A tail that got slower is noticed though the median is as before."""
    control = timed(1000, (500, 100, 10), (50, 10, 1))
    assert log_latency([Stratum(0.5, control, control)]) < 0
    tail = timed(1000, (500, 200, 150), (60, 50, 120))
    assert log_latency([Stratum(0.5, control, tail)]) > log(1000)
    assert log_latency([]) == 0


def costing(n, mean, deviation):
    return Counts(n, 0, 0, (0, 0, 0), (0, 0, 0), n, n * mean, n * (mean**2 + deviation**2))


def test_the_cost_capital_is_the_mixture_over_positive_effects():
    """It is the integral of normal likelihood ratios over a half-normal effect."""
    strata = [Stratum(0.5, costing(200, 1.0, 0.5), costing(200, 2.2, 0.7))]
    z = (2.2 - 2 * 1.0) / (0.7**2 / 200 + 4 * 0.5**2 / 200) ** 0.5

    def bet(effect):
        shift = effect * 400**0.5
        return 2 * norm.pdf(effect, scale=1000**-0.5) * exp(z * shift - shift**2 / 2)

    expected, _ = quad(bet, 0, 1)
    assert isclose(exp(log_cost(strata, 2.0)), expected, rel_tol=1e-6)


@given(st.integers(0, 99), st.integers(0, 10_000), st.floats(0, 1e6), st.floats(0, 1e6))
def test_few_costs_are_no_evidence(few, many, mean, other):
    """Below 100 costs in an arm, whatever they are, nothing is said."""
    arms = (costing(few, mean, 1.0), costing(many, other, 1.0))
    assert log_cost([Stratum(0.5, *arms)], 2.0) == 0
    assert log_cost([Stratum(0.5, *arms[::-1])], 2.0) == 0


def test_costs_that_never_vary():
    """Equal costs in each arm say all or nothing."""
    one, three = costing(200, 1.0, 0.0), costing(200, 3.0, 0.0)
    assert log_cost([Stratum(0.5, one, three)], 2.0) == inf
    assert log_cost([Stratum(0.5, three, one)], 2.0) == 0


def test_much_cheaper_is_no_error():
    """A fix that makes everything far cheaper loses the bet, without an underflow."""
    strata = [Stratum(0.5, costing(100_000, 9.0, 0.1), costing(100_000, 0.1, 0.01))]
    assert -40 < log_cost(strata, 2.0) < 0


@given(st.integers(1, 500), st.floats(0, 1))
def test_an_interval_has_its_estimate_inside(n, share):
    """A rate's interval holds the observed rate, within [0, 1], and shrinks with alpha."""
    counts = units(n, round(share * n))
    wide, narrow = rate_interval(counts, 0.01), rate_interval(counts, 0.2)
    assert 0 <= wide.low <= narrow.low <= counts.rate <= narrow.high <= wide.high <= 1


def test_no_units_no_knowledge():
    """Without units a rate may be anything, and so may a ratio."""
    nothing = Stratum(0.5, units(0), units(0))
    assert (rate_interval(units(0)).low, rate_interval(units(0)).high) == (0, 1)
    assert (difference_interval(nothing).low, difference_interval(nothing).high) == (-1, 1)
    assert (ratio_interval([nothing]).low, ratio_interval([nothing]).high) == (0, inf)
    assert ratio_interval([]).high == inf


def test_a_rate_is_covered_at_every_look_at_once():
    """The chance that the interval ever misses the rate in 60 looks is below alpha, exactly."""
    rate, alpha = 0.3, 0.2
    alive = {0: 1.0}
    for n in range(1, 61):
        after: dict[int, float] = {}
        for failures, chance in alive.items():
            after[failures + 1] = after.get(failures + 1, 0) + chance * rate
            after[failures] = after.get(failures, 0) + chance * (1 - rate)
        alive = {}
        for failures, chance in after.items():
            interval = rate_interval(units(n, failures), alpha)
            if interval.low <= rate <= interval.high:
                alive[failures] = chance
    assert 1 - alpha <= sum(alive.values()) < 1


@pytest.mark.parametrize("true_ratio", [0.5, 1.0, 2.0])
def test_a_risk_ratio_is_covered(true_ratio):
    """At a fixed number of failures the chance of missing the ratio is far below alpha."""
    rho, failures = 0.25, 40
    share = rho * true_ratio / (rho * true_ratio + 1 - rho)
    missed = 0.0
    for treated in range(failures + 1):
        stratum = Stratum(rho, units(1000, failures - treated), units(300, treated))
        interval = ratio_interval([stratum], 0.1)
        if not interval.low <= true_ratio <= interval.high:
            missed += binom.pmf(treated, failures, share)
    assert missed < 0.1


def test_a_risk_ratio_of_no_failures_in_one_arm():
    """A ratio of 0 is held possible where treatment never failed, infinity where control didn't."""
    assert ratio_interval([Stratum(0.5, units(99, 50), units(99))]).low == 0
    assert ratio_interval([Stratum(0.5, units(99), units(99, 50))]).high == inf
    both = ratio_interval([Stratum(0.5, units(999, 100), units(999, 50))])
    assert 0.2 < both.low < 0.5 < both.high < 1


def test_impossible_counts_have_no_interval():
    """More failures than units are refused."""
    with pytest.raises(ImpossibleCounts, match="2 failures of n = 1"):
        rate_interval(units(1, 2))
