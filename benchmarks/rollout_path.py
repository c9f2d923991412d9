"""Rollouts through the real parts, for `rollout.py`: SDK, records, store, decisions, feed.

The meters of three simulated programs deal and count single calls; what they ship crosses a bad
network as JSON and goes into a SQLite store; the pipeline advances the rollouts; the programs hear of
it by the feed's file. Only time is simulated. At each look the store's counts are compared with those
that `rollout_worlds.Counting` expects of the same units, and the step that was taken with that of
`rollout_fleet.Deciding`: what the arrays say of thousands of rollouts then holds for the real parts.
"""

import json
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

import numpy as np
from rollout_fleet import Deciding
from rollout_worlds import MOST_LOOKS, PROCESSES, REQUESTS, USERS, Counting, delays, users

from prunella.adapters.feed import FILE_NAME, FileFeed
from prunella.adapters.sqlite_store import open_store
from prunella.codec.plain import from_plain
from prunella.experiment import STAGES
from prunella.fixes import Arm
from prunella.model.clock import now
from prunella.model.records import Exposures
from prunella.model.rollouts import RolloutState
from prunella.model.settings import Settings
from prunella.pipeline.advancing import advance_rollouts, counted, limits_of
from prunella.pipeline.rollouts import add, take
from prunella.rollout import By, approve
from prunella.sdk.installing import installation_of
from prunella.sdk.metering import RolloutMeter

SETTINGS = Settings()
ENDS = {
    RolloutState.GRADUATED: "Graduate",
    RolloutState.INCONCLUSIVE: "Inconclusive",
    RolloutState.ROLLED_BACK: "RollBack",
}


class Differs(Exception):
    """The real parts and the arrays don't agree."""


class Clock:
    """Simulated seconds."""

    now_s = 0.0

    def __call__(self):
        return self.now_s


