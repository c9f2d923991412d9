"""E-processes of two arms: capitals as functions of counts alone, in logarithms.

Starting from 1, the capital of a fair game stays below ``1 / alpha`` for ever with a probability
of at least ``1 - alpha`` (Ville 1939; Ramdas, Grünwald, Vovk and Shafer, *Game-theoretic statistics
and safe anytime-valid inference*, 2023, section 2), so that it may be looked at after every unit. A
bet's capital is a product over the outcomes: their order doesn't matter, and merged counts give
the same as the units one by one.

Capitals multiply across strata for each bet; only then bets are averaged. Both orders would be
valid; this one pays for its ignorance once, however many allocation epochs there are.
"""

from collections.abc import Sequence
from math import exp, inf, log

from prunella.experiment.bets import BENEFIT_RATIOS, Direction, conditional_rows, joint_rows
from prunella.experiment.counts import Counts, Stratum

#: The logarithm beyond which an e-value is shown as infinite.
_LARGEST_LOG = 709.0


def log_joint(
    strata: Sequence[Stratum], direction: Direction, base_rate: float | None = None
) -> float:
    """Return the log capital against "treatment fails as often" (and against its worse side).

    The null is a risk ratio of at least 1 for ``benefit`` and of at most 1 for ``harm``, with any
    base rate, which may drift.
    """
    capitals: list[float] | None = None
    for stratum in strata:
        treatment, control = stratum.treatment, stratum.control
        failed_t, failed_c = treatment.failures, control.failures
        passed_t, passed_c = treatment.n - failed_t, control.n - failed_c
        logs = [
            failed_t * a + passed_t * b + failed_c * c + passed_c * d
            for a, b, c, d in joint_rows(stratum.ratio, base_rate, direction)
        ]
        capitals = (
            logs if capitals is None else [x + y for x, y in zip(capitals, logs, strict=True)]
        )
    return log_mean(capitals or [0.0])


def log_conditional(strata: Sequence[Stratum], direction: Direction, margin: float = 1.0) -> float:
    """Return the log capital against a risk ratio on the wrong side of `margin`.

    The null is a risk ratio of at least `margin` for ``benefit``, of at most `margin` for ``harm``.
    Uses failures only: exact for small counts, indifferent to the base rate and its drift.
    """
    capitals: list[float] | None = None
    for stratum in strata:
        failed_t, failed_c = stratum.treatment.failures, stratum.control.failures
        logs = [
            failed_t * a + failed_c * b
            for a, b in conditional_rows(stratum.ratio, margin, direction)
        ]
        capitals = (
            logs if capitals is None else [x + y for x, y in zip(capitals, logs, strict=True)]
        )
    return log_mean(capitals or [0.0])


def log_below(counts: Counts, rate: float) -> float:
    """Return the log capital against "this arm fails with a probability of at least `rate`".

    One arm alone: bets on a probability of `rate` times the usual risk ratios below 1.
    """
    passed = counts.n - counts.failures
    return log_mean(
        [
            counts.failures * log(by) + passed * log((1 - rate * by) / (1 - rate))
            for by in BENEFIT_RATIOS
        ]
    )


def log_mean(logs: Sequence[float]) -> float:
    """Return the logarithm of the mean of numbers given by their logarithms."""
    return log_sum(logs) - log(len(logs))


def log_sum(logs: Sequence[float]) -> float:
    """Return the logarithm of the sum of numbers given by their logarithms."""
    largest = max(logs)
    return largest + log(sum(exp(value - largest) for value in logs))


def e_value(logarithm: float) -> float:
    """Return the number of a logarithm: infinite where a float can't hold it, never an error."""
    return exp(logarithm) if logarithm < _LARGEST_LOG else inf


def said(value: float) -> str:
    """Return an e-value as people read it: ``12.5``, and the power of ten alone where it is vast."""
    return f"{value:,.1f}" if value < 1e6 else f"{value:.0e}".replace("e+0", "e").replace("e+", "e")
