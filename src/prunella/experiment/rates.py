"""Whether something happens more often than before: a conditional test of two counts.

Given how many events there were in both stretches of time together, the number in the later one is
binomial, whatever the common rate is (Przyborowski and Wilenski, Biometrika 31, 1940). The answer is
an e-value: a mixture of likelihood ratios against a rise of at most `allowed`, whose expectation is at
most 1 there, so that 1/E bounds the chance of a value as large without such a rise. It holds for any
counts, small ones too, where events are independent; failures that come in bursts violate that, which
is what `allowed` and a look at the largest burst before are for.
"""

from math import exp, log

#: Rises that the evidence is gathered for, as multiples of `allowed`.
_RISES = (2.0, 5.0, 20.0, 100.0)


def log_evidence_of_rise(
    later: int, later_s: float, earlier: int, earlier_s: float, *, allowed: float = 3.0
) -> float:
    """Return the logarithm of the e-value for a rate that rose by more than `allowed` times.

    Counts of events and the lengths of the stretches that they were counted in, in seconds; 0.0
    where either stretch has no length or nothing happened later.
    """
    if later <= 0 or later_s <= 0 or earlier_s <= 0:
        return 0.0
    share = _share(allowed, later_s, earlier_s)
    terms = []
    for rise in _RISES:
        bet = _share(allowed * rise, later_s, earlier_s)
        terms.append(later * log(bet / share) + max(earlier, 0) * log((1 - bet) / (1 - share)))
    most = max(terms)
    return most + log(sum(exp(term - most) for term in terms) / len(terms))


def _share(ratio: float, later_s: float, earlier_s: float) -> float:
    """Return the share of the events that falls into the later stretch at a ratio of the rates."""
    return ratio * later_s / (ratio * later_s + earlier_s)
