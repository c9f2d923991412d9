"""Sufficient statistics: everything a decision knows of the traffic, frozen and addable."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import isfinite

from prunella.model.errors import ImpossibleCounts

Thrice = tuple[int, int, int]
"""One number for each latency threshold: the baseline's p50, p90 and p99."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What one arm has seen, cumulative. ``a + b`` is what both have seen."""

    #: Units that met the arm and are mature (`Ledger`).
    n: int = 0
    #: Of these: failed, or missed their deadline.
    failures: int = 0
    #: Units whose latency was measured; a unit cut off by its deadline counts as slower than all.
    timed: int = 0
    #: Of these: slower than each threshold tau.
    slow: Thrice = (0, 0, 0)
    #: Of these: slower than ``max_latency_ratio * tau``.
    very_slow: Thrice = (0, 0, 0)
    #: Units whose cost was measured.
    costs: int = 0
    #: Sum of the costs, each cut at the baseline's p99, in the unit that the program reports.
    cost_sum: float = 0.0
    #: Sum of their squares.
    cost_squares: float = 0.0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            n=self.n + other.n,
            failures=self.failures + other.failures,
            timed=self.timed + other.timed,
            slow=_sum(self.slow, other.slow),
            very_slow=_sum(self.very_slow, other.very_slow),
            costs=self.costs + other.costs,
            cost_sum=self.cost_sum + other.cost_sum,
            cost_squares=self.cost_squares + other.cost_squares,
        )

    @property
    def rate(self) -> float | None:
        """Share of failures; ``None`` without units, which is not the same as 0."""
        return self.failures / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Stratum:
    """Both arms under one allocation ratio: counts of different ratios are never added up."""

    #: Chance of a unit to be in treatment, above 0 and below 1.
    ratio: float
    control: Counts
    treatment: Counts


def check_strata(strata: Sequence[Stratum]) -> None:
    """Raise `ImpossibleCounts`, naming stratum, arm and number, where no traffic gives these."""
    for number, stratum in enumerate(strata, 1):
        if not 0 < stratum.ratio < 1:
            raise ImpossibleCounts(
                f"stratum {number}: ratio {stratum.ratio!r} is not between 0 and 1; it is the "
                "share of units that get the fix, and both arms need some"
            )
        for arm, counts in (("control", stratum.control), ("treatment", stratum.treatment)):
            check_counts(counts, f"stratum {number}, {arm}")


def check_counts(counts: Counts, place: str) -> None:
    """Raise `ImpossibleCounts`, beginning with `place`, where no traffic gives these counts."""
    whole = (counts.n, counts.failures, counts.timed, *counts.slow, *counts.very_slow, counts.costs)
    for value in whole:
        if type(value) is not int or value < 0:
            raise ImpossibleCounts(
                f"{place}: {value!r} is no count; counts are whole numbers from 0 on"
            )
    for part, of, what in (
        (counts.failures, counts.n, "failures of n"),
        (counts.timed, counts.n, "timed of n"),
        (counts.costs, counts.n, "costs of n"),
        *((slow, counts.timed, "slow of timed") for slow in counts.slow),
        *(
            (very, slow, "very_slow of slow")
            for very, slow in zip(counts.very_slow, counts.slow, strict=True)
        ),
    ):
        if part > of:
            raise ImpossibleCounts(f"{place}: {part} {what} = {of}; a part exceeds its whole")
    if not (isfinite(counts.cost_sum) and isfinite(counts.cost_squares)):
        raise ImpossibleCounts(
            f"{place}: costs sum up to {counts.cost_sum!r}, their squares to "
            f"{counts.cost_squares!r}; both must be finite"
        )


def as_row(counts: Counts) -> tuple[int | float | Thrice, ...]:
    """Return the fields in their order; what `sorted` and a store compare."""
    return tuple(getattr(counts, item.name) for item in fields(Counts))


def _sum(left: Thrice, right: Thrice) -> Thrice:
    return (left[0] + right[0], left[1] + right[1], left[2] + right[2])
