"""What fixes do to running programs, from the first error on: ``make bench-live``.

Three processes call a local HTTP service in a project of their own, each some 60 times a second.
Then one of the service's answers begins to fail, and this is timed:

1. from the first error until a proposed retry has graduated by evidence, 5 -> 25 -> 50 -> 95 %;
2. from a promotion to the first healed call, and from a roll back to the last, in every process;
3. until two harmful fixes are gone by themselves, and what they broke meanwhile: one that makes
   every call fail, and one that makes every other call fail;
4. the way of 1 once more, while a healer is killed (SIGKILL) again and again, and one of the
   programs in the middle.

But for 2 nobody promotes anything: a person's part is to approve. Times hold for this load and machine.

    python benchmarks/live.py [--json] [--seconds N] [--rate N]
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

from prunella.model.rollouts import LIVE, Rollout, RolloutState
from prunella.wiring.healer import Healer

PROCESSES = 3
#: Share of its answers that the service refuses while it has a bad day.
REFUSED = 0.15
#: The same where moments are to be told apart, so that many calls are healed.
REFUSED_OFTEN = 0.5
#: Seconds of good weather before, in which calls show how long they take.
GOOD_S = 4.0
#: Seconds in which a fix that is taken back might still act.
AFTER_S = 3.0
#: Seconds that a part of this may take, if there is time.
PART_S = 75.0
HEALER = "from prunella import Healer\nwhile True:\n    with Healer() as healer:\n        healer.refresh()\n"
#: Seconds that each healer lives until it is killed.
LIVES_S = (0.4, 1.6)

Told = dict[str, Any]


class Service(BaseHTTPRequestHandler):
    """The service: refuses now and then, and what asks for too little."""

    protocol_version = "HTTP/1.1"
    refused = 0.0
    rng = random.Random(47)

    def do_GET(self) -> None:
        _, what, asked = self.path.split("/")
        refused = {
            "rate": self.rng.random() < self.refused,
            "quote": asked == "3",
            "search": asked == "3" and self.rng.random() < 0.5,
        }[what]
        body = b"{}"
        self.send_response(503 if refused else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_what: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, *_what: Any) -> None:
        """Say nothing: a program that was killed doesn't listen any more."""


@dataclass(slots=True)
class Call:
    """How a call of a program went, as its user saw it."""

    tool: str
    outcome: str
    began_s: float
    ended_s: float


@dataclass(slots=True)
class Program:
    """A process under load, and its calls so far."""

    process: "subprocess.Popen[str]"
    calls: deque[Call] = field(default_factory=deque)

    def listen(self) -> None:
        for line in self.process.stdout or ():
            tool, outcome, began, ended = line.split()
            self.calls.append(Call(tool, outcome, float(began), float(ended)))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Bench:
    """The project, its programs and the clock."""

    def __init__(self, root: Path, healer: Healer, programs: list[Program], until_s: float) -> None:
        self.root, self.healer, self.programs = root, healer, programs
        self.until_s = until_s
        self.began_s = time.monotonic()

    def say(self, text: str) -> None:
        """Write a line of progress."""
        print(f"{time.monotonic() - self.began_s:6.1f} s  {text}", file=sys.stderr, flush=True)

    def calls(self, tool: str, since_s: float, until_s: float = float("inf")) -> list[Call]:
        """Return the calls of a tool that ended in a span, of all programs."""
        found = [call for program in self.programs for call in program.calls.copy()]
        return [c for c in found if c.tool == tool and since_s <= c.ended_s < until_s]

    def failed(self, tool: str, since_s: float, until_s: float = float("inf")) -> list[Call]:
        return [c for c in self.calls(tool, since_s, until_s) if c.outcome == "failed"]

    def wait(self, found: Callable[[], Any], what: str, seconds: float = PART_S) -> Any:
        """Return what `found` returns as soon as it is true; raises `TimeoutError`."""
        end_s = min(time.monotonic() + seconds, self.until_s)
        while time.monotonic() < end_s:
            if result := found():
                return result
            time.sleep(0.05)
        raise TimeoutError(f"{what} didn't happen in time; say --seconds for more, or --rate")

    def rollout(self, rollout_id: str) -> Rollout:
        return next(r for r in self.healer.fixes.list() if r.rollout_id == rollout_id)

    def follow(self, rollout: Rollout, each: Callable[[Rollout], None] | None = None) -> Rollout:
        """Wait until a rollout isn't tested any more, and tell of its steps; return it then."""
        seen = -1.0

        def ended() -> Rollout | None:
            nonlocal seen
            found = self.rollout(rollout.rollout_id)
            if found.ratio != seen:
                seen = found.ratio
                self.say(f"{found.fix_id}: {found.state.value} at {found.ratio:.0%}")
            if each is not None:
                each(found)
            return found if found.state is not RolloutState.TESTING else None

        result = self.wait(ended, f"the end of {rollout.fix_id}")
        assert isinstance(result, Rollout)
        return result

    def steps(self, rollout: Rollout) -> Told:
        """Return the steps that were kept, and whether one follows from the other, once each."""
        kept = self.healer.store.audit(subject=rollout.rollout_id)
        by_evidence = [e for e in kept if e.action.startswith("rollout.")]
        moves = [e for e in by_evidence if e.evidence["ratio_before"] != e.evidence["ratio"]]
        ratios = [(e.evidence["ratio_before"], e.evidence["ratio"]) for e in moves]
        chained = all(a[1] == b[0] for a, b in pairwise(ratios))
        once = len({e.audit_id for e in kept}) == len(kept) and chained
        return {"steps": [e.action.partition(".")[2] for e in by_evidence], "each_once": once}


