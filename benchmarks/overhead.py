"""What ``@heal`` adds to a call, and what others add: ``make bench-overhead``.

Each figure is paired: bare and decorated function alternate in one process, many rounds; a round's
difference is one sample. Printed are the least and the median difference. Peers are measured in
the same way, where they are installed, with nothing sent anywhere.

    python benchmarks/overhead.py [--json] [--rounds N] [--only PART]
"""

import argparse
import asyncio
import importlib.util
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Calls of the bare and of the decorated function that are compared at a time; few enough that
#: some rounds are over before the machine turns to something else.
CALLS = 500
FAILING_CALLS = 100
RECORDED_CALLS = 100
#: Calls of the first pass of the mixed load, and of those that are compared.
FIRST_CALLS = 100_000
MIXED_CALLS = 2_500

#: A call of the bare function, and of the decorated one.
Pair = tuple[Callable[[], Any], Callable[[], Any]]
Figures = dict[str, float]


def paired(
    bare: Callable[[], Any], decorated: Callable[[], Any], rounds: int, calls: int = CALLS
) -> Figures:
    """Return the least and the median nanoseconds that a call of `decorated` takes longer."""
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(_time(bare, calls))
        ours.append(_time(decorated, calls))
    return _compared(theirs, ours)


def _compared(theirs: list[float], ours: list[float]) -> Figures:
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    return {
        "min_ns": round(min(ours) - min(theirs), 1),
        "median_ns": round(statistics.median(differences), 1),
        "bare_ns": round(min(theirs), 1),
    }


def _time(loop: Callable[[], Any], calls: int) -> float:
    began = time.perf_counter_ns()
    loop()
    return (time.perf_counter_ns() - began) / calls


def _loop(function: Callable[..., Any], *arguments: Any) -> Callable[[], None]:
    a, b = arguments

    def loop() -> None:
        for _ in range(CALLS):
            function(a, b)

    return loop


def _failing_loop(function: Callable[..., Any]) -> Callable[[], None]:
    def loop() -> None:
        for _ in range(FAILING_CALLS):
            try:  # noqa: SIM105 - suppress() costs more than what is measured
                function(1, 0)
            except ZeroDivisionError:
                pass

    return loop


def _async_loop(function: Callable[..., Any]) -> Callable[[], None]:
    async def calls() -> None:
        for _ in range(CALLS):
            await function(1, 2)

    runner = asyncio.Runner()

    def loop() -> None:
        runner.run(calls())

    return loop


def add(a: int, b: int) -> int:
    return a


async def add_async(a: int, b: int) -> int:
    return a


def divide(a: int, b: int) -> float:
    return a / b


# --- prunella -----------------------------------------------------------------------------------


def hot(function: Callable[..., Any]) -> None:
    """Bring a site past its first samples and its allowance for watching."""
    deadline = time.perf_counter() + 0.5
    while time.perf_counter() < deadline:
        for _ in range(1000):
            function(1, 2)


def measure_success(rounds: int) -> Figures:
    from prunella import heal

    healed = heal(add)
    hot(healed)
    return paired(_loop(add, 1, 2), _loop(healed, 1, 2), rounds)


def measure_success_async(rounds: int) -> Figures:
    from prunella import heal

    healed = heal(add_async)
    loop = _async_loop(healed)
    for _ in range(200):
        loop()
    return paired(_async_loop(add_async), loop, rounds)


def measure_repeated_error(rounds: int) -> Figures:
    from prunella import heal

    healed = heal(divide)
    loop = _failing_loop(healed)
    for _ in range(5):
        loop()
    return paired(_failing_loop(divide), loop, rounds, FAILING_CALLS)


def measure_spread_error(rounds: int) -> Figures:
    """As `measure_repeated_error`, for failures that don't come in within a moment of each other."""
    from prunella.sdk import groups

    groups.SAME_US = 0  # none shares the text of the one before, as all do in a tight loop
    return measure_repeated_error(rounds)


def _singly(prepare: Callable[[], Pair], count: int) -> Figures:
    """Time single calls, each of its own; all are prepared before, since compilers fill caches."""
    pairs = [prepare() for _ in range(count)]
    theirs = [_time_one(bare) for bare, _ in pairs]
    ours = []
    for number, (_, decorated) in enumerate(pairs):
        if number % RECORDED_CALLS == 0:
            _write_waiting()
        ours.append(_time_one(decorated))
    return {
        "min_ns": min(ours) - min(theirs),
        "median_ns": statistics.median(ours) - statistics.median(theirs),
        "bare_ns": min(theirs),
    }


def _time_one(call: Callable[[], Any]) -> int:
    began = time.perf_counter_ns()
    try:  # noqa: SIM105 - suppress() costs more than what is measured
        call()
    except ZeroDivisionError:
        pass
    return time.perf_counter_ns() - began


