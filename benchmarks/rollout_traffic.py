"""Rollouts unit by unit, for `rollout.py`: processes that assign, count and ship, and a network.

Each process uses the real assignment, ledgers, shipments, merging and decisions. `Process` stands in
for a program with the SDK. Deliveries come late, twice, in any order, or not at all.
"""

from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from math import sin
from random import Random

from prunella.experiment import (
    STAGES,
    Advance,
    Arm,
    Assignment,
    Counts,
    Graduate,
    Inconclusive,
    RollBack,
    Shipment,
    Tally,
    Withdraw,
    decide,
    merge,
    read,
    strata,
)
from prunella.experiment.maturity import Ledger, StickyLedger

ENDED = (Graduate, RollBack, Withdraw, Inconclusive)
#: Units a second over all processes, and how long a rollout is watched.
PER_SECOND, MOST_UNITS = 50, 10_000
PROCESSES = 3
DEADLINE_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What happens to units; the fix has no effect in any of them."""

    name: str
    rate: float = 0.2
    #: The failure rate swings between half of it and one and a half, and triples in an outage.
    drifting: bool = False
    #: Failures of treatment take that long, in seconds; everything else takes 0.05.
    failures_last_s: float = 0.05
    #: Deliveries are late, doubled, shuffled and lost.
    bad_network: bool = False
    #: Units are requests of users, of whom some fail much more often than others.
    sticky: bool = False
    #: Counted as a naive meter would: outcomes when they arrive, requests of sticky units one by one.
    naive: bool = False


class Process:
    """A program that takes part in a rollout: assigns units, counts exposures, ships counts."""

    def __init__(self, name, rollout_id):
        self.name, self.rollout_id = name, rollout_id
        self.assignment = Assignment(rollout_id)
        self.sequence = 0
        self.ledgers = {}
        self.ratio = self.epoch = 0

    def begin_epoch(self, epoch, ratio, ledger):
        """Deal units at a new ratio; the earlier epochs' ledgers go on until they are settled."""
        self.epoch, self.ratio, self.deal = epoch, ratio, self.assignment.dealer(ratio)
        self.ledgers[epoch] = (ratio, ledger)

    def ship(self, now_s):
        """Return everything counted so far."""
        self.sequence += 1
        tallies = tuple(
            Tally(rollout_id=self.rollout_id, epoch=epoch, ratio=ratio, arm=arm, counts=counts)
            for epoch, (ratio, ledger) in self.ledgers.items()
            for arm, counts in ledger.settle(now_s).items()
        )
        return Shipment(process_id=self.name, sequence=self.sequence, tallies=tallies)


class OnArrival:
    """A naive ledger: counts every request when it ends, in the order of ending."""

    def __init__(self):
        self.counts = {Arm.CONTROL: Counts(), Arm.TREATMENT: Counts()}

    def end(self, arm, failed):
        """Count one."""
        self.counts[arm] += Counts(1, int(failed))

    def settle(self, _now_s):
        """Return the counts."""
        return dict(self.counts)


class Network:
    """Brings shipments to the server."""

    def __init__(self, random, bad):
        self.random, self.bad, self.tie, self.queue = random, bad, count(), []

    def send(self, now_s, shipment):
        """Take a shipment; it may arrive up to 20 s later, twice, or never."""
        if self.bad and self.random.random() < 0.1:
            return
        for _ in range(1 + (self.bad and self.random.random() < 0.3)):
            delay = self.random.random() * 20 if self.bad else 0.0
            heappush(self.queue, (now_s + delay, next(self.tie), shipment))

    def arrived(self, now_s):
        """Return what has arrived, in the order of arriving."""
        found = []
        while self.queue and self.queue[0][0] <= now_s:
            found.append(heappop(self.queue)[2])
        return found


def run(traffic, seed):
    """Drive one rollout; return the name of its end and the number of units (requests) it took."""
    random = Random(seed)
    rollout_id = f"rol_{seed}"
    processes = [Process(f"proc_{n}", rollout_id) for n in range(PROCESSES)]
    network = Network(random, traffic.bad_network)
    ending, readings, stage = [], {}, 0
    _begin(processes, stage, traffic)
    for number in range(MOST_UNITS):
        now_s = number / PER_SECOND
        _finish(ending, now_s)
        process = processes[number % PROCESSES]
        _serve(process, traffic, random, now_s, number, ending)
        if number % PER_SECOND:
            continue
        for each in processes:
            network.send(now_s, each.ship(now_s))
        readings = merge(readings, read(network.arrived(now_s)))
        decision = decide(STAGES[stage], strata(readings, rollout_id), base_rate=traffic.rate)
        if isinstance(decision, Advance):
            stage += 1
            _begin(processes, stage, traffic)
        elif isinstance(decision, ENDED):
            return type(decision).__name__, number
    return "Inconclusive", MOST_UNITS


def _begin(processes, stage, traffic):
    for each in processes:
        if traffic.naive:
            ledger = OnArrival()
        elif traffic.sticky:
            ledger = StickyLedger(window_s=2.0)
        else:
            ledger = Ledger(wait_s=DEADLINE_S)
        each.begin_epoch(stage, STAGES[stage].ratio, ledger)


def _serve(process, traffic, random, now_s, number, ending):
    """Let one process handle one request, which is a unit unless the traffic is sticky."""
    if traffic.sticky:
        # Twenty busy users a process at any time, new ones each 20 s; each is as flaky as it is.
        user = random.randrange(20)
        unit = f"{process.name}.{user}.{int(now_s / 20)}"
        rate = 0.9 if hash_fraction(unit) < traffic.rate else 0.02
    else:
        unit, rate = str(number), _rate(traffic, now_s)
    arm = Arm.TREATMENT if process.deal(unit) else Arm.CONTROL
    failed = random.random() < rate
    slow = failed and arm is Arm.TREATMENT
    ends_s = now_s + (traffic.failures_last_s if slow else 0.05)
    _, ledger = process.ledgers[process.epoch]
    if traffic.naive:
        heappush(ending, (ends_s, number, lambda: ledger.end(arm, failed)))
    elif traffic.sticky:
        ledger.begin(unit, arm, now_s)
        if failed:
            ledger.fail(unit)
    else:
        exposure = ledger.begin(arm, now_s)
        heappush(ending, (ends_s, number, lambda: exposure.end(failed, ends_s)))


def _finish(ending, now_s):
    while ending and ending[0][0] <= now_s:
        heappop(ending)[2]()


def _rate(traffic, now_s):
    if not traffic.drifting:
        return traffic.rate
    outage = 3.0 if 60 < now_s % 150 < 75 else 1.0
    return min(1.0, traffic.rate * (1 + 0.5 * sin(now_s / 15)) * outage)


_USERS = Assignment("users")


def hash_fraction(unit):
    """Return how flaky a user is: from 0 to 1, the same at each request."""
    return _USERS.fraction(unit)
