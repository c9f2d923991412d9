"""Runs a project's tests inside the sandbox: watched, or again and again with variants.

``main([limits as JSON, outlet])`` reads a `TrialJob` from standard input and writes one line of JSON
for each test, or for each variant.
"""

import contextlib
import gc
import importlib.util
import json
import os
import select
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import FrameType, ModuleType
from typing import Any

from prunella.adapters.replay_runner import frames, swapping
from prunella.adapters.replay_runner.confine import Confinement, confine
from prunella.adapters.replay_runner.trial_job import TrialJob, VariantJob, read
from prunella.adapters.replay_runner.variant import write_all
from prunella.adapters.replay_runner.watching import Watch
from prunella.codec import encode_mapping
from prunella.codec.plain import to_plain

#: Waiting counts too, at this much more than computing.
_WAIT_FACTOR = 10.0
#: Watched tests get at least this much processor time.
_LEAST_LIMIT_S = 0.5
#: Calls of one function whose inputs are kept.
_MAX_INPUTS = 60


def main(arguments: Sequence[str]) -> None:
    """Run the job that stands on standard input; ``arguments`` are limits as JSON and the outlet."""
    limits, outlet = arguments
    confine(Confinement(**json.loads(limits)))
    job = read(json.loads(sys.stdin.buffer.read()))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    sys.path[:0] = job.sys_path
    sys.argv[:] = ["pytest"]
    os.chdir(job.tree)
    report = _reporter(int(outlet))
    try:
        import pytest
    except ImportError as error:
        report({"problem": f"the program's interpreter has no pytest: {error}"})
        return
    plugin = _Session(job, report, pytest)
    code = pytest.main(_arguments(job, serial=True), plugins=[plugin])
    if code == pytest.ExitCode.USAGE_ERROR:  # xdist is there, and this project doesn't load it
        code = pytest.main(_arguments(job, serial=False), plugins=[plugin])
    if not plugin.ran:
        report({"problem": plugin.problem or f"pytest ended with code {int(code)}"})


def _arguments(job: TrialJob, *, serial: bool) -> list[str]:
    alone = ["-n0"] if serial and importlib.util.find_spec("xdist") else []
    quiet = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--continue-on-collection-errors")
    return [*quiet, *alone, f"--rootdir={job.tree}", *job.selection]


def _reporter(outlet: int) -> Callable[[dict[str, Any]], None]:
    def report(line: dict[str, Any]) -> None:
        write_all(outlet, json.dumps(line, separators=(",", ":")).encode() + b"\n")

    return report


class _EndsTrial(BaseException):
    """A test failed with a variant; no more needs to be known."""


class _Session:
    """A pytest plugin that runs the collected tests its own way."""

    def __init__(
        self, job: TrialJob, report: Callable[[dict[str, Any]], None], pytest: ModuleType
    ) -> None:
        self._job = job
        self._report = report
        self._late: type[BaseException] = pytest.fail.Exception
        self._skip: type[BaseException] = pytest.skip.Exception
        self._in_trial = False
        self._watch = Watch(job.tree)
        self._outcome = ""
        self._error: BaseException | None = None
        self._limit_s = job.test_s
        self._functions: dict[tuple[str, str, int], list[Any]] = {}
        self._slowest_s = 0.0
        self.ran = False
        self.problem = ""

    # --- pytest's hooks

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.problem = f"{report.nodeid} can't be collected: {report.longreprtext}"[-1500:]

    def pytest_runtest_logreport(self, report: Any) -> None:
        order = ("", "passed", "skipped", "failed")
        self._outcome = max(self._outcome, report.outcome, key=order.index)

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        if call.excinfo is None:
            return
        if self._in_trial and not call.excinfo.errisinstance(self._skip):
            raise _EndsTrial  # a report of it would cost more than the test
        if self._error is None:
            self._error = call.excinfo.value

    def pytest_runtestloop(self, session: Any) -> bool:
        self.ran = True
        items = session.items
        if self._job.tests:  # in the order they were asked for
            collected = {item.nodeid: item for item in session.items}
            items = [collected[name] for name in self._job.tests if name in collected]
        if self._job.variants:
            for variant in self._job.variants:
                self._live(variant)
            gc.disable()  # a collection in a fork would copy most of its memory
            gc.freeze()
            _Trials(self._job, self._report, lambda index: self._try(index, items)).run()
        elif self._job.record is not None:
            self._record(items)
        else:
            for item, following in _with_next(items):
                self._observe(item, following)
            if self.problem:
                self._report({"problem": self.problem})
        return True

    # --- what is done with the tests

    def _run(self, item: Any, following: Any) -> str:
        """Run one test; return its outcome."""
        self._outcome, self._error = "", None
        try:
            with _time_limit(self._limit_s, self._late):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        except (
            self._late,
            _EndsTrial,
        ):  # the time was up outside of the test itself, or enough seen
            return "failed"
        return self._outcome

    def _observe(self, item: Any, following: Any) -> None:
        self._report({"begins": item.nodeid})
        started = time.process_time_ns()
        with self._watch.on() if self._job.watched else contextlib.nullcontext():
            outcome = self._run(item, following)
        took_ns = time.process_time_ns() - started
        late = outcome == "failed" and took_ns / 1e9 >= 0.9 * self._limit_s
        self._adapt_limit(outcome, took_ns / 1e9, late=late)
        line: dict[str, Any] = {
            "test": item.nodeid,
            "outcome": outcome or "skipped",
            "duration_us": took_ns // 1000,
            "lines": self._watch.lines(),
            "late": late,
        }
        if outcome == "failed" and self._error is not None:
            line["exception"] = to_plain(frames.describe(self._error, self._job.tree))
        self._report(line)

    def _adapt_limit(self, outcome: str, took_s: float, *, late: bool) -> None:
        """Give endless tests less and less time, but several times what good ones need."""
        if outcome == "passed":
            self._slowest_s = max(self._slowest_s, took_s)
        elif late:
            self._limit_s = max(self._limit_s / 2, 5 * self._slowest_s, _LEAST_LIMIT_S)

    def _try(self, index: int, items: Sequence[Any]) -> dict[str, Any]:
        variant = self._job.variants[index]
        found = self._live(variant)
        if not found:
            return {"ending": "not_run", "detail": "no function of that name is loaded"}
        try:
            swapping.swap(found, variant.qualname, variant.text, self._file(variant))
        except swapping.NotSwappable as error:
            return {"ending": "not_run", "detail": str(error)}
        self._in_trial = True
        for item, following in _with_next(items):
            if self._run(item, following) != "passed":
                return {"ending": "failed", "detail": item.nodeid}
        return {"ending": "passed", "detail": ""}

    def _live(self, variant: VariantJob) -> list[Any]:
        key = (self._file(variant), variant.qualname, variant.first_line)
        if key not in self._functions:
            self._functions[key] = swapping.live_functions(*key)
        return self._functions[key]

    def _file(self, variant: VariantJob) -> str:
        return f"{self._job.tree}/{variant.path}"

    def _record(self, items: Sequence[Any]) -> None:
        record = self._job.record
        codes = {item.__code__ for item in self._live(record)} if record else set()
        kept = 0

        def enter(frame: FrameType, _event: str, _argument: Any) -> None:
            nonlocal kept
            code = frame.f_code
            if code not in codes or kept >= _MAX_INPUTS:
                return
            count = code.co_argcount + code.co_kwonlyargcount
            names = code.co_varnames[:count]
            values = {name: frame.f_locals[name] for name in names if name in frame.f_locals}
            encoded = encode_mapping(values)
            if encoded.complete:
                kept += 1
                self._report({"inputs": encoded.tree})

        for item, following in _with_next(items):
            sys.settrace(enter)
            try:
                self._run(item, following)
            finally:
                sys.settrace(None)


