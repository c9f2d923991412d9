"""Several fixes for one incident, and several incidents at once."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import fsum
from random import Random

from prunella.experiment.counts import Counts, Stratum
from prunella.model.errors import ImpossibleCounts

#: Every candidate keeps at least this share, relative to an even split: no arm starves.
_FLOOR = 0.2


def weights(priors: Sequence[float]) -> tuple[float, ...]:
    """Return each candidate's share of alpha: its prior, normalised to a sum of 1.

    Fix ``j`` graduates at ``1 / (alpha * w_j)``: the chance that any of several useless fixes
    graduates stays below alpha (a union bound). Raises `ImpossibleCounts` for priors that aren't
    positive.
    """
    if not priors or not min(priors) > 0:
        raise ImpossibleCounts(f"priors {tuple(priors)!r} must be above 0, one for each candidate")
    total = fsum(priors)
    return tuple(prior / total for prior in priors)


def thompson_shares(
    arms: Sequence[Counts], random: Random, *, control_share: float, draws: int = 1000
) -> tuple[float, ...]:
    """Return the shares of control and of each candidate for the next batch.

    Thompson sampling in batches (Kandasamy et al., 2018): a candidate gets the share of `draws` in
    which its failure rate, drawn from its posterior under a uniform prior, is the lowest, but at
    least a fifth of an even split. `arms` are the candidates' counts, mature ones only. Each batch
    is an epoch of its own; shares depend on what was counted before it alone, which keeps every
    e-process valid.
    """
    if not arms or not 0 < control_share < 1:
        raise ImpossibleCounts(
            f"{len(arms)} candidates beside a control share of {control_share!r}: at least one "
            "candidate and a share between 0 and 1 are needed"
        )
    won = [0] * len(arms)
    for _ in range(draws):
        rates = [random.betavariate(arm.failures + 1, arm.n - arm.failures + 1) for arm in arms]
        won[rates.index(min(rates))] += 1
    even = 1 / len(arms)
    shares = [_FLOOR * even + (1 - _FLOOR) * count / draws for count in won]
    return (control_share, *(share * (1 - control_share) for share in shares))


def odds_spans(ratios: Sequence[float]) -> tuple[tuple[tuple[float, float], ...], float]:
    """Return the span of each candidate between 0 and 1, and where control's begins.

    Each candidate has its `ratio` (between 0 and 1) of the units that are its own or control's, so
    that it is compared with control as if it were alone, at whatever ratio the others are.
    """
    if not ratios or not all(0 < ratio < 1 for ratio in ratios):
        raise ImpossibleCounts(
            f"ratios {tuple(ratios)!r} must lie between 0 and 1, one for each candidate"
        )
    odds = [ratio / (1 - ratio) for ratio in ratios]
    control = 1 / (1 + fsum(odds))
    edges = [0.0, *accumulate(each * control for each in odds)]
    return tuple(pairwise(edges)), edges[-1]


def against_control(
    shares: Sequence[float], control: Counts, candidate: Counts, index: int
) -> Stratum:
    """Return the stratum of one candidate and control, of an epoch where several competed.

    `shares` as `thompson_shares` gave them; `index` counts candidates from 1. Among the units of
    these two arms, the candidate's are dealt with ``share / (share + control's share)``.
    """
    return Stratum(
        ratio=shares[index] / (shares[index] + shares[0]), control=control, treatment=candidate
    )


def e_bh(e_values: Sequence[float], alpha: float = 0.05) -> tuple[bool, ...]:
    """Return which of several hypotheses are rejected, with a false discovery rate below alpha.

    Wang and Ramdas, *False discovery rate control with e-values* (2022): reject the ``k`` largest
    e-values, where ``k`` is the largest number with ``e_(k) >= K / (alpha * k)``. Holds whatever
    the e-values have to do with each other.
    """
    ordered = sorted(e_values, reverse=True)
    least = float("inf")
    rejected = False
    for rank, value in enumerate(ordered, 1):
        if value * rank * alpha >= len(ordered):
            least, rejected = value, True
    return tuple(rejected and value >= least for value in e_values)
