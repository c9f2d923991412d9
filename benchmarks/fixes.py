"""What fixes add to a call: ``make bench-fixes``.

Each figure is paired: the site without and with its fixes alternate in one process, many rounds; a
round's difference is one sample. Printed are the least and the median difference in nanoseconds.
The sites are past their first samples, so that the difference is the fixes' alone. "Own work" is
the part of it in which the fix looks at arguments or result and makes the changed arguments,
measured by itself.

    python benchmarks/fixes.py [--json] [--rounds N]
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

#: Few enough to fit between two switches of a busy machine.
CALLS = 100

Loop = Callable[[], None]
Loops = tuple[Loop, Loop]
Change = Callable[[bool], None]


def document(fix_type: str, site: str, **config: Any) -> dict[str, Any]:
    """Return a fix for one of the sites below."""
    return {
        "fix_id": f"bench-{fix_type}",
        "fix_type": fix_type,
        "target": {"sites": [f"{__name__}:{site}"]},
        "config": config,
    }


def add(a: int, b: int) -> int:
    return a


async def add_async(a: int, b: int) -> int:
    return a


class Flaky:
    """Fails at one call in ten, which the process's budget for retries allows."""

    calls = 0

    def __call__(self, a: int, b: int) -> int:
        self.calls += 1
        if self.calls % 10 == 0:
            raise TimeoutError("now and then")
        return a


def flaky(a: int, b: int, _flaky: Flaky = Flaky()) -> int:  # noqa: B008 - one for the whole process
    return _flaky(a, b)


def calls_of(function: Callable[..., Any]) -> Loop:
    def loop() -> None:
        for _ in range(CALLS):
            function(1, 2)

    return loop


def awaits_of(function: Callable[..., Any]) -> Loop:
    async def calls() -> None:
        for _ in range(CALLS):
            await function(1, 2)

    runner = asyncio.Runner()
    return lambda: runner.run(calls())


def failing_calls_of(function: Callable[..., Any]) -> Loop:
    def loop() -> None:
        for _ in range(CALLS):
            try:
                function(1, 2)
            except TimeoutError:
                function(1, 2)

    return loop


def took_ns(loop: Loop) -> float:
    began = time.perf_counter_ns()
    loop()
    return (time.perf_counter_ns() - began) / CALLS


def paired(loops: Loops, change: Change, own: Loop | None, rounds: int) -> dict[str, int]:
    """Return least and median nanoseconds that a call takes longer with its fixes.

    Where `own` loops over the fixes' own work alone, also what that takes.
    """
    without, with_fixes, alone = [], [], []
    for _ in range(rounds):
        change(False)
        loops[0]()  # what a change leaves behind belongs to neither
        without.append(took_ns(loops[0]))
        change(True)
        loops[1]()
        with_fixes.append(took_ns(loops[1]))
        if own is not None:
            own()
            alone.append(took_ns(own))
    change(False)
    differences = [a - b for a, b in zip(with_fixes, without, strict=True)]
    figures = {
        "min_ns": round(min(with_fixes) - min(without)),
        "median_ns": round(statistics.median(differences)),
        "without_ns": round(min(without)),
    }
    return figures | ({"own_ns": round(min(alone))} if alone else {})


def installed(*documents: dict[str, Any]) -> Change:
    """Return what installs and removes these fixes."""
    from prunella import install_fix, remove_fix

    def change(on: bool) -> None:
        for each in documents:
            if on:
                install_fix(each)
            else:
                remove_fix(each["fix_id"])

    return change


def in_rollout(fix: dict[str, Any], ratio: float) -> Change:
    """Return what installs and removes a fix that so many of the calls get."""
    from prunella import remove_fix
    from prunella.fixes import Allocation, Installation, parse
    from prunella.sdk.fixing import fixing

    allocation = Allocation(salt="rol_bench", ratio=ratio, epoch=1, wait_s=1.0)
    installation = Installation(fix=parse(fix), allocation=allocation)

    def change(on: bool) -> None:
        if on:
            fixing().install(installation)
        else:
            remove_fix(fix["fix_id"])
            fixing().shipment("proc_bench", at_exit=True)  # as the background thread does

    return change


