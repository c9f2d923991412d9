"""Counts of many processes, merged: late, shuffled and repeated deliveries change nothing.

A grow-only counter (Shapiro et al., *A comprehensive study of convergent and commutative replicated
data types*, 2011, section 3.1.1): each process ships its own cumulative counts with a sequence
number; of every process the highest sequence number wins, then processes add up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from prunella.experiment.assignment import Arm
from prunella.experiment.counts import Counts, Stratum, as_row
from prunella.model.errors import ImpossibleCounts


class Meter(NamedTuple):
    """What one counter counts: one arm of one epoch of one fix in one process."""

    process_id: str
    fix_id: str
    #: Number of the allocation epoch: goes up with each change of the ratio, salt or candidates.
    epoch: int
    arm: Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A meter's cumulative counts at one moment."""

    meter: Meter
    #: Goes up with each reading of the meter.
    sequence: int
    #: The ratio that was stamped on the exposures when they were assigned.
    ratio: float
    counts: Counts


Readings = Mapping[Meter, Reading]
"""The latest reading of every meter."""


def merge(*deliveries: Iterable[Reading]) -> Readings:
    """Return the latest reading of every meter in all deliveries.

    Commutative, associative and idempotent: ``merge(a, b)`` is ``merge(b, a)``, and merging
    ``merge(a, b).values()`` with ``b`` again changes nothing.
    """
    latest: dict[Meter, Reading] = {}
    for delivery in deliveries:
        for reading in delivery:
            known = latest.get(reading.meter)
            if known is None or _rank(reading) > _rank(known):
                latest[reading.meter] = reading
    return latest


def strata(readings: Readings, fix_id: str) -> tuple[Stratum, ...]:
    """Return the merged counts of one fix, one stratum for each epoch, in the order of epochs.

    Raises `ImpossibleCounts` where readings of one epoch carry different ratios: these counts must
    not be added up.
    """
    sums: dict[int, dict[Arm, Counts]] = {}
    ratios: dict[int, float] = {}
    for meter, reading in sorted(readings.items()):
        if meter.fix_id != fix_id:
            continue
        ratio = ratios.setdefault(meter.epoch, reading.ratio)
        if ratio != reading.ratio:
            raise ImpossibleCounts(
                f"epoch {meter.epoch} of {fix_id}: process {meter.process_id} counted at ratio "
                f"{reading.ratio!r}, others at {ratio!r}; a change of the ratio begins a new epoch"
            )
        arms = sums.setdefault(meter.epoch, {})
        arms[meter.arm] = arms.get(meter.arm, Counts()) + reading.counts
    return tuple(
        Stratum(
            ratio=ratios[epoch],
            control=arms.get(Arm.CONTROL, Counts()),
            treatment=arms.get(Arm.TREATMENT, Counts()),
        )
        for epoch, arms in sorted(sums.items())
    )


def _rank(reading: Reading) -> tuple[object, ...]:
    # Two readings of one sequence number are the same; should a broken process send others, the
    # choice between them must still not depend on the order of arrival.
    return (reading.sequence, as_row(reading.counts), reading.ratio)