def _write_waiting() -> int:
    """Write the records of successes, as the SDK's thread does; return how long it took in ns."""
    from prunella.sdk.runtime import active

    began_ns = time.thread_time_ns()
    active().journal.waiting.write()
    return time.thread_time_ns() - began_ns


_SAMPLED = """
def f(a, b, c, d, e, f, g, h, i, j):
    return a
"""
_FAILING = """
def f(order, quantity):
    discount = quantity / 10
    return price(order, quantity) * discount
def price(order, quantity):
    rate = order["rate"]
    return rate / (quantity - 1)
"""


def _sample_all(first: int) -> None:
    """Have every call recorded, so many of each function as one of its first."""
    from prunella.sdk.budget import Budget
    from prunella.sdk.runtime import active

    sampling = active().sampling
    sampling.samples = Budget(burst_ms=1e9, share=1.0)
    sampling.interval_ns = 0
    sampling.first = first


def measure_first_samples(count: int) -> Figures:
    """Second calls of new sites, each with ten small values and a result: written at once."""
    return measure_sampled(count, first=5)


def measure_sampled(count: int, first: int = 0) -> Figures:
    """As `measure_first_samples`, for samples that may wait to be written."""
    from prunella import heal

    _sample_all(first)

    def prepare() -> Pair:
        namespace: dict[str, Any] = {"__name__": "sampled"}
        exec(_SAMPLED, namespace)  # noqa: S102 - a new function each time
        bare, healed = namespace["f"], heal(namespace["f"])
        healed(1, "two", 3.0, None, True, [5], "six", 7, 8.5, "nine")  # describes the site
        return (
            lambda: bare(1, "two", 3.0, None, True, [5], "six", 7, 8.5, "nine"),
            lambda: healed(1, "two", 3.0, None, True, [5], "six", 7, 8.5, "nine"),
        )

    return _singly(prepare, count)


def measure_sampled_loop(rounds: int) -> Figures:
    """As `measure_sampled`, again and again by one function that records all its calls.

    ``later_ns`` is what the SDK's thread has to do for each of them afterwards.
    """
    from prunella import heal

    namespace: dict[str, Any] = {"__name__": "sampled"}
    exec(_SAMPLED, namespace)  # noqa: S102
    _sample_all(0)

    def loop(function: Callable[..., Any]) -> Callable[[], None]:
        def calls() -> None:
            for _ in range(RECORDED_CALLS):
                function(1, "two", 3.0, None, True, [5], "six", 7, 8.5, "nine")

        return calls

    bare, healed = loop(namespace["f"]), loop(heal(namespace["f"]))
    healed()
    theirs, ours, later = [], [], []
    for _ in range(rounds):
        theirs.append(_time(bare, RECORDED_CALLS))
        _write_waiting()
        ours.append(_time(healed, RECORDED_CALLS))
        later.append(_write_waiting() / RECORDED_CALLS)
    return {**_compared(theirs, ours), "later_ns": round(min(later), 1)}


def measure_sampled_large(count: int) -> Figures:
    """As `measure_sampled`, with a list of 1 MB."""
    return _measure_large(list(range(125_000)), count)


def measure_sampled_array(count: int) -> Figures:
    """As `measure_sampled`, with an array of 1 MB."""
    return _measure_large(array("d", [1.5]) * 125_000, count)


def measure_sampled_numpy(count: int) -> Figures:
    """As `measure_sampled`, with a numpy array of 1 MB."""
    import numpy

    return _measure_large(numpy.ones(125_000), count)