def retry(number: int) -> Told:
    """Return the retry that a person might write."""
    config = {"max_retries": 3, "initial_delay_ms": 10, "budget": {"ratio": 1.0}}
    return {
        "fix_id": f"retry-{number}",
        "fix_type": "retry",
        "target": {"sites": ["partners:rate"]},
        "config": config,
    }


def harmful(tool: str) -> Told:
    """Return a fix that lowers the limit which the service refuses then."""
    return {
        "fix_id": f"lower-{tool}",
        "fix_type": "parameter",
        "target": {"sites": [f"partners:{tool}"]},
        "config": {"clamp": {"limit": {"max": 3}}},
    }


def graduate(bench: Bench) -> tuple[Told, Rollout]:
    """Let the service have a bad day, and the programs heal."""
    Service.refused = REFUSED
    bad_s = time.monotonic()
    bench.wait(lambda: bench.failed("rate", bad_s), "an error")
    first_s = min(call.ended_s for call in bench.failed("rate", bad_s))
    bench.say("the first error")

    def suggested() -> Rollout | None:
        bench.healer.refresh()
        for incident in bench.healer.incidents():
            for each in bench.healer.fixes.suggest(incident.incident_id):
                if each.rollout is not None and each.rollout.document["fix_type"] == "retry":
                    return each.rollout
        return None

    rollout = bench.wait(suggested, "the proposal of a retry")
    proposed_s = time.monotonic()
    config = rollout.document["config"]
    bench.say(f"proposed with confidence {rollout.confidence:.2f}: {json.dumps(config)}")
    if rollout.state is RolloutState.CANDIDATE:
        rollout = bench.healer.fixes.approve(rollout.rollout_id, reason="the benchmark")
    rollout = bench.follow(rollout)
    graduated_s = time.monotonic()
    time.sleep(AFTER_S)
    # Until programs hear of it, and calls that began before have ended.
    heard_s = graduated_s + 1.0
    return {
        "state": rollout.state.value,
        "first_error_to_proposal_s": proposed_s - first_s,
        "first_error_to_graduated_s": graduated_s - first_s,
        "wait_s": rollout.baseline.wait_s if rollout.baseline else None,
        "calls_meanwhile": len(bench.calls("rate", bad_s, graduated_s)),
        "failed_meanwhile": len(bench.failed("rate", bad_s, graduated_s)),
        "calls_after": len(bench.calls("rate", heard_s)),
        "failed_after": len(bench.failed("rate", heard_s)),
    } | bench.steps(rollout), rollout


def steer(bench: Bench, rollout: Rollout) -> Told:
    """Put a retry in the graduated one's place by hand and take it back, where half the calls fail."""
    bench.healer.fixes.roll_back(rollout.rollout_id, reason="the benchmark")
    Service.refused = REFUSED_OFTEN
    time.sleep(AFTER_S)
    bench.healer.fixes.add(retry(1))
    promoted_s = time.monotonic()
    rollout = bench.healer.fixes.promote("retry-1", reason="the benchmark")
    time.sleep(AFTER_S)
    back_s = time.monotonic()
    bench.healer.fixes.roll_back(rollout.rollout_id, reason="the benchmark")
    took_s = time.monotonic() - back_s
    time.sleep(AFTER_S)
    first, last, last_ended = [], [], []
    for program in bench.programs:
        calls = [c for c in program.calls.copy() if c.outcome == "healed"]
        healed = [c for c in calls if c.began_s >= promoted_s]
        if not healed:
            raise TimeoutError("a process has healed nothing")
        first.append(min(c.ended_s for c in healed) - promoted_s)
        last.append(max(c.began_s for c in healed) - back_s)
        last_ended.append(max(c.ended_s for c in healed) - back_s)
    Service.refused = REFUSED
    bench.say("promoted and rolled back by hand")
    return {
        "promotion_to_first_healed_s": first,
        "roll_back_took_s": took_s,
        "roll_back_to_last_healed_s": last_ended,
        "which_had_begun_at_s": last,
    }


