"""Does a rollout decide rightly, and soon? ``python benchmarks/rollout.py [--seed N] [--runs N]``

Prints, side by side with the rules that are usual: how often no effect is taken for one; how long a
real effect takes to be seen, against the least time that any rule with that error could need; what
harm is done meanwhile; and what assigning, recording and deciding cost.

`rollout_fleet.py` decides on arrays of counts, by the real rules; `rollout_worlds.py` makes these
counts as traffic, networks and users do; `rollout_path.py` takes some rollouts through the SDK's
meters, a bad network, the SQLite store, the pipeline's steps and the feed, and compares counts and
steps with those of the arrays at each look. `--runs` is the number of rollouts without an effect in
each row (default 10,000); a tenth of it are taken where there is an effect, and one in 200 through
the real parts.
"""

import argparse
import sys
import time
import timeit
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from math import inf, log

import numpy as np
import rollout_path
import rollout_worlds
from rollout_fleet import RULES, Outcomes, fixed, ramp
from rollout_worlds import World

from prunella.experiment import (
    STAGES,
    Arm,
    Assignment,
    Counts,
    Hold,
    Inconclusive,
    Shipment,
    Tally,
    decide,
    evidence,
    merge,
    read,
    strata,
)
from prunella.fixes import Allocation, Installation, parse
from prunella.sdk.metering import RolloutMeter

BASE_RATES = (0.5, 0.2, 0.05, 0.01)
ALPHA = 0.05
USUAL = (
    "two-proportion z-test, p < 0.05",
    "Bayesian P(better) > 0.95",
    "point estimate: rate up > 10 %",
)
#: Rollouts that one task of the pool simulates.
CHUNK = 500
#: Rollouts that go through the real parts together, in one store.
TOGETHER = 25
WORLDS = (
    World(name="a base rate that drifts, with outages", drifting=True),
    World(name="failures of treatment 10 s late", late=True),
    World(name="deliveries late, doubled, shuffled, lost", bad_network=True),
    World(name="sticky units, counted once each", sticky=True),
)
NAIVE = (
    World(name="naive: counted on arrival, 10 s late", late=True, naive=True),
    World(name="naive: requests of sticky units", sticky=True, naive=True),
)