def own_work_of(*documents: dict[str, Any]) -> Loop:
    """Return a loop over what these fixes ask of a call of `add`, and what they make of it."""
    from prunella.fixes import Installation, Installed, Plan, parse
    from prunella.fixes.calm import Calm
    from prunella.sdk.site import all_sites
    from prunella.sdk.views import view_of

    site = next(each for each in all_sites() if each.name == "add")
    view = view_of(site)
    if view is None:
        raise RuntimeError("the benchmark's own site is gone")
    plan = Plan(view, [Installed(Installation(fix=parse(each))) for each in documents])
    calm = Calm(plan)
    before, after = calm.before, calm.after

    def loop() -> None:
        for _ in range(CALLS):
            if before is not None:
                before((1, 2))
            if after is not None:
                after(1)

    return loop


def metered(rounds: int) -> dict[str, dict[str, int]]:
    """Return what it takes to deal a call to an arm of a rollout and to count how it ended."""
    from prunella.fixes import Allocation, Installation, parse
    from prunella.sdk.metering import RolloutMeter

    retry = parse(document("retry", "add", initial_delay_ms=0))
    allocation = Allocation(salt="rol_bench", ratio=0.5, epoch=1, wait_s=1.0)
    cases = {
        "fix in a rollout": Installation(fix=retry, allocation=allocation),
        "fix for every call": Installation(fix=retry),
    }
    figures = {}
    for name, installation in cases.items():
        meter = RolloutMeter()
        units = [f"trc_{number:032x}" for number in range(CALLS)]

        def loop(
            meter: RolloutMeter = meter,
            installation: Installation = installation,
            units: list[str] = units,
        ) -> None:
            for unit in units:
                exposure = meter.triggered(installation, unit, time.perf_counter())
                meter.ended(exposure, failed=False, latency_s=0.001, cost=None)

        def bare(units: list[str] = units) -> None:
            for _unit in units:
                time.perf_counter()  # every call of a site with fixes reads the clock

        took, without = [], []
        for _ in range(rounds):
            without.append(took_ns(bare))
            took.append(took_ns(loop))
            meter.shipment("proc_bench", at_exit=True)  # as the background thread does
        differences = [a - b for a, b in zip(took, without, strict=True)]
        figures[name] = {
            "min_ns": round(min(took) - min(without)),
            "median_ns": round(statistics.median(differences)),
        }
    return figures