class Fleet:
    """Some rollouts of fixes without effect, the programs that they run in, and what is expected."""

    def __init__(self, world, runs, random, folder):
        self.world, self.runs, self.random = world, runs, random
        self.store = open_store(folder / "prunella.db", create=True)
        self.feed, self.file = FileFeed(folder), folder / FILE_NAME
        self.began = now()
        by = By(actor="benchmark", at=self.began)
        self.number = {}
        for number in range(runs):
            add(self.store, self.feed, self._document(number), by)
            rollout = take(self.store, self.feed, f"fix-{number}", approve, by, SETTINGS)
            self.number[rollout.rollout_id] = number
        self.clock = Clock()
        self.meters = [
            RolloutMeter(clock_s=self.clock, random=random.random) for _ in range(PROCESSES)
        ]
        self.told, self.installations = b"", {}
        self.on_the_way = {}
        self.counting = Counting(runs, world.bad_network)
        self.deciding = Deciding(runs, None, random, triggered=True, limits=limits_of(SETTINGS))
        self.ends, self.looks, self.steps = Counter(), 0, 0
        self.begun = 0

    def _document(self, number):
        target = {"sites": ["shop:price"]} | ({"sticky_key": "user"} if self.world.sticky else {})
        return {
            "fix_id": f"fix-{number}",
            "fix_type": "parameter",
            "target": target,
            "config": {"set": {"limit": 1}},
        }

    def drive(self):
        """Go on until every rollout has ended, or the time is over; return how they ended."""
        for look in range(MOST_LOOKS):
            self.clock.now_s = float(look)
            self._ship(look)
            self._decide(look)
            if not len(self.deciding.alive):
                break
            self._hear()
            counts = np.zeros((self.runs, PROCESSES, 4), dtype=np.int64)
            for index, meter in enumerate(self.meters):
                for number, installation in self.installations.items():
                    self._serve(look, meter, number, installation, counts[number, index])
            alive = self.deciding.alive
            self.counting.add(
                look, self.world.delay, alive, self.deciding.stage[alive], counts[alive]
            )
        self.ends["Inconclusive"] += len(self.deciding.alive)
        self.store.close()
        return self.ends

    def _hear(self):
        """Apply what the feed's file says, as every program does when it has changed."""
        told = self.file.read_bytes()
        if told != self.told:
            self.told = told
            found = map(installation_of, json.loads(told)["installations"])
            self.installations = {
                self.number[each.allocation.salt]: each
                for each in found
                if each.allocation.ratio < 0.9  # what graduated is watched no further here
            }

    def _serve(self, look, meter, number, installation, counts):
        """Let one program handle what it is asked in one second; note in `counts` what to expect."""
        if self.world.sticky:
            many, rates = users(self.random, USERS)
        else:
            many = np.ones(REQUESTS, dtype=int)
            rates = np.full(REQUESTS, self.world.rate_at(look))
        for index, (requests, rate) in enumerate(zip(many.tolist(), rates.tolist(), strict=True)):
            self.begun += 1
            unit, failed = f"unit_{self.begun}", False
            for _ in range(requests):
                at_s = look + (index + 0.5) / len(many)
                exposure = meter.triggered(installation, unit, at_s)
                fails = self.random.random() < rate
                treated = exposure.arm is Arm.TREATMENT
                took_s = 10.0 if fails and treated and self.world.late else 0.05
                meter.ended(exposure, failed=fails, latency_s=took_s, cost=None)
                failed = failed or fails
            counts[2 * treated] += 1
            counts[2 * treated + 1] += failed

    def _ship(self, look):
        """Send what the meters have counted; keep what arrives now, in any order."""
        late = delays(self.random, (self.runs, PROCESSES), self.world.bad_network)
        late = [np.broadcast_to(each[:1], each.shape) for each in late]  # one record for all fixes
        self.counting.ship(look, late)
        for index, meter in enumerate(self.meters):
            if self.world.bad_network:
                meter.unsent()  # who can't know what has arrived tells everything each time
            shipment = meter.shipment(f"proc_{index}")
            if shipment is None:
                continue
            for each in late:
                if each[0, index] >= 0:
                    due = look + int(each[0, index])
                    self.on_the_way.setdefault(due, []).append(json.dumps(shipment))
        arrived = self.on_the_way.pop(look, [])
        self.random.shuffle(arrived)
        if arrived:
            records = [from_plain(Exposures, _without_class(json.loads(item))) for item in arrived]
            self.store.ingest(records, spool_name="benchmark", end_offset=look + 1)

    def _decide(self, look):
        """Let the pipeline take its steps, and the arrays theirs; they must be the same."""
        at = self.began + timedelta(seconds=look)
        alive = self.deciding.alive
        before = self.deciding.stage.copy()
        expected = self.counting.visible(look)
        ids = {number: rollout_id for rollout_id, number in self.number.items()}
        for number in alive:
            self._compare(ids[number], expected[number], at)
        moved = {
            self.number[each.rollout_id]: each
            for each in advance_rollouts(self.store, self.feed, SETTINGS, at)
            if self.number[each.rollout_id] in alive
        }
        ended = self.deciding.look(expected)
        for number in alive:
            self.looks += 1
            step = _name(moved.get(int(number)))
            wanted = ended.get(
                int(number), "Advance" if self.deciding.stage[number] > before[number] else ""
            )
            if step != wanted:
                raise Differs(f"look {look}, rollout {number}: {step!r}, not {wanted!r}")
            self.steps += bool(step)
        self.ends.update(ended.values())

    def _compare(self, rollout_id, expected, at):
        rollout = self.store.rollout(rollout_id)
        found = np.zeros((len(STAGES), 4), dtype=np.int64)
        for stratum in counted(rollout, self.store.counted(rollout_id), at).strata:
            stage = [each.ratio for each in STAGES].index(stratum.ratio)
            arms = (stratum.control, stratum.treatment)
            found[stage] = [number for arm in arms for number in (arm.n, arm.failures)]
        if not (found == expected).all():
            raise Differs(f"{rollout_id}: counted {found.tolist()}, not {expected.tolist()}")


def _without_class(record):
    return {name: value for name, value in record.items() if name != "class"}


def _name(rollout):
    if rollout is None:
        return ""
    if rollout.state is RolloutState.ROLLED_BACK and "saves less than" in rollout.reason:
        return "Withdraw"
    return ENDS.get(rollout.state, "Advance")


def run(world, *, runs, seed):
    """Take `runs` rollouts through the real parts; return how they ended, looks and steps."""
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(world, runs, np.random.default_rng(seed), Path(folder))
        ends = fleet.drive()
    return ends, fleet.looks, fleet.steps
