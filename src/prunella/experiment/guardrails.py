"""Limits that may stop a rollout, tested as hypotheses: errors, latency, cost.

A point estimate above its limit proves nothing: with no effect at all, "error rate up by more than
10 %" is true at some look of most rollouts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import erfc, inf, log, pi, sqrt

from prunella.experiment.counts import Counts, Stratum
from prunella.experiment.eprocess import e_value, log_conditional, log_joint, log_mean

#: Chances of exceeding the three thresholds, by their definition: p50, p90, p99 of the baseline.
_EXCEEDANCES = (0.5, 0.1, 0.01)
#: Costs are compared by a central limit theorem, which needs some.
LEAST_COSTS = 100
#: Where the cost test is tuned to be tightest, in units.
_TUNED_FOR = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """E-values against "the fix keeps the limit"; large where it is broken."""

    #: Against a risk ratio of failures of at most ``1 + max_error_increase``.
    errors: float
    #: Against "no more units of treatment are slower than ``max_latency_ratio * tau`` than units of
    #: control slower than ``tau``".
    latency: float
    #: Against a mean cost of at most ``max_cost_ratio`` times that of control.
    cost: float


def guardrails(
    strata: Sequence[Stratum], *, max_error_increase: float, max_cost_ratio: float
) -> Guardrails:
    """Test the limits on counts. The latency limit was applied when ``very_slow`` was counted."""
    return Guardrails(
        errors=e_value(log_conditional(strata, "harm", 1 + max_error_increase)),
        latency=e_value(log_latency(strata)),
        cost=e_value(log_cost(strata, max_cost_ratio)),
    )


def log_latency(strata: Sequence[Stratum]) -> float:
    """Return the log capital against "latencies grew by at most the limit", over three thresholds.

    The joint e-process of failures, with "slower than ``max_latency_ratio * tau``" in treatment
    and "slower than ``tau``" in control as the failures; their mean over the thresholds.
    """
    return log_mean(
        [
            log_joint([_exceeding(stratum, which) for stratum in strata], "harm", chance)
            for which, chance in enumerate(_EXCEEDANCES)
        ]
    )


def _exceeding(stratum: Stratum, which: int) -> Stratum:
    treatment, control = stratum.treatment, stratum.control
    return replace(
        stratum,
        treatment=Counts(treatment.timed, treatment.very_slow[which]),
        control=Counts(control.timed, control.slow[which]),
    )


def log_cost(strata: Sequence[Stratum], max_ratio: float) -> float:
    """Return the asymptotic log capital against "mean cost at most `max_ratio` times control's".

    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, *Time-uniform central limit theory and
    asymptotic confidence sequences* (2024), one-sided: the normal mixture over positive effects of
    the standardised difference. 0 (no evidence) below 100 costs in either arm. Costs are cut at the
    baseline's p99 where they are counted, so that one expensive unit can't decide.
    """
    usable = [s for s in strata if s.treatment.costs and s.control.costs]
    treated = sum(stratum.treatment.costs for stratum in usable)
    untreated = sum(stratum.control.costs for stratum in usable)
    if min(treated, untreated) < LEAST_COSTS:
        return 0.0
    # Each stratum weighs as many units as it has: differences of means, added up.
    difference = variance = 0.0
    for stratum in usable:
        treatment, control = stratum.treatment, stratum.control
        units = treatment.costs + control.costs
        difference += units * (_mean(treatment) - max_ratio * _mean(control))
        variance += units**2 * (
            _variance(treatment) / treatment.costs
            + max_ratio**2 * _variance(control) / control.costs
        )
    if variance <= 0:
        return inf if difference > 0 else 0.0
    total = treated + untreated
    return _log_one_sided(difference / sqrt(variance), total)


def _log_one_sided(z: float, units: int) -> float:
    """Log of the mixture of normal likelihood ratios over a half-normal effect, at a z-score."""
    # The effect per unit, in standard deviations, is half-normal with variance 1 / _TUNED_FOR.
    growth = units / _TUNED_FOR
    scaled = z * sqrt(growth / (1 + growth))
    return log(2) - 0.5 * log(1 + growth) + scaled**2 / 2 + _log_normal_cdf(scaled)


def _log_normal_cdf(value: float) -> float:
    if value > -30:
        return log(erfc(-value / sqrt(2)) / 2)
    # Mills' ratio, where the chance itself is no float any more.
    return -(value**2) / 2 - log(-value) - log(2 * pi) / 2


def _mean(counts: Counts) -> float:
    return counts.cost_sum / counts.costs


def _variance(counts: Counts) -> float:
    return max(0.0, counts.cost_squares / counts.costs - _mean(counts) ** 2)
