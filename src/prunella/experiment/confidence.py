"""Confidence sequences, to show: intervals that hold at every look at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, lgamma, log

from prunella.experiment.bets import share_of_failures
from prunella.experiment.counts import Counts, Stratum, check_counts, check_strata

_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Covers the truth at every look, with a probability of at least ``1 - alpha``."""

    low: float
    high: float


def rate_interval(counts: Counts, alpha: float = 0.05) -> Interval:
    """Return where the failure rate of one arm lies; ``[0, 1]`` without units.

    Robbins' beta-binomial mixture (Howard, Ramdas, McAuliffe and Sekhon, *Time-uniform,
    nonparametric, nonasymptotic confidence sequences*, 2021, section 3): all rates against which
    the uniform mixture of likelihood ratios stays below ``1 / alpha``.
    """
    check_counts(counts, "rate")
    failures, passed = counts.failures, counts.n - counts.failures
    mixed = lgamma(failures + 1) + lgamma(passed + 1) - lgamma(counts.n + 2)
    bound = mixed + log(alpha)

    def refuted(rate: float) -> bool:
        return _power(rate, failures) + _power(1 - rate, passed) <= bound

    middle = failures / counts.n if counts.n else 0.5
    return Interval(low=_edge(refuted, middle, 0.0), high=_edge(refuted, middle, 1.0))


def difference_interval(stratum: Stratum, alpha: float = 0.05) -> Interval:
    """Return where treatment's rate minus control's lies, within one stratum.

    Each arm's interval at half of alpha: holds whatever the arms have to do with each other, and
    is wider than it had to be.
    """
    treatment = rate_interval(stratum.treatment, alpha / 2)
    control = rate_interval(stratum.control, alpha / 2)
    return Interval(low=treatment.low - control.high, high=treatment.high - control.low)


def ratio_interval(strata: Sequence[Stratum], alpha: float = 0.05) -> Interval:
    """Return where the risk ratio (treatment : control) lies, over all strata.

    Inverts a conditional e-process: given a failure, its arm is a coin whose bias depends on the
    risk ratio and the stratum's allocation alone. The alternative is a mixture that is uniform on
    that bias in each stratum. ``[0, inf]`` without failures.
    """
    check_strata(strata)
    bound = log(alpha)
    failures = []
    for stratum in strata:
        failed_t, failed_c = stratum.treatment.failures, stratum.control.failures
        failures.append((stratum.ratio, failed_t, failed_c))
        bound += lgamma(failed_t + 1) + lgamma(failed_c + 1) - lgamma(failed_t + failed_c + 2)

    def likelihood(log_ratio: float) -> float:
        total = 0.0
        for allocation, failed_t, failed_c in failures:
            share = share_of_failures(allocation, 2.0**log_ratio)
            total += _power(share, failed_t) + _power(1 - share, failed_c)
        return total

    widest = 40.0  # a million millions: beyond, a ratio is as good as none
    middle = _peak(likelihood, -widest, widest)

    def refuted(log_ratio: float) -> bool:
        return likelihood(log_ratio) <= bound

    low, high = _edge(refuted, middle, -widest), _edge(refuted, middle, widest)
    return Interval(
        low=0.0 if low <= -widest else 2.0**low, high=inf if high >= widest else 2.0**high
    )


def _power(base: float, exponent: int) -> float:
    """Return the logarithm of ``base ** exponent``; nothing to the power of nothing is 1."""
    if exponent == 0:
        return 0.0
    return exponent * log(base) if base > 0 else -inf


def _edge(refuted: Callable[[float], bool], inside: float, outside: float) -> float:
    """Return the edge of what isn't refuted, on its outer side, between two points."""
    if not refuted(outside):
        return outside
    for _ in range(_STEPS):
        between = (inside + outside) / 2
        if refuted(between):
            outside = between
        else:
            inside = between
    return outside


def _peak(curve: Callable[[float], float], low: float, high: float) -> float:
    """Return where a curve with one peak is highest."""
    for _ in range(2 * _STEPS):
        third = (high - low) / 3
        if curve(low + third) < curve(high - third):
            low += third
        else:
            high -= third
    return (low + high) / 2