class Pool:
    """Runs simulations in chunks on every core, and shows how far they are."""

    def __init__(self, seed):
        self.executor = ProcessPoolExecutor(2)
        self.seeds = iter(range(seed * 1_000_000, (seed + 1) * 1_000_000))

    def chunks(self, what, function, runs, *arguments, size=CHUNK, **options):
        """Return the answers of `function` for `runs` rollouts, in the order of chunks."""
        sizes = [size] * (runs // size) + [runs % size] * bool(runs % size)
        tasks = [
            self.executor.submit(function, *arguments, runs=each, seed=next(self.seeds), **options)
            for each in sizes
        ]
        for number, _ in enumerate(as_completed(tasks), 1):
            bar = "#" * (20 * number // len(tasks))
            print(f"\r{what:<50} [{bar:<20}]", end="", file=sys.stderr, flush=True)
        print("\r" + " " * 75 + "\r", end="", file=sys.stderr)
        return [task.result() for task in tasks]

    def ramps(self, p0, p1, runs, *, most=40_000, batch=50, swapped=False):
        """Return the outcomes of that many rollouts through the ramp."""
        options = {"most": most, "batch": batch, "swapped": swapped}
        found = self.chunks(f"ramp {p0:g} -> {p1:g}", ramp, runs, p0, p1, **options)
        return sum(found, Outcomes())

    def firsts(self, p0, p1, runs, **options):
        """Return rule → request of the first alarm, for that many rollouts at a fixed split."""
        found = self.chunks(f"split {p0:g} -> {p1:g}", fixed, runs, p0, p1, **options)
        return {name: np.concatenate([each[name] for each in found]) for name in RULES}


def peeking(pool, runs):
    """Print how often each rule sees an effect that isn't there, looking every 50 requests."""
    print(
        "\nNo effect, a look every 50 requests up to 20,000: share of rollouts with a false alarm"
    )
    cases = [(ratio, rate) for ratio in (0.5, 0.05) for rate in BASE_RATES]
    found = [
        pool.firsts(rate, rate, runs, ratio=ratio, most=20_000, batch=50) for ratio, rate in cases
    ]
    print(f"{'':34}" + "".join(f"{'50/50' if r == 0.5 else '5 %':>8}" for r, _ in cases))
    print(f"{'base rate':34}" + "".join(f"{rate:8g}" for _, rate in cases))
    for name in RULES:
        shares = [np.isfinite(each[name]).mean() for each in found]
        print(f"{name:34}" + "".join(f"{share:8.1%}" for share in shares))


def ramps(pool, runs):
    """Print how rollouts end, through the ramp and the real rules."""
    print("\nThrough the ramp 5 -> 25 -> 50 %, a look every 50 requests, at most 40,000")
    print(
        f"{'failure rate':>16} {'rollouts':>8} {'graduated':>9} {'withdrawn':>9} {'rolled back':>11} "
        f"{'inconcl.':>8} {'median requests':>15} {'extra failures':>14}"
    )
    effects = [("none", 1.0, 1), ("halved", 0.5, 10), ("removed", 0.0, 10), ("doubled", 2.0, 10)]
    for name, factor, part in effects:
        for rate in BASE_RATES:
            _ramp_row(pool, name, rate, min(1.0, rate * factor), max(runs // part, 1))
    print("total failure, a look every 20 requests")
    for rate in BASE_RATES:
        _ramp_row(pool, "total", rate, 1.0, max(runs // 10, 1), batch=20)
    print("all failures removed, and a fault that swaps the arms when it counts them")
    _ramp_row(pool, "swapped", 0.2, 0.0, max(runs // 10, 1), swapped=True)


def _ramp_row(pool, name, rate, treated, runs, batch=50, swapped=False):
    # What ends soon needs no more time, and a fix that helps gets as much as it needs.
    most = 80_000 if name in {"halved", "removed"} else 40_000
    found = pool.ramps(rate, treated, runs, most=most, batch=batch, swapped=swapped)
    ends = ("Graduate",) if treated < rate else ("Withdraw", "RollBack")
    extra = f"{found.extra_failures / found.runs:14.1f}" if treated > rate else " " * 14
    print(
        f"{name:>9} {rate:6g} {found.runs:8,} {found.share('Graduate'):9.2%} "
        f"{found.share('Withdraw'):9.2%} {found.share('RollBack'):11.2%} "
        f"{found.share('Inconclusive'):8.2%} {found.median(*ends):15,.0f} {extra}"
    )


def optimum(p0, p1):
    """Return ln(1/alpha) / I at a 50/50 split: what a bet that knew both rates would need."""
    mean = (p0 + p1) / 2
    growth = (_divergence(p0, mean) + _divergence(p1, mean)) / 2
    return log(1 / ALPHA) / growth


def _divergence(p, q):
    return (p * log(p / q) if p else 0) + ((1 - p) * log((1 - p) / (1 - q)) if p < 1 else 0)


def speed(pool, runs):
    """Print how long a fix that halves failures takes, relative to the optimum."""
    print("\nA fix that halves failures: median requests, against ln(1/alpha)/I at a 50/50 split")
    print(f"{'base rate':>9} {'optimum':>9} {'50/50 split':>18} {'through the ramp':>18}")
    for rate in (0.05, 0.01):
        least = optimum(rate, rate / 2)
        step = max(10, int(least / 400))
        split = pool.firsts(rate, rate / 2, runs, ratio=0.5, most=int(6 * least), batch=step)
        here = float(np.median(split["e-process of benefit >= 20"]))
        there = pool.ramps(rate, rate / 2, runs, most=80_000, batch=step).median("Graduate")
        print(
            f"{rate:9g} {least:9,.0f} {here:9,.0f} ({here / least:4.2f} x) "
            f"{there:9,.0f} ({there / least:4.2f} x)"
        )
    found = pool.firsts(1.0, 0.5, runs, ratio=0.5, most=200, batch=1)
    alarms = found["e-process of benefit >= 20"]
    middle = np.median(alarms)
    print(
        f"counted only where the fix fires: median {middle:.0f} triggers, "
        f"90 % within {np.quantile(alarms, 0.9):.0f}; that is, at failure rates of"
    )
    rates = (*BASE_RATES, 0.001)
    print("  ".join(f"{rate:g}: {middle / rate:,.0f} requests" for rate in rates))


def worlds(pool, runs):
    """Print how often no effect graduates in traffic as it is, and what usual rules see there."""
    print("\nNo effect, base rate 0.2, three processes that ship their counts, a look each second")
    ends = ("Graduate", "Withdraw", "RollBack")
    print(
        f"{'':42} {'rollouts':>8} {'graduated':>9} {'withdrawn':>9} {'rolled back':>11}"
        f"{'z-test':>9}{'Bayesian':>9}{'point':>9}"
    )
    for world in (*WORLDS, *NAIVE):
        found = sum(pool.chunks(world.name, rollout_worlds.run, runs, world), Outcomes())
        few = max(runs // 10, 1)
        usual = pool.chunks(world.name, rollout_worlds.usual, few, world)
        shares = [sum(each[name] for each in usual) / few for name in USUAL]
        print(
            f"{world.name:42} {found.runs:8,} "
            + " ".join(
                f"{found.share(end):{width}.2%}"
                for end, width in zip(ends, (9, 9, 11), strict=True)
            )
            + "".join(f"{share:9.1%}" for share in shares)
        )
    print("(z-test, Bayesian, point: false alarms of these at a 50/50 split, on the same counts)")


def path(pool, runs):
    """Print how rollouts go through the real parts, and that the arrays go the same way."""
    print(
        "\nThe same through the SDK's meters, records, the SQLite store, the pipeline's steps and the"
        " feed"
    )
    print(
        f"{'':42} {'rollouts':>8} {'graduated':>9} {'withdrawn':>9} {'rolled back':>11}"
        f" {'looks compared':>14} {'steps':>7}"
    )
    for world in WORLDS:
        found = pool.chunks(world.name, rollout_path.run, runs, world, size=TOGETHER)
        ends = sum((each[0] for each in found), Counter())
        total = ends.total()
        print(
            f"{world.name:42} {total:8,} {ends['Graduate'] / total:9.2%} "
            f"{ends['Withdraw'] / total:9.2%} {ends['RollBack'] / total:11.2%}"
            f" {sum(each[1] for each in found):14,} {sum(each[2] for each in found):7,}"
        )
    print("(at each look the store's counts and the step taken were those of the arrays)")


def never_ships():
    """Print that no data and no decision don't ship."""
    for stage in STAGES:
        assert isinstance(decide(stage, []), Hold)
        assert isinstance(decide(stage, [], elapsed_s=inf), Inconclusive)
    print("\nNo data: holds at every stage, inconclusive in the end; nothing ships.")


def costs():
    """Print what assigning and recording cost a call, and deciding the server."""
    treated = Assignment("fix-abc123", "salt").dealer(0.05)
    meter, unit = RolloutMeter(), "trace_4bf92f3577b34da6a3ce929d0e0e4736"
    document = {"fix_id": "fix-abc123", "fix_type": "retry", "config": {}}
    installation = Installation(
        fix=parse(document), allocation=Allocation(salt="rol_bench", ratio=0.05, epoch=1)
    )

    def call():
        exposure = meter.triggered(installation, unit, 0.0)
        meter.ended(exposure, failed=False, latency_s=0.01, cost=None)

    print("\nWhat it costs (the least of many runs)")
    print(f"assign                       {_least_us(lambda: treated(unit)):8.2f} us a call")
    print(f"assign and record            {_least_us(call):8.2f} us a call")
    for per_second in (10, 100, 1_000, 10_000):
        shipments = _shipments(per_second * 60)
        taken = _least_us(lambda s=shipments: _decide_all(s), 5)
        print(
            f"server, {per_second:6,} requests a second {taken / 1000:8.2f} ms for 8 processes, 5 fixes"
        )


def _shipments(requests):
    """Return what 8 processes ship of 5 fixes after so many requests."""
    share = requests // 8
    return [
        Shipment(
            process_id=f"proc_{process}",
            sequence=1,
            tallies=tuple(
                Tally(
                    rollout_id=f"rol_{fix}",
                    epoch=1,
                    ratio=0.5,
                    arm=arm,
                    counts=Counts(share // 2, share // 40),
                )
                for fix in range(5)
                for arm in Arm
            ),
        )
        for process in range(8)
    ]


def _decide_all(shipments):
    readings = merge(read(shipments))
    for fix in range(5):
        decide(STAGES[2], strata(readings, f"rol_{fix}"), base_rate=0.05)


def _least_us(function, number=2_000):
    # Processor time, in short runs: other load on the machine shows little.
    taken = timeit.repeat(function, number=number, repeat=40, timer=time.process_time)
    return min(taken) / number * 1e6


def main():
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=10_000, help="rollouts without an effect")
    options = parser.parse_args()
    assert evidence([]).benefit == 1
    print(f"seed {options.seed}, alpha {ALPHA}, Python {sys.version.split()[0]}")
    pool, some = Pool(options.seed), max(options.runs // 10, 1)
    costs()
    never_ships()
    peeking(pool, max(options.runs // 5, 1))
    ramps(pool, options.runs)
    speed(pool, some)
    worlds(pool, options.runs)
    path(pool, max(options.runs // 200, 1))


if __name__ == "__main__":
    main()
