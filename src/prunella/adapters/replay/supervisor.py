"""Runs the variants of a job, each in a process, and passes on what they report."""

import ctypes
import os
import select
import signal
import time
from collections import deque
from dataclasses import dataclass, field

from prunella.adapters.replay import variant
from prunella.adapters.replay.job import Job

_PR_SET_DUMPABLE = 4


@dataclass(slots=True, kw_only=True)
class _Run:
    """A variant that is running."""

    index: int
    process: int
    inlet: int
    deadline: float
    partial: bytearray = field(default_factory=bytearray)
    lines: int = 0


def supervise(job: Job, outlet: int) -> None:
    """Run every variant; write ``<variant> <call> <outcome as JSON>`` lines to `outlet`.

    What a variant's process reports counts for that variant only, however it words it; a variant
    that reports nothing for too long is ended.
    """
    # Keeps the processes of the variants from reaching this one's files under /proc.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    waiting = deque(range(len(job.variants)))
    running: dict[int, _Run] = {}
    while waiting or running:
        while waiting and len(running) < job.workers:
            started = _start(job, waiting.popleft(), outlet, running)
            running[started.inlet] = started
        for run in _ready(running):
            if not _forward(run, job, outlet):
                del running[run.inlet]
                _end(run)


def _start(job: Job, index: int, outlet: int, running: dict[int, _Run]) -> _Run:
    inlet, own_outlet = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.setpgid(0, 0)
            for other in (outlet, inlet, *running):
                os.close(other)
            variant.run(job, index, lambda line: variant.write_all(own_outlet, line))
        finally:
            os._exit(0)
    os.close(own_outlet)
    deadline = time.monotonic() + _patience_s(job) + job.import_s
    return _Run(index=index, process=process, inlet=inlet, deadline=deadline)


def _patience_s(job: Job) -> float:
    return job.call_s + job.import_s + 5.0


def _ready(running: dict[int, _Run]) -> list[_Run]:
    """Return the runs that reported something or whose time is up."""
    left = min(run.deadline for run in running.values()) - time.monotonic()
    readable, _, _ = select.select(list(running), [], [], max(0.0, left))
    now = time.monotonic()
    return [run for run in running.values() if run.inlet in readable or run.deadline <= now]


def _forward(run: _Run, job: Job, outlet: int) -> bool:
    """Pass on whole lines; false when the run is over."""
    if run.deadline <= time.monotonic():
        return False
    part = os.read(run.inlet, 1 << 20)
    if not part:
        return False
    run.partial += part
    *lines, rest = run.partial.split(b"\n")
    run.partial = bytearray(rest)
    for line in lines:
        run.lines += 1
        variant.write_all(outlet, b"%d %s\n" % (run.index, line))
        run.deadline = time.monotonic() + _patience_s(job)
    return run.lines < len(job.calls) and len(run.partial) <= variant.MAX_LINE_BYTES


def _end(run: _Run) -> None:
    os.close(run.inlet)
    for kill in (os.killpg, os.kill):
        try:
            kill(run.process, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
    os.waitpid(run.process, 0)
