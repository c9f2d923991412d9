"""What processes have counted of fixes in rollouts: of every meter the latest reading is kept."""

import json

from prunella.adapters.sql.connection import Connection
from prunella.adapters.sql.rows import dump, load, text
from prunella.codec.plain import from_plain
from prunella.experiment import Counts, Shipment, Tally, merge, read
from prunella.experiment.merging import Meter, Reading
from prunella.model.clock import from_us, now, to_us
from prunella.model.errors import RecordError
from prunella.model.records import Exposures
from prunella.model.rollouts import Arm
from prunella.ports import RolloutCounts

#: More tallies in one record are those of a broken writer.
MAX_TALLIES = 1_000
_MAX_COUNT = 2**40
_MAX_NUMBER = 2**62


def keep(db: Connection, record: Exposures) -> None:
    """Merge the readings of one record into those that are kept.

    Raises `RecordError` or `ImpossibleCounts` where no traffic gives these, and keeps nothing then.
    """
    tallies = [from_plain(Tally, item) for item in record.tallies[:MAX_TALLIES]]
    if not 0 <= record.sequence <= _MAX_NUMBER:
        raise RecordError("exposures: a sequence number out of range")
    for tally in tallies:
        if not (0 <= tally.ratio <= 1 and 0 <= tally.epoch <= _MAX_NUMBER):
            raise RecordError("exposures: a ratio or an epoch out of range")
        if tally.counts.n > _MAX_COUNT:
            raise RecordError("exposures: a count out of range")
    shipment = Shipment(
        process_id=text(record.process_id), sequence=record.sequence, tallies=tuple(tallies)
    )
    for meter, reading in read([shipment]).items():
        _merge(db, meter, reading)
    for rollout_id, effects in list(record.effects.items())[:MAX_TALLIES]:
        db.execute(
            "INSERT INTO effect (process_id, rollout_id, sequence, body, touched_us) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (rollout_id, process_id) DO UPDATE "
            "SET sequence = excluded.sequence, body = excluded.body, "
            "touched_us = excluded.touched_us "
            "WHERE excluded.sequence > effect.sequence",
            (
                shipment.process_id,
                text(rollout_id),
                record.sequence,
                json.dumps(dict(effects)),
                to_us(now()),
            ),
        )


def counted(db: Connection, rollout_id: str) -> RolloutCounts:
    rows = db.execute(
        "SELECT process_id, epoch, arm, sequence, ratio, body, touched_us FROM reading "
        "WHERE rollout_id = ?",
        (text(rollout_id),),
    ).fetchall()
    readings = {
        Meter(process_id, rollout_id, epoch, Arm(arm)): Reading(sequence, ratio, load(Counts, body))
        for process_id, epoch, arm, sequence, ratio, body, _ in rows
    }
    fired_us = max((row[-1] for row in rows), default=0)
    effects: dict[str, dict[str, int]] = {}
    for process_id, body, touched_us in db.execute(
        "SELECT process_id, body, touched_us FROM effect WHERE rollout_id = ?", (text(rollout_id),)
    ):
        found = {
            str(name): number for name, number in json.loads(body).items() if type(number) is int
        }
        if touched_us < fired_us:  # the fix has fired since, here or elsewhere
            found.pop("quiet_calls", None)
        effects[process_id] = found
    return RolloutCounts(
        readings=readings,
        effects=effects,
        fired_at=from_us(fired_us) if rows else None,
    )


def _merge(db: Connection, meter: Meter, reading: Reading) -> None:
    key = (meter.rollout_id, meter.process_id, meter.epoch, meter.arm.value)
    row = db.execute(
        "SELECT sequence, ratio, body FROM reading "
        "WHERE rollout_id = ? AND process_id = ? AND epoch = ? AND arm = ?",
        key,
    ).fetchone()
    if row is not None and row[0] > reading.sequence:
        return
    if row is not None and row[0] == reading.sequence:
        known = Reading(row[0], row[1], load(Counts, row[2]))
        if merge({meter: known}, {meter: reading})[meter] == known:
            return
    db.execute(
        "INSERT INTO reading (rollout_id, process_id, epoch, arm, sequence, ratio, body, touched_us) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (rollout_id, process_id, epoch, arm) DO UPDATE "
        "SET sequence = excluded.sequence, ratio = excluded.ratio, body = excluded.body, "
        "touched_us = excluded.touched_us",
        (*key, reading.sequence, reading.ratio, dump(reading.counts), to_us(now())),
    )
