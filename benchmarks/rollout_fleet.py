"""Thousands of rollouts at once, for `rollout.py`: counts in arrays, decided by the real rules.

The e-values of all rollouts are computed in arrays, from the rows of `prunella.experiment.bets`. They
only say at which looks something may happen: there, and at some looks drawn at random, the real
`decide` is asked with the counts of that rollout, and its answer is what happens.
"""

from collections import Counter
from dataclasses import dataclass, field
from math import log

import numpy as np

from prunella.experiment import (
    DEFAULT_LIMITS,
    STAGES,
    Advance,
    Counts,
    Graduate,
    Inconclusive,
    RollBack,
    Stratum,
    Withdraw,
)
from prunella.experiment.bets import conditional_rows, joint_rows
from prunella.experiment.ramp import SHOWN, decide

ENDED = (Graduate, RollBack, Withdraw, Inconclusive)
#: Share of looks at which nothing should happen where the real rules are asked all the same.
ASKED_AGAIN = 0.0005
#: What is held against each null: (margin, direction) of its bets on failures alone.
MARGINS = {
    "below_2": (2.0, "benefit"),
    "below_1_5": (1.5, "benefit"),
    "errors": (1.1, "harm"),
    "futility": (0.8, "harm"),
}
RAMP = tuple(stage.ratio for stage in STAGES)


def log_mean(logs):
    """Return the log of the mean of each row of logs."""
    largest = logs.max(axis=1)
    return largest + np.log(np.exp(logs - largest[:, None]).mean(axis=1))


class Weighing:
    """The log e-values of many rollouts' counts: n and failures of control, then of treatment."""

    def __init__(self, base_rate, ratios=RAMP):
        self.joint = {
            side: _stacked([joint_rows(ratio, base_rate, side) for ratio in ratios])
            for side in ("benefit", "harm")
        }
        self.conditional = {
            name: _stacked([conditional_rows(ratio, *margin) for ratio in ratios])
            for name, margin in {
                **MARGINS,
                "benefit": (1.0, "benefit"),
                "harm": (1.0, "harm"),
            }.items()
        }

    def values(self, counts):
        """Return name → log e-value of each rollout; `counts` is (rollouts, ratios, 4)."""
        n0, f0, n1, f1 = np.moveaxis(counts, -1, 0)
        outcomes = np.stack([f1, n1 - f1, f0, n0 - f0], axis=-1).reshape(len(counts), -1)
        failures = np.stack([f1, f0], axis=-1).reshape(len(counts), -1)
        found = {name: log_mean(failures @ rows) for name, rows in self.conditional.items()}
        for side, rows in self.joint.items():
            found[side] = np.logaddexp(log_mean(outcomes @ rows), found[side]) - log(2)
        return found


def _stacked(rows):
    """Return the log factors of all strata below each other: a column for each bet."""
    return np.concatenate([np.array(each, dtype=float).T for each in rows])


@dataclass
class Outcomes:
    """How many rollouts ended how, after how many requests, with how many extra failures."""

    runs: int = 0
    ends: Counter = field(default_factory=Counter)
    requests: dict = field(default_factory=dict)
    extra_failures: float = 0.0
    exposures: list = field(default_factory=list)
    asked: int = 0

    def __add__(self, other):
        requests = {
            name: self.requests.get(name, []) + other.requests.get(name, [])
            for name in self.requests.keys() | other.requests.keys()
        }
        return Outcomes(
            self.runs + other.runs,
            self.ends + other.ends,
            requests,
            self.extra_failures + other.extra_failures,
            self.exposures + other.exposures,
            self.asked + other.asked,
        )

    def share(self, *names):
        """Return the share of rollouts that ended in one of these ways."""
        return sum(self.ends[name] for name in names) / self.runs

    def median(self, *names):
        """Return the median number of requests until one of these ends."""
        found = [n for name in names for n in self.requests.get(name, [])]
        return float(np.median(found)) if found else float("nan")


class Deciding:
    """Takes many rollouts through the ramp by what has been counted of each."""

    def __init__(self, runs, base_rate, random, *, triggered=False, limits=DEFAULT_LIMITS):
        self.weighing = Weighing(base_rate)
        self.base_rate, self.triggered, self.limits = base_rate, triggered, limits
        self.random = random
        self.stage = np.zeros(runs, dtype=int)
        self.alive = np.arange(runs)
        self.asked = 0

    def look(self, counts):
        """Decide about those alive by `counts` (rollouts, stages, 4); return run → how it ended."""
        if not len(self.alive):
            return {}
        asked = self.may_move(counts[self.alive], self.stage[self.alive])
        asked |= self.random.random(len(self.alive)) < ASKED_AGAIN
        ended = {}
        for run in self.alive[asked]:
            decision = self.ask(counts[run], self.stage[run])
            self.asked += 1
            if isinstance(decision, Advance):
                self.stage[run] += 1
            elif isinstance(decision, ENDED):
                ended[int(run)] = type(decision).__name__
        self.alive = np.setdiff1d(self.alive, list(ended), assume_unique=True)
        return ended

    def may_move(self, counts, stage):
        """Say where the rules may decide anything but to continue; no harm in asking more."""
        values = self.weighing.values(counts)
        big, small = log(1 / self.limits.alpha) - 1e-6, log(SHOWN) - 1e-6
        treated = counts[np.arange(len(stage)), stage, 2]
        least = [
            max(
                each.minimum_triggered if self.triggered else each.minimum,
                self.limits.min_exposures,
            )
            for each in STAGES
        ]
        enough = treated >= np.array(least)[stage]
        safe = np.select(
            [stage == 0, stage == 1], [values["below_2"], values["below_1_5"]], -np.inf
        )
        return (
            (values["harm"] >= big)
            | (values["errors"] >= big)
            | (values["futility"] >= small)
            | (enough & ((values["benefit"] >= big) | (safe >= small)))
        )

    def ask(self, counts, stage, elapsed_s=0.0):
        """Return the real decision about one rollout."""
        strata = [
            Stratum(each.ratio, Counts(int(a), int(b)), Counts(int(c), int(d)))
            for each, (a, b, c, d) in zip(STAGES[: stage + 1], counts, strict=False)
        ]
        return decide(
            STAGES[stage],
            strata,
            base_rate=self.base_rate,
            triggered=self.triggered,
            elapsed_s=elapsed_s,
            limits=self.limits,
        )


