"""The bets of the e-processes: which alternatives the capital is spread over.

A bet is a pair of failure probabilities (or a risk ratio). Its capital grows by the likelihood
ratio of each outcome, which for counts is a product of powers: a bet therefore is a row of
logarithms, computed once for a ratio and a base rate. Which bets are made moves the power of a
test, never its validity.
"""

from functools import lru_cache
from math import log
from typing import Literal

Direction = Literal["benefit", "harm"]

#: Risk ratios (treatment : control) that a bet on a benefit is spread over. Few, because each bet
#: costs all others its part of the stake: three see a fix that saves a half, or a quarter, of the
#: failures a tenth sooner than six between 0.05 and 0.85 do, and one that saves all as soon.
BENEFIT_RATIOS = (0.1, 0.4, 0.7)
#: … one on "not as bad as a margin above 1", in multiples of the margin: it may be far from it.
SAFE_RATIOS = (0.1, 0.4)
#: … and one on harm.
HARM_RATIOS = (1.15, 1.3, 1.7, 2.5, 5.0, 20.0)
#: Base rates around the one known from history: multiples of it.
AROUND_HISTORY = (0.35, 0.6, 1.0, 1.6, 2.8)
#: Base rates where there is no history: from one in a thousand to nearly always.
WITHOUT_HISTORY = (0.001, 0.004, 0.015, 0.06, 0.2, 0.5, 0.9)
#: Probabilities are kept off 0 and 1: no outcome may ruin a bet for ever.
LEAST, MOST = 1e-6, 0.999

JointRow = tuple[float, float, float, float]
"""Log factors of a treatment's failure and success, and of a control's failure and success."""
ConditionalRow = tuple[float, float]
"""Log factors of a failure in treatment and of one in control."""


@lru_cache(maxsize=1024)
def joint_rows(ratio: float, base_rate: float | None, direction: Direction) -> tuple[JointRow, ...]:
    """Return one row for each pair of a base rate and a risk ratio.

    Turner, Ly and Grünwald, *Generic E-variables for exact sequential k-sample tests* (2024),
    section 2: with ``theta0``, ``theta1`` the bets on both arms, an outcome ``y`` of arm ``x``
    multiplies the capital by ``P_theta_x(y) / P_tb(y)``, where ``tb`` is their mean over the
    allocation. Given any common failure probability the expectation of a factor is exactly 1.
    """
    rates = WITHOUT_HISTORY if base_rate is None else [base_rate * by for by in AROUND_HISTORY]
    risk_ratios = BENEFIT_RATIOS if direction == "benefit" else HARM_RATIOS
    rows = []
    for rate in rates:
        control = _within(rate)
        for risk_ratio in risk_ratios:
            treatment = _within(control * risk_ratio)
            mean = ratio * treatment + (1 - ratio) * control
            rows.append(
                (
                    log(treatment / mean),
                    log((1 - treatment) / (1 - mean)),
                    log(control / mean),
                    log((1 - control) / (1 - mean)),
                )
            )
    return tuple(rows)


@lru_cache(maxsize=4096)
def conditional_rows(
    ratio: float, margin: float, direction: Direction
) -> tuple[ConditionalRow, ...]:
    """Return one row for each bet below the `margin` (benefit) or above it (harm).

    Given that a unit failed, it was in treatment with probability ``q = ratio * r / (ratio * r +
    1 - ratio)`` under a risk ratio ``r``, whatever the base rate is and however it drifts. The bets
    are the usual risk ratios times the margin; the null's boundary is ``r = margin``.
    """
    if direction == "harm":
        risk_ratios: tuple[float, ...] = HARM_RATIOS
    else:
        risk_ratios = SAFE_RATIOS if margin > 1 else BENEFIT_RATIOS
    boundary = share_of_failures(ratio, margin)
    rows = []
    for risk_ratio in risk_ratios:
        share = share_of_failures(ratio, margin * risk_ratio)
        rows.append((log(share / boundary), log((1 - share) / (1 - boundary))))
    return tuple(rows)


def share_of_failures(ratio: float, risk_ratio: float) -> float:
    """Return the chance that a failure is one of treatment, under that risk ratio."""
    return ratio * risk_ratio / (ratio * risk_ratio + 1 - ratio)


def _within(probability: float) -> float:
    return min(max(probability, LEAST), MOST)