class _Trials:
    """Runs variants, each in a fork of this process, in which everything is imported already."""

    def __init__(
        self,
        job: TrialJob,
        report: Callable[[dict[str, Any]], None],
        attempt: Callable[[int], dict[str, Any]],
    ) -> None:
        self._job = job
        self._report = report
        self._attempt = attempt

    def run(self) -> None:
        """Report ``variant``, ``ending`` and ``detail`` of each until the time is up."""
        deadline = time.monotonic() + self._job.budget_s
        waiting = deque(range(len(self._job.variants)))
        passed, least_chance = 0, 0.0
        while waiting and time.monotonic() < deadline and passed < self._job.enough:
            index = waiting.popleft()
            chance = self._job.variants[index].chance
            if chance < least_chance:
                break
            outcome = self._in_fork(index)
            if outcome["ending"] == "passed":
                passed += 1
                least_chance = least_chance or chance * self._job.least_ratio
            self._report({"variant": index, **outcome})

    def _in_fork(self, index: int) -> dict[str, Any]:
        inlet, outlet = os.pipe()
        process = os.fork()
        if process == 0:
            try:
                os.setsid()
                os.close(inlet)
                write_all(outlet, json.dumps(self._attempt(index)).encode())
            finally:
                os._exit(0)
        os.close(outlet)
        wait_s = self._job.test_s * _WAIT_FACTOR + 5.0
        answer = _read_within(inlet, wait_s)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        try:
            outcome = json.loads(answer)
            return {"ending": str(outcome["ending"]), "detail": str(outcome["detail"])[:500]}
        except (ValueError, KeyError, TypeError):
            return {"ending": "failed", "detail": "it took its process down, or too long"}


def _read_within(inlet: int, wait_s: float) -> bytes:
    deadline = time.monotonic() + wait_s
    answer = b""
    try:
        while (left := deadline - time.monotonic()) > 0 and select.select([inlet], [], [], left)[0]:
            part = os.read(inlet, 1 << 16)
            if not part:
                return answer
            answer += part
        return b""
    finally:
        os.close(inlet)


def _with_next(items: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    for number, item in enumerate(items):
        yield item, items[number + 1] if number + 1 < len(items) else None


@contextlib.contextmanager
def _time_limit(limit_s: float, late: type[BaseException]) -> Iterator[None]:
    """Raise `late` inside the block where it computes longer than `limit_s`, or waits much longer."""

    def expire(_number: int, _frame: Any) -> None:
        raise late(f"the test took longer than {limit_s:g} s")

    signal.signal(signal.SIGPROF, expire)
    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    signal.setitimer(signal.ITIMER_REAL, limit_s * _WAIT_FACTOR)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
