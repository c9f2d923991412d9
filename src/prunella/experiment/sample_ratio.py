"""Did units reach the arms in the ratio they were dealt? If not, no comparison of them holds."""

from collections.abc import Sequence
from math import lgamma, log

from prunella.experiment.counts import Stratum, check_strata
from prunella.experiment.eprocess import e_value

#: The e-value at which a rollout holds.
MISMATCH = 1000.0
#: How closely the alternative is gathered around the ratio: a Dirichlet prior of that weight.
_WEIGHT = 20.0


def sample_ratio_mismatch(strata: Sequence[Stratum]) -> float:
    """Return the e-value against "units were dealt in each stratum's ratio".

    The Dirichlet-multinomial e-process of Lindon and Malek, *Anytime-valid inference for
    multinomial count data* (2022), section 3, multiplied over strata.
    """
    check_strata(strata)
    return e_value(
        sum(
            log_multinomial(
                (stratum.control.n, stratum.treatment.n), (1 - stratum.ratio, stratum.ratio)
            )
            for stratum in strata
        )
    )


def log_multinomial(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the log capital against "these counts come from these shares" (above 0, sum 1)."""
    prior = [_WEIGHT * share for share in shares]
    total = lgamma(_WEIGHT) - lgamma(_WEIGHT + sum(counts))
    for count, share, weight in zip(counts, shares, prior, strict=True):
        total += lgamma(weight + count) - lgamma(weight) - count * log(share)
    return total
