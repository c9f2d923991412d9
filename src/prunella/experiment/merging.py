"""Counts of many processes, merged: late, shuffled and repeated deliveries change nothing.

A grow-only counter (Shapiro, Preguiça, Baquero and Zawirski, *A comprehensive study of convergent
and commutative replicated data types*, 2011, section 3.1.1): each process ships its own cumulative
counts with a sequence number; of every process the highest sequence number wins, then processes
add up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from prunella.experiment.assignment import Arm
from prunella.experiment.counts import Counts, Stratum, as_row, check_counts
from prunella.model.errors import ImpossibleCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a process has counted of one arm in one epoch of a rollout, from the epoch's start on."""

    rollout_id: str
    #: Number of the allocation epoch: goes up with each change of ratio, salt or candidates.
    epoch: int
    #: The ratio that was stamped on the exposures when they were assigned.
    ratio: float
    arm: Arm
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """Everything a process has counted so far; `prunella.codec.plain` writes and reads it.

    A process may leave out what hasn't changed since an earlier shipment.
    """

    process_id: str
    #: Goes up with each shipment of the process.
    sequence: int
    tallies: tuple[Tally, ...] = ()


class Meter(NamedTuple):
    """What one counter counts."""

    process_id: str
    rollout_id: str
    epoch: int
    arm: Arm


class Reading(NamedTuple):
    """What a meter stood at when it was shipped."""

    sequence: int
    ratio: float
    counts: Counts


Readings = Mapping[Meter, Reading]
"""The latest reading of every meter."""


def read(shipments: Iterable[Shipment]) -> Readings:
    """Return the latest reading of every meter in the shipments, which may come in any order.

    Raises `ImpossibleCounts`, naming process, rollout and arm, where a shipment can't be true: one
    broken process must not decide for all.
    """
    return merge(*map(_readings, shipments))


def merge(*deliveries: Readings) -> Readings:
    """Return the latest reading of every meter in all deliveries.

    Commutative, associative and idempotent: what arrives late, in another order or twice changes
    nothing.
    """
    latest: dict[Meter, Reading] = {}
    for delivery in deliveries:
        for meter, reading in delivery.items():
            known = latest.get(meter)
            if known is None or _is_later(reading, known):
                latest[meter] = reading
    return latest


def strata(readings: Readings, rollout_id: str) -> tuple[Stratum, ...]:
    """Return the merged counts of one rollout, one stratum for each epoch, in their order.

    Raises `ImpossibleCounts` where readings of one epoch carry different ratios: these counts must
    not be added up.
    """
    sums: dict[int, dict[Arm, Counts]] = {}
    ratios: dict[int, float] = {}
    ours = {meter: each for meter, each in readings.items() if meter.rollout_id == rollout_id}
    for meter, reading in sorted(ours.items()):
        ratio = ratios.setdefault(meter.epoch, reading.ratio)
        if ratio != reading.ratio:
            raise ImpossibleCounts(
                f"epoch {meter.epoch} of {rollout_id}: process {meter.process_id} counted at ratio "
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


def _readings(shipment: Shipment) -> Readings:
    found = {}
    for tally in shipment.tallies:
        place = f"{shipment.process_id}, {tally.rollout_id}, epoch {tally.epoch}, {tally.arm}"
        check_counts(tally.counts, place)
        meter = Meter(shipment.process_id, tally.rollout_id, tally.epoch, tally.arm)
        found[meter] = Reading(shipment.sequence, tally.ratio, tally.counts)
    return found


def _is_later(reading: Reading, known: Reading) -> bool:
    if reading.sequence != known.sequence:
        return reading.sequence > known.sequence
    # Two readings of one sequence number are the same; should a broken process send others, the
    # choice between them must still not depend on the order of arrival.
    return (as_row(reading.counts), reading.ratio) > (as_row(known.counts), known.ratio)