def _measure_large(large: Any, count: int) -> Figures:
    """Time calls that are given `large`, and in turns with them such as are given a number.

    ``times`` is how many times as long the former take: their least against the others' least.
    """
    from prunella import heal

    _sample_all(0)

    def prepare(first: Any) -> Pair:
        namespace: dict[str, Any] = {"__name__": "sampled"}
        exec(_SAMPLED, namespace)  # noqa: S102
        bare, healed = namespace["f"], heal(namespace["f"])
        healed(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
        return (
            lambda: bare(first, "two", 3.0, None, True, [5], "six", 7, 8.5, "nine"),
            lambda: healed(first, "two", 3.0, None, True, [5], "six", 7, 8.5, "nine"),
        )

    parts = [
        (_singly(lambda: prepare(large), 50), _singly(lambda: prepare(1), 50))
        for _ in range(count // 50)
    ]
    found = {name: min(each[name] for each, _ in parts) for name in ("min_ns", "bare_ns")}
    median = statistics.median(each["median_ns"] for each, _ in parts)
    times = found["min_ns"] / min(small["min_ns"] for _, small in parts)
    return {**found, "median_ns": median, "times": round(times, 2)}


def measure_first_error(count: int) -> Figures:
    """The first failure of new functions, written to the spool, two frames with locals."""
    from prunella import heal

    def prepare() -> Pair:
        path = Path(os.environ["PRUNELLA_ROOT"]) / "module.py"
        namespace: dict[str, Any] = {"__name__": "module"}
        exec(compile(_FAILING, str(path), "exec"), namespace)  # noqa: S102
        bare, healed = namespace["f"], heal(namespace["f"])
        healed({"rate": 3}, 5)  # describes the site
        return lambda: bare({"rate": 3}, 1), lambda: healed({"rate": 3}, 1)

    return _singly(prepare, count)


def measure_mixed(rounds: int) -> Figures:
    """50 sites, 0.8 % errors: nanoseconds added to a call on average.

    The first pass has the first records of all sites in it, and is given by itself.
    """
    from prunella import heal

    functions, healed = [], []
    for number in range(50):
        namespace: dict[str, Any] = {"__name__": f"mixed{number}"}
        exec("def f(a, b):\n    return a / b\n", namespace)  # noqa: S102
        functions.append(namespace["f"])
        healed.append(heal(namespace["f"]))

    def drive(chosen: list[Callable[..., Any]], calls: int) -> Callable[[], None]:
        def loop() -> None:
            for number in range(calls):
                function = chosen[number % 50]
                if number % 125 == 0:
                    try:  # noqa: SIM105 - suppress() costs more than what is measured
                        function(1, 0)
                    except ZeroDivisionError:
                        pass
                else:
                    function(1, 2)

        return loop

    bare, decorated = drive(functions, FIRST_CALLS), drive(healed, FIRST_CALLS)
    _time(bare, FIRST_CALLS)
    first = _time(decorated, FIRST_CALLS) - _time(bare, FIRST_CALLS)
    bare, decorated = drive(functions, MIXED_CALLS), drive(healed, MIXED_CALLS)
    return {"first_ns": round(first, 1), **paired(bare, decorated, rounds, MIXED_CALLS)}


def measure_import(_: int) -> Figures:
    """Time and memory of ``import prunella`` above a bare interpreter, with compiled files."""

    def run(code: str) -> tuple[float, int]:
        report = (
            "print(next(line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line))"
        )
        best, memory = float("inf"), 0
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        for _ in range(15):
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", f"{code}\n{report}"],
                check=True,
                capture_output=True,
                env=environment,
            )
            best = min(best, time.perf_counter() - began)
            memory = int(done.stdout)
        return best * 1e9, memory

    bare, bare_memory = run("pass")
    ours, our_memory = run("import prunella")
    return {"min_ns": round(ours - bare), "memory_kb": our_memory - bare_memory}


PARTS: dict[str, tuple[Callable[[int], Figures], int, str]] = {
    "success, not sampled, sync": (measure_success, 2000, "under 100 ns"),
    "success, not sampled, async": (measure_success_async, 1000, "under 200 ns"),
    "success, sampled, ten small values": (measure_sampled, 300, "under 10 µs"),
    "the same, in a loop": (measure_sampled_loop, 300, "under 10 µs"),
    "success, sampled, a list of 1 MB": (measure_sampled_large, 600, "twice a small one"),
    "success, sampled, an array of 1 MB": (measure_sampled_array, 600, "twice a small one"),
    "the same, of numpy": (measure_sampled_numpy, 600, "twice a small one"),
    "success, one of the first five": (measure_first_samples, 300, "under 10 µs"),
    "repeated error": (measure_repeated_error, 300, "under 5 µs"),
    "repeated error, none within 1 ms": (measure_spread_error, 300, "under 5 µs"),
    "first-seen error, durable": (measure_first_error, 300, "under 60 µs"),
    "import prunella": (measure_import, 1, "under 30 ms, 6 MB"),
    "mixed load, 50 sites, 0.8 % errors": (measure_mixed, 800, "under 120 ns"),
}


# --- peers --------------------------------------------------------------------------------------


def _sentry() -> tuple[Callable[..., Any], Callable[..., Any]]:
    import sentry_sdk

    sentry_sdk.init(dsn=None, traces_sample_rate=0.01)

    def failing(a: int, b: int) -> float:
        try:
            return divide(a, b)
        except ZeroDivisionError:
            sentry_sdk.capture_exception()
            raise

    return sentry_sdk.trace(add), failing


def _opentelemetry() -> tuple[Callable[..., Any], None]:
    from opentelemetry import trace

    return trace.get_tracer("bench").start_as_current_span("add")(add), None


def _logfire() -> tuple[Callable[..., Any], None]:
    import logfire

    logfire.configure(send_to_logfire=False, console=False)
    return logfire.instrument("add")(add), None


def _ddtrace() -> tuple[Callable[..., Any], None]:
    os.environ["DD_TRACE_ENABLED"] = "false"
    from ddtrace.trace import tracer

    return tracer.wrap()(add), None


def _tenacity() -> tuple[Callable[..., Any], None]:
    import tenacity

    return tenacity.retry(stop=tenacity.stop_after_attempt(1), reraise=True)(add), None


def _vectorwave() -> tuple[Callable[..., Any], None]:
    os.environ.setdefault("VECTORWAVE_MODE", "lite")  # its store in a folder, no server
    os.environ.setdefault("VECTORWAVE_LITE_PATH", tempfile.mkdtemp())
    from vectorwave import vectorize

    return vectorize(search_description="add", sequence_narrative="add")(add), None


def _logging() -> tuple[None, Callable[..., Any]]:
    logger = logging.getLogger("bench")
    logger.propagate = False
    logger.addHandler(logging.FileHandler(os.devnull))

    def failing(a: int, b: int) -> float:
        try:
            return divide(a, b)
        except ZeroDivisionError:
            logger.exception("failed")
            raise

    return None, failing


PEERS: dict[str, tuple[str, Callable[[], Any]]] = {
    "sentry-sdk": ("sentry_sdk", _sentry),
    "opentelemetry-api": ("opentelemetry", _opentelemetry),
    "logfire": ("logfire", _logfire),
    "ddtrace": ("ddtrace", _ddtrace),
    "tenacity": ("tenacity", _tenacity),
    "vectorwave": ("vectorwave", _vectorwave),
    "logging.exception": ("logging", _logging),
}


def measure_peer(name: str, rounds: int) -> dict[str, Any]:
    """Return the figures of one peer, or why there are none."""
    module, make = PEERS[name]
    if importlib.util.find_spec(module) is None:
        return {"missing": f"{module} is not installed"}
    try:
        success, failing = make()
        found: dict[str, Any] = {}
        if success is not None:
            found["success"] = paired(_loop(add, 1, 2), _loop(success, 1, 2), rounds)
        if failing is not None:
            found["error"] = paired(
                _failing_loop(divide), _failing_loop(failing), rounds, FAILING_CALLS
            )
    except Exception as error:  # noqa: BLE001 - a peer that doesn't run is reported, not fatal
        return {"missing": f"{type(error).__name__}: {error}"[:200]}
    return found


# --- command ------------------------------------------------------------------------------------


def _in_own_process(arguments: list[str]) -> Any:
    with tempfile.TemporaryDirectory() as root:
        environment = {**os.environ, "PRUNELLA_ROOT": root}
        done = subprocess.run(
            [sys.executable, __file__, "--json", *arguments],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
    if done.returncode:
        return {"missing": done.stderr.strip().splitlines()[-1:]}
    return json.loads(done.stdout.splitlines()[-1])


def _text(nanoseconds: float | None) -> str:
    if nanoseconds is None:
        return "–"
    if nanoseconds < 1_000:
        return f"{nanoseconds:.0f} ns"
    if nanoseconds < 1_000_000:
        return f"{nanoseconds / 1e3:.1f} µs"
    return f"{nanoseconds / 1e6:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--only", help="measure one part or peer, in this process")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    if options.only:
        if options.only in PEERS:
            print(json.dumps(measure_peer(options.only, 50)))
        else:
            from prunella.sdk.runtime import set_drain

            set_drain(None)
            measure, rounds, _ = PARTS[options.only]
            print(json.dumps(measure(rounds)))
        return
    found = {name: _in_own_process(["--only", name]) for name in PARTS}
    peers = {} if options.no_peers else {n: _in_own_process(["--only", n]) for n in PEERS}
    if options.json:
        print(json.dumps({"prunella": found, "peers": peers}))
        return
    print(f"{'prunella, added to a bare call':40} {'min':>10} {'median':>10} {'bare':>10}  target")
    for name, figures in found.items():
        target = PARTS[name][2]
        extra = f", {figures['memory_kb']} KB" if "memory_kb" in figures else ""
        extra += f", {_text(figures['later_ns'])} later" if "later_ns" in figures else ""
        extra += f": {figures['times']} times" if "times" in figures else ""
        extra += f", first pass {_text(figures['first_ns'])}" if "first_ns" in figures else ""
        low, median = _text(figures.get("min_ns")), _text(figures.get("median_ns"))
        bare = _text(figures.get("bare_ns"))
        line = f"{name:40} {low:>10} {median:>10} {bare:>10}  {target}{extra}"
        print(line, figures.get("missing", ""))
    for name, figures in peers.items():
        for part in ("success", "error"):
            if part in figures:
                low, median = _text(figures[part]["min_ns"]), _text(figures[part]["median_ns"])
                print(f"{name + ', ' + part:40} {low:>10} {median:>10}")
        if "missing" in figures:
            print(f"{name:40} {figures['missing']}")


if __name__ == "__main__":
    main()