def measure(rounds: int) -> dict[str, Any]:
    from prunella import heal

    site, site_async = heal(idempotent=True)(add), heal(idempotent=True)(add_async)
    site_flaky = heal(idempotent=True)(flaky)
    deadline = time.perf_counter() + 0.5
    while time.perf_counter() < deadline:
        calls_of(site)()
        awaits_of(site_async)()
    generous = {"ratio": 10, "burst": 10_000, "per_second": 1_000}
    retry = document("retry", "add", initial_delay_ms=0)
    fallback = document("fallback", "add", chain=[{"constant": 0}])
    parameter = document("parameter", "add", clamp={"b": {"max": 9}})
    acting = document("parameter", "add", clamp={"b": {"max": 1}})
    when = document("parameter", "add", set={"b": 1}, when={"a": {"range": {"min": 9}}})
    coerce = document("tool", "add", coerce={"a": "int"})
    at_most_one = {"check": {"range": {"max": 1}}, "on_fail": "clamp"}
    guard_input = document("guard", "add", stage="input", parameter="b", **at_most_one)
    guard = document("guard", "add", stage="output", check={"range": {"min": 0}})
    cases: dict[str, tuple[Loops, Change]] = {
        "no fix (another site has one)": (
            (calls_of(site), calls_of(site)),
            installed(document("retry", "add_async", initial_delay_ms=0)),
        ),
        "retry and fallback, no failure": (
            (calls_of(site), calls_of(site)),
            installed(retry, fallback),
        ),
        "retry, no failure, async": (
            (awaits_of(site_async), awaits_of(site_async)),
            installed(document("retry", "add_async", initial_delay_ms=0)),
        ),
        "parameter that changes nothing": (
            (calls_of(site), calls_of(site)),
            installed(parameter),
        ),
        "parameter whose condition fails": (
            (calls_of(site), calls_of(site)),
            installed(when),
        ),
        "parameter that changes each call": (
            (calls_of(site), calls_of(site)),
            installed(acting),
        ),
        "the same in a rollout, treatment": (
            (calls_of(site), calls_of(site)),
            in_rollout(acting, 1.0),
        ),
        "the same in a rollout, control": (
            (calls_of(site), calls_of(site)),
            in_rollout(acting, 0.0),
        ),
        "parameter that changes it, async": (
            (awaits_of(site_async), awaits_of(site_async)),
            installed(document("parameter", "add_async", clamp={"b": {"max": 1}})),
        ),
        "guard that puts an argument right": (
            (calls_of(site), calls_of(site)),
            installed(guard_input),
        ),
        "two that look, one changes it": (
            (calls_of(site), calls_of(site)),
            installed(acting, coerce),
        ),
        "guard of the result, passed": (
            (calls_of(site), calls_of(site)),
            installed(guard),
        ),
        "retry that heals one call in ten": (
            (failing_calls_of(site_flaky), failing_calls_of(site_flaky)),
            installed(
                document("retry", "flaky", initial_delay_ms=0, jitter=False, budget=generous)
            ),
        ),
    }
    own = {
        "parameter that changes nothing": own_work_of(parameter),
        "parameter whose condition fails": own_work_of(when),
        "parameter that changes each call": own_work_of(acting),
        "the same in a rollout, treatment": own_work_of(acting),
        "the same in a rollout, control": own_work_of(acting),
        "parameter that changes it, async": own_work_of(acting),
        "guard that puts an argument right": own_work_of(guard_input),
        "two that look, one changes it": own_work_of(acting, coerce),
        "guard of the result, passed": own_work_of(guard),
    }
    return {name: paired(*case, own.get(name), rounds) for name, case in cases.items()}


def classified(rounds: int) -> dict[str, dict[str, int]]:
    """Return what it takes to classify errors, which each fixed call that fails does once."""
    from prunella.taxonomy import classify

    malformed = ValueError("Expecting value: line 1 column 1 (char 0)")
    wrapped = RuntimeError("no rate")
    wrapped.__cause__ = ConnectionResetError(104, "Connection reset by peer")
    kinds = {"TimeoutError": TimeoutError("timed out"), "message": malformed, "cause": wrapped}
    figures = {}
    for name, error in kinds.items():

        def loop(error: BaseException = error) -> None:
            for _ in range(CALLS):
                classify(error, kind="tool")

        took = [took_ns(loop) for _ in range(rounds)]
        figures[name] = {"min_ns": round(min(took)), "median_ns": round(statistics.median(took))}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        os.environ["PRUNELLA_ROOT"] = root
        from prunella.sdk import runtime

        runtime.set_drain(None)
        figures = measure(options.rounds)
        errors = classified(options.rounds)
        exposures = metered(options.rounds)
    if options.json:
        print(json.dumps(figures | {"classify": errors, "exposure": exposures}))
        return
    titles = f"{'least':>8} {'median':>8} {'own work':>9} {'without':>9}"
    print(f"{'nanoseconds added to a call':36} {titles}")
    for name, row in figures.items():
        own = row.get("own_ns", "")
        print(f"{name:36} {row['min_ns']:8} {row['median_ns']:8} {own:>9} {row['without_ns']:9}")
    print()
    print(f"{'nanoseconds to classify an error':36} {'least':>8} {'median':>8}")
    for name, row in errors.items():
        print(f"{name:36} {row['min_ns']:8} {row['median_ns']:8}")
    print()
    print(f"{'nanoseconds to count an exposure':36} {'least':>8} {'median':>8}")
    for name, row in exposures.items():
        print(f"{name:36} {row['min_ns']:8} {row['median_ns']:8}")


if __name__ == "__main__":
    main()
