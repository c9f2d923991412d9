"""What traffic, networks and users do to counts, for `rollout.py`: many rollouts at once, in arrays.

Three processes, a look each second. `Counting` says what a server knows at a look: units count when
they are mature, and processes ship their cumulative counts over a network that may delay, double,
reorder and lose them. `rollout_path.py` follows some rollouts through the real parts and compares.
"""

from dataclasses import dataclass
from math import pi, sin

import numpy as np
from rollout_fleet import RULES, Deciding, Outcomes

from prunella.experiment import STAGES

PROCESSES = 3
#: Requests a second of each process; of users that stick, how many come in a second.
REQUESTS, USERS = 17, 4
#: A unit counts so many looks after the second in which it began.
WAIT_LOOKS = 21
WINDOW_LOOKS = 60
LATE_LOOKS = 10
#: A shipment is at most so many looks under way.
SLOWEST = 20
LOST, DOUBLED = 0.1, 0.3
MOST_LOOKS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What happens to units; the fix has no effect in any of them."""

    name: str
    rate: float = 0.2
    #: The failure rate swings between half of it and one and a half, and triples in an outage.
    drifting: bool = False
    #: Failures of treatment take 10 s; everything else ends at once.
    late: bool = False
    #: Deliveries are late, doubled, shuffled and lost.
    bad_network: bool = False
    #: Units are requests of users, of whom some fail much more often than others.
    sticky: bool = False
    #: Counted as a naive meter would: outcomes when they arrive, requests of sticky units one by one.
    naive: bool = False

    def rate_at(self, look):
        """Return the failure rate in a second."""
        if not self.drifting:
            return self.rate
        outage = 3.0 if 60 < look % 150 < 75 else 1.0
        return min(1.0, self.rate * (1 + 0.5 * sin(2 * pi * look / 95)) * outage)

    @property
    def delay(self):
        """Looks after which a unit counts."""
        if self.naive:
            return 1
        return WAIT_LOOKS + self.sticky * WINDOW_LOOKS


class Counting:
    """What the server knows of each rollout at each look, from what processes counted."""

    def __init__(self, runs, network):
        self.shape = (runs, PROCESSES, len(STAGES), 4)
        #: Counts that become mature at a look, by the look's remainder.
        self.ahead = WAIT_LOOKS + WINDOW_LOOKS + 1
        self.maturing = np.zeros((self.ahead, *self.shape), dtype=np.int32)
        self.mature = np.zeros(self.shape, dtype=np.int64)
        #: Mature counts as they were shipped at the latest looks.
        self.shipped = np.zeros((SLOWEST + 1, *self.shape), dtype=np.int64)
        #: The latest shipment that arrives at a look, of each process.
        self.arriving = np.full((SLOWEST + 1, runs, PROCESSES), -1, dtype=np.int64)
        self.latest = np.full((runs, PROCESSES), -1, dtype=np.int64)
        self.seen = np.zeros(self.shape, dtype=np.int64)
        self.network = network

    def add(self, look, delay, who, stage, counts):
        """Let `counts` (rollouts in `who`, processes, 4) of one second become mature later."""
        self.maturing[(look + delay) % self.ahead, who, :, stage] += counts

    def ship(self, look, delays):
        """Count what is mature now and ship it; it arrives after `delays`, lost where negative."""
        slot = look % self.ahead
        self.mature += self.maturing[slot]
        self.maturing[slot] = 0
        self.shipped[look % (SLOWEST + 1)] = self.mature
        for each in delays:
            runs, processes = np.nonzero(each >= 0)
            due = (look + each[runs, processes]) % (SLOWEST + 1)
            # Later shipments are greater numbers: of those that arrive together, the latest counts.
            self.arriving[due, runs, processes] = look

    def visible(self, look):
        """Return what has arrived by now, added up over processes: (rollouts, stages, 4)."""
        slot = look % (SLOWEST + 1)
        arrived = self.arriving[slot]
        runs, processes = np.nonzero(arrived > self.latest)
        number = arrived[runs, processes]
        self.latest[runs, processes] = number
        self.seen[runs, processes] = self.shipped[number % (SLOWEST + 1), runs, processes]
        self.arriving[slot] = -1
        return self.seen.sum(axis=1)


def delays(random, shape, bad):
    """Return how long two copies of shipments take, -1 where there is none."""
    if not bad:
        return [np.zeros(shape, dtype=int)]
    first = np.where(random.random(shape) < LOST, -1, random.integers(0, SLOWEST + 1, shape))
    again = (first >= 0) & (random.random(shape) < DOUBLED)
    return [first, np.where(again, random.integers(0, SLOWEST + 1, shape), -1)]


def users(random, shape):
    """Return how many requests users make, and how often each of them fails."""
    return 1 + random.poisson(3.2, shape), np.where(random.random(shape) < 0.2, 0.9, 0.02)


def _second(world, random, look, ratios):
    """Return the counts of one second, on time and late: (rollouts, processes, 4) each."""
    shape = (len(ratios), PROCESSES)
    if not world.sticky:
        rate = world.rate_at(look)
        treated = random.binomial(REQUESTS, ratios[:, None], shape)
        failed_t, failed_c = (
            random.binomial(treated, rate),
            random.binomial(REQUESTS - treated, rate),
        )
        untreated = REQUESTS - treated
    else:
        shape = (*shape, USERS)
        requests, rates = users(random, shape)
        side = random.random(shape) < ratios[:, None, None]
        failures = random.binomial(requests, rates)
        units = requests if world.naive else np.ones(shape, dtype=int)
        failed = failures if world.naive else failures > 0
        treated, untreated = (units * side).sum(axis=2), (units * ~side).sum(axis=2)
        failed_t, failed_c = (failed * side).sum(axis=2), (failed * ~side).sum(axis=2)
    none = np.zeros_like(treated)
    if world.late and world.naive:
        return (
            np.stack([untreated, failed_c, treated - failed_t, none], axis=-1),
            np.stack([none, none, failed_t, failed_t], axis=-1),
        )
    return np.stack([untreated, failed_c, treated, failed_t], axis=-1), None


def run(world, *, runs, seed):
    """Drive `runs` rollouts of a fix without effect; return their `Outcomes`."""
    random = np.random.default_rng(seed)
    counting = Counting(runs, world.bad_network)
    # As programs do: no history is known, and only units on which the fix fires are counted.
    deciding = Deciding(runs, None, random, triggered=True)
    done = Outcomes(runs=runs)
    for look in range(MOST_LOOKS):
        counting.ship(look, delays(random, (runs, PROCESSES), world.bad_network))
        for end in deciding.look(counting.visible(look)).values():
            done.ends[end] += 1
        who = deciding.alive
        if not len(who):
            break
        stage = deciding.stage[who]
        on_time, late = _second(world, random, look, np.array([s.ratio for s in STAGES])[stage])
        counting.add(look, world.delay, who, stage, on_time)
        if late is not None:
            counting.add(look, LATE_LOOKS + 1, who, stage, late)
    done.ends["Inconclusive"] += len(deciding.alive)
    done.asked = deciding.asked
    return done


def usual(world, *, runs, seed):
    """Return rule → the share of `runs` rollouts at a 50/50 split in which it sees an effect."""
    random = np.random.default_rng(seed)
    counting = Counting(runs, world.bad_network)
    who, last = np.arange(runs), len(STAGES) - 1
    stage, half = np.full(runs, last), np.full(runs, 0.5)
    weighing = Deciding(1, None, random).weighing
    fired = {name: np.zeros(runs, dtype=bool) for name in RULES}
    for look in range(MOST_LOOKS):
        counting.ship(look, delays(random, (runs, PROCESSES), world.bad_network))
        seen = counting.visible(look)
        values = weighing.values(seen)
        for name, rule in RULES.items():
            fired[name] |= rule(seen[:, last].T, values)
        on_time, late = _second(world, random, look, half)
        counting.add(look, world.delay, who, stage, on_time)
        if late is not None:
            counting.add(look, LATE_LOOKS + 1, who, stage, late)
    return {name: int(each.sum()) for name, each in fired.items()}
