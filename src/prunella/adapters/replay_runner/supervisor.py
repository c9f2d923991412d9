"""Runs the variants of a job, each in a process, and passes on what they report."""

import contextlib
import ctypes
import os
import select
import signal
import time
from collections import deque
from dataclasses import dataclass, field

from prunella.adapters.replay_runner import variant
from prunella.adapters.replay_runner.job import Job

_PR_SET_DUMPABLE = 4
#: After this many calls that died, the rest of a variant isn't run.
_MAX_DEATHS = 3
#: A process that has closed its report may take this long to end.
_GRACE_S = 0.5


@dataclass(slots=True, kw_only=True)
class _Run:
    """A variant whose calls are running."""

    index: int
    process: int
    inlet: int
    #: Number of the call whose outcome comes next.
    next_call: int
    deaths: int
    deadline: float
    partial: bytearray = field(default_factory=bytearray)
    ready: bool = False


def supervise(job: Job, outlet: int) -> None:
    """Run every variant; write ``<variant> <call> <outcome as JSON>`` lines to `outlet`.

    What a variant's process reports counts for that variant's next call only, however it words it.
    A call that takes too long or takes its process down is reported so, and the calls behind it run
    in a fresh process.
    """
    # Keeps the processes of the variants from reaching this one's files under /proc.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    waiting = deque((index, 0, 0) for index in range(len(job.variants)))
    running: dict[int, _Run] = {}
    while waiting or running:
        while waiting and len(running) < job.workers:
            run = _start(job, *waiting.popleft(), (outlet, *running))
            running[run.inlet] = run
        for run in _due(running):
            if _forward(run, job, outlet):
                continue
            del running[run.inlet]
            _finish(run, job, outlet)
            if run.next_call < len(job.calls):
                waiting.appendleft((run.index, run.next_call, run.deaths))


def _start(job: Job, index: int, first: int, deaths: int, private: tuple[int, ...]) -> _Run:
    inlet, own_outlet = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.setsid()
            for descriptor in (*private, inlet):
                os.close(descriptor)
            variant.run(job, index, first, lambda line: variant.write_all(own_outlet, line))
        finally:
            os._exit(0)
    os.close(own_outlet)
    deadline = time.monotonic() + job.import_s + 5.0
    return _Run(
        index=index,
        process=process,
        inlet=inlet,
        next_call=first,
        deaths=deaths,
        deadline=deadline,
    )


def _due(running: dict[int, _Run]) -> list[_Run]:
    """Return the runs that reported something or whose time is up."""
    left = min(run.deadline for run in running.values()) - time.monotonic()
    readable, _, _ = select.select(list(running), [], [], max(0.0, left))
    now = time.monotonic()
    return [run for run in running.values() if run.inlet in readable or run.deadline <= now]


def _forward(run: _Run, job: Job, outlet: int) -> bool:
    """Pass on whole lines; false when no more can come."""
    if run.deadline <= time.monotonic():
        return False
    part = os.read(run.inlet, 1 << 20)
    run.partial += part
    while (end := run.partial.find(b"\n")) >= 0 and run.next_call < len(job.calls):
        line = bytes(run.partial[:end])
        del run.partial[: end + 1]
        run.deadline = time.monotonic() + job.call_s
        if not run.ready:
            run.ready = True
            continue
        variant.write_all(outlet, b"%d %d %s\n" % (run.index, run.next_call, line))
        run.next_call += 1
    return bool(part) and run.next_call < len(job.calls) and _bounded(run)


def _bounded(run: _Run) -> bool:
    return len(run.partial) <= variant.MAX_LINE_BYTES


def _finish(run: _Run, job: Job, outlet: int) -> None:
    """End the run's process; where calls are missing, report the one that was its end."""
    late = run.deadline <= time.monotonic()
    os.close(run.inlet)
    status = _reap(run.process, 0.0 if late or run.next_call >= len(job.calls) else _GRACE_S)
    if run.next_call >= len(job.calls):
        return
    reason = _why(status, job, late=late, ready=run.ready)
    run.deaths += 1
    last = len(job.calls) if run.deaths >= _MAX_DEATHS or not run.ready else run.next_call + 1
    for number in range(run.next_call, last):
        line = variant.outcome_line({"ending": "died", "reason": reason})
        variant.write_all(outlet, b"%d %d %s" % (run.index, number, line))
        reason = f"not run: {run.deaths} calls before it died" if run.ready else reason
    run.next_call = last


def _reap(process: int, grace_s: float) -> int:
    """Return the exit status of `process`, which is killed if it lives on for `grace_s` seconds."""
    patience = time.monotonic() + grace_s
    ended, status = os.waitpid(process, os.WNOHANG)
    while not ended and time.monotonic() < patience:
        time.sleep(0.002)
        ended, status = os.waitpid(process, os.WNOHANG)
    for kill in (os.killpg, os.kill):  # the group first: it may outlive its leader
        if kill is os.killpg or not ended:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(process, signal.SIGKILL)
    if not ended:
        _, status = os.waitpid(process, 0)
    return status


def _why(status: int, job: Job, *, late: bool, ready: bool) -> str:
    what = "it" if ready else "importing its module"
    if late:
        return f"{what} took longer than {job.call_s if ready else job.import_s:g} s"
    if os.WIFSIGNALED(status):
        return f"{what} ended its process by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"{what} ended its process with exit code {os.WEXITSTATUS(status)}"