def harm(bench: Bench, tool: str) -> Told:
    """Approve a fix that does harm, and see it go."""
    bench.healer.fixes.add(harmful(tool))
    began_s = time.monotonic()
    rollout = bench.healer.fixes.approve(f"lower-{tool}", reason="the benchmark")
    rollout = bench.follow(rollout)
    ended_s = time.monotonic()
    time.sleep(1.0)
    return {
        "state": rollout.state.value,
        "because": rollout.reason,
        "approval_to_rolled_back_s": ended_s - began_s,
        "calls": len(bench.calls(tool, began_s, ended_s)),
        # Without the fix these calls don't fail at all.
        "extra_failures": len(bench.failed(tool, began_s)),
        "extra_failures_after": len(bench.failed(tool, ended_s + 0.5)),
    }


def survive(bench: Bench) -> Told:
    """Let a retry graduate while healers are killed, and a program after the first step."""
    bench.healer.fixes.add(retry(2))
    rollout = bench.healer.fixes.approve("retry-2", reason="the benchmark")
    killed = {"healers": 0, "programs": 0}
    rng = random.Random(47)
    over_s = time.monotonic()
    victim: list[subprocess.Popen[bytes]] = []

    def kill(found: Rollout) -> None:
        nonlocal over_s
        if time.monotonic() >= over_s:
            if victim:
                killed["healers"] += 1
            end(victim)
            victim.append(subprocess.Popen([sys.executable, "-c", HEALER], cwd=bench.root))
            over_s = time.monotonic() + rng.uniform(*LIVES_S)
        if found.ratio >= 0.25 and not killed["programs"]:
            bench.programs[0].kill()
            killed["programs"] = 1
            bench.say("killed a program")

    began_s = time.monotonic()
    try:
        rollout = bench.follow(rollout, kill)
    finally:
        end(victim)
    took_s = time.monotonic() - began_s
    bench.healer.refresh()
    left = [p for p in bench.programs if p.process.poll() is None]
    return {
        "state": rollout.state.value,
        "approval_to_end_s": took_s,
        "healers_killed": killed["healers"],
        "programs_killed": killed["programs"],
        "programs_left": len(left),
        "counts_refused": sum(bench.healer.store.health().refused.values()),
        "live_rollouts": len(bench.healer.fixes.list(states=LIVE)),
    } | bench.steps(rollout)


def end(processes: "list[subprocess.Popen[bytes]]") -> None:
    while processes:
        process = processes.pop()
        process.kill()
        process.wait()


@contextmanager
def running(rate: float, seconds: float) -> Iterator[Bench]:
    """Run the service and the programs in a folder of their own."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        (root / "pyproject.toml").write_text("")
        shutil.copy(Path(__file__).with_name("live_program.py"), root / "partners.py")
        server = stack.enter_context(Server(("127.0.0.1", 0), Service))
        Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        command = [sys.executable, "-c", "import partners; partners.main()"]
        command += [str(server.server_port), str(rate)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PRUNELLA_")}
        environment["PYTHONPATH"] = str(root)
        programs = []
        for _ in range(PROCESSES):
            program = Program(
                subprocess.Popen(
                    command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True
                )
            )
            stack.callback(program.kill)
            Thread(target=program.listen, daemon=True).start()
            programs.append(program)
        healer = stack.enter_context(Healer(root=root))
        yield Bench(root, healer, programs, time.monotonic() + seconds)


def measure(rate: float, seconds: float) -> Iterator[tuple[str, Told]]:
    """Yield each part with what it showed; a part that wasn't over in time says so."""
    with running(rate, seconds) as bench:
        bench.wait(lambda: all(p.calls for p in bench.programs), "the first calls")
        time.sleep(GOOD_S)
        rollout = None
        with suppressed() as why:
            found, rollout = graduate(bench)
            yield "retry", found
        if why:
            yield "retry", {"gave up": why[0]}
        if rollout is not None and rollout.state is RolloutState.GRADUATED:
            with suppressed() as why:
                yield "by hand", steer(bench, rollout)
            if why:
                yield "by hand", {"gave up": why[0]}
        for name, part in (
            ("every call fails", lambda: harm(bench, "quote")),
            ("every other call fails", lambda: harm(bench, "search")),
            ("kills", lambda: survive(bench)),
        ):
            with suppressed() as why:
                yield name, part()
            if why:
                yield name, {"gave up": why[0]}


@contextmanager
def suppressed() -> Iterator[list[str]]:
    """Keep the message of a `TimeoutError`, so that the other parts are measured."""
    why: list[str] = []
    with suppress(TimeoutError):
        try:
            yield why
        except TimeoutError as error:
            why.append(str(error))
            raise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=180.0, help="when to give up")
    parser.add_argument("--rate", type=float, default=60.0, help="calls a second of a process")
    options = parser.parse_args()
    figures = {}
    for name, found in measure(options.rate, options.seconds):
        figures[name] = found
        if not options.json:
            print(name)
            for key, value in found.items():
                print(f"    {key.replace('_', ' '):30} {shown(value)}", flush=True)
    if options.json:
        print(json.dumps(figures))


def shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(shown(each) for each in value)
    return f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
