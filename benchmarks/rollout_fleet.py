"""Thousands of rollouts at once, for `rollout.py`: batches of counts, decided by the real rules.

The capitals of all rollouts are carried on in arrays, from the rows of `prunella.experiment.bets`. They
only say at which looks something may happen: there, and at some looks drawn at random, the real
`decide` is asked with the counts of that rollout, and its answer is what happens.
"""

from collections import Counter
from dataclasses import dataclass, field
from math import log

import numpy as np

from prunella.experiment import (
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
#: What is held against each null: (rows for a ratio and a base rate, on which counts).
MARGINS = {
    "below_2": (2.0, "benefit"),
    "below_1_5": (1.5, "benefit"),
    "errors": (1.1, "harm"),
    "futility": (0.8, "harm"),
}


def log_mean(logs):
    """Return the log of the mean of each row of logs."""
    largest = logs.max(axis=1)
    return largest + np.log(np.exp(logs - largest[:, None]).mean(axis=1))


class Capitals:
    """Log capitals of every bet of many rollouts, and the e-values they add up to."""

    def __init__(self, runs, base_rate):
        self.base_rate = base_rate
        rows = len(joint_rows(0.5, base_rate, "harm"))
        self.joint = {side: np.zeros((runs, rows)) for side in ("benefit", "harm")}
        self.conditional = {name: np.zeros((runs, 6)) for name in ("benefit", "harm", *MARGINS)}

    def add(self, who, ratio, treated, failed_t, failed_c, batch):
        """Let the rollouts `who` see one batch each, dealt at `ratio`."""
        outcomes = np.stack(
            [failed_t, treated - failed_t, failed_c, batch - treated - failed_c], axis=1
        )
        for side, capital in self.joint.items():
            capital[who] += outcomes @ np.array(joint_rows(ratio, self.base_rate, side)).T
        failures = outcomes[:, [0, 2]]
        for name, capital in self.conditional.items():
            margin, side = MARGINS.get(name, (1.0, name))
            capital[who] += failures @ np.array(conditional_rows(ratio, margin, side)).T

    def values(self, who):
        """Return the log e-values of the rollouts `who` by name."""
        found = {name: log_mean(self.conditional[name][who]) for name in MARGINS}
        for side in ("benefit", "harm"):
            joint, conditional = self.joint[side][who], self.conditional[side][who]
            found[side] = np.logaddexp(log_mean(joint), log_mean(conditional)) - log(2)
        return found


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


def ramp(p0, p1, *, runs, most, batch, seed):
    """Send `runs` rollouts through the ramp, looking after every `batch` requests."""
    random = np.random.default_rng(seed)
    capitals = Capitals(runs, p0)
    counts = np.zeros(
        (runs, len(STAGES), 4), dtype=np.int64
    )  # n and failures of control, treatment
    stage = np.zeros(runs, dtype=int)
    alive = np.arange(runs)
    done = Outcomes(runs=runs)
    for look in range(1, most // batch + 1):
        for index, each in enumerate(STAGES):
            who = alive[stage[alive] == index]
            treated = random.binomial(batch, each.ratio, len(who))
            failed_t = random.binomial(treated, p1)
            failed_c = random.binomial(batch - treated, p0)
            counts[who, index] += np.stack([batch - treated, failed_c, treated, failed_t], axis=1)
            capitals.add(who, each.ratio, treated, failed_t, failed_c, batch)
        may = _may_move(capitals.values(alive), stage[alive], counts[alive])
        asked = may | (random.random(len(alive)) < ASKED_AGAIN)
        ended = []
        for run in alive[asked]:
            decision = _ask(counts[run], stage[run], p0)
            done.asked += 1
            if isinstance(decision, Advance):
                stage[run] += 1
            elif isinstance(decision, ENDED):
                ended.append(run)
                _note(done, type(decision).__name__, look * batch, counts[run], p0, p1)
        alive = np.setdiff1d(alive, ended, assume_unique=True)
        if not len(alive):
            break
    for run in alive:
        decision = _ask(counts[run], stage[run], p0, elapsed_s=1e9)
        _note(done, type(decision).__name__, most, counts[run], p0, p1)
    return done


def _may_move(values, stage, counts):
    """Say at which looks the rules may decide anything but to continue; no harm in asking more."""
    slack = 1e-6
    big, small = log(20) - slack, log(SHOWN) - slack
    treated = counts[np.arange(len(stage)), stage, 2]
    enough = treated >= np.array([each.minimum for each in STAGES])[stage]
    safe = np.select([stage == 0, stage == 1], [values["below_2"], values["below_1_5"]], -np.inf)
    return (
        (values["harm"] >= big)
        | (values["errors"] >= big)
        | (values["futility"] >= small)
        | (enough & ((values["benefit"] >= big) | (safe >= small)))
    )


def _ask(counts, stage, base_rate, elapsed_s=0.0):
    strata = [
        Stratum(each.ratio, Counts(int(a), int(b)), Counts(int(c), int(d)))
        for each, (a, b, c, d) in zip(STAGES[: stage + 1], counts, strict=False)
    ]
    return decide(STAGES[stage], strata, base_rate=base_rate, elapsed_s=elapsed_s)


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
    capitals = Capitals(runs, base_rate or p0)
    everyone = np.arange(runs)
    sums = np.zeros((4, runs), dtype=np.int64)
    first = {name: np.full(runs, np.inf) for name in RULES}
    for look in range(1, most // batch + 1):
        treated = random.binomial(batch, ratio, runs)
        failed_t, failed_c = random.binomial(treated, p1), random.binomial(batch - treated, p0)
        sums += np.stack([batch - treated, failed_c, treated, failed_t])
        capitals.add(everyone, ratio, treated, failed_t, failed_c, batch)
        values = capitals.values(everyone)
        for name, rule in RULES.items():
            fired = rule(sums, values) & np.isinf(first[name])
            first[name][fired] = look * batch
    return first


def _z(sums):
    n0, f0, n1, f1 = sums
    pooled = (f0 + f1) / (n0 + n1)
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