def ramp(p0, p1, *, runs, most, batch, seed, swapped=False):
    """Send `runs` rollouts through the ramp, looking after every `batch` requests.

    With `swapped` a fault confuses the arms when it counts them.
    """
    random = np.random.default_rng(seed)
    deciding = Deciding(runs, p0, random)
    # n and failures of control, then of treatment
    counts = np.zeros((runs, len(STAGES), 4), dtype=np.int64)
    done = Outcomes(runs=runs)
    for look in range(1, most // batch + 1):
        alive, stage = deciding.alive, deciding.stage[deciding.alive]
        treated = random.binomial(batch, np.array(RAMP)[stage])
        failed_t, failed_c = random.binomial(treated, p1), random.binomial(batch - treated, p0)
        arms = [batch - treated, failed_c, treated, failed_t]
        counts[alive, stage] += np.stack(arms[2:] + arms[:2] if swapped else arms, axis=1)
        for run, end in deciding.look(counts).items():
            _note(done, end, look * batch, counts[run], p0, p1)
        if not len(deciding.alive):
            break
    for run in deciding.alive:
        decision = deciding.ask(counts[run], deciding.stage[run], elapsed_s=1e9)
        _note(done, type(decision).__name__, most, counts[run], p0, p1)
    done.asked = deciding.asked
    return done


def _note(done, name, requests, counts, p0, p1):
    done.ends[name] += 1
    done.requests.setdefault(name, []).append(requests)
    exposures = int(counts[:, 2].sum())
    done.exposures.append(exposures)
    # What the fix itself did, on average, to the units that met it.
    done.extra_failures += exposures * (p1 - p0)


def fixed(p0, p1, *, ratio, runs, most, batch, seed, base_rate=None):
    """Look at `runs` rollouts at one split for `most` requests; return rule → looks of first alarm.

    An array of request numbers for each rule, infinite where it never fired.
    """
    random = np.random.default_rng(seed)
    weighing = Weighing(base_rate or p0, (ratio,))
    sums = np.zeros((runs, 1, 4), dtype=np.int64)
    first = {name: np.full(runs, np.inf) for name in RULES}
    for look in range(1, most // batch + 1):
        treated = random.binomial(batch, ratio, runs)
        failed_t, failed_c = random.binomial(treated, p1), random.binomial(batch - treated, p0)
        sums[:, 0] += np.stack([batch - treated, failed_c, treated, failed_t], axis=1)
        values = weighing.values(sums)
        for name, rule in RULES.items():
            fired = rule(sums[:, 0].T, values) & np.isinf(first[name])
            first[name][fired] = look * batch
    return first


def _z(sums):
    n0, f0, n1, f1 = sums
    pooled = (f0 + f1) / np.maximum(n0 + n1, 1)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / np.maximum(n0, 1) + 1 / np.maximum(n1, 1)))
    difference = f0 / np.maximum(n0, 1) - f1 / np.maximum(n1, 1)
    return np.where((n0 > 0) & (n1 > 0) & (spread > 0), difference / np.maximum(spread, 1e-12), 0)


def _bayes(sums):
    """Standardised difference of the posteriors under uniform priors, taken as normal."""
    n0, f0, n1, f1 = sums
    m0, m1 = (f0 + 1) / (n0 + 2), (f1 + 1) / (n1 + 2)
    return (m0 - m1) / np.sqrt(m0 * (1 - m0) / (n0 + 3) + m1 * (1 - m1) / (n1 + 3))


def _point(sums):
    n0, f0, n1, f1 = sums
    return (n1 >= 30) & (f1 * np.maximum(n0, 1) > 1.1 * f0 * n1)


#: Rule → whether it fires, given sums (n and failures of control, treatment) and log e-values.
RULES = {
    "two-proportion z-test, p < 0.05": lambda sums, _: _z(sums) > 1.6449,
    "Bayesian P(better) > 0.95": lambda sums, _: _bayes(sums) > 1.6449,
    "e-process of benefit >= 20": lambda _, values: values["benefit"] >= log(20),
    "point estimate: rate up > 10 %": lambda sums, _: _point(sums),
    "e-process of harm >= 20": lambda _, values: values["harm"] >= log(20),
}
