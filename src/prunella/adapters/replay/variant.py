"""One variant: imports the project with an overlay and runs every call in a process of its own."""

import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from prunella.adapters.replay import call as calls
from prunella.adapters.replay import overlay
from prunella.adapters.replay.job import CallJob, Job
from prunella.adapters.replay.target import Unreplayable, find

#: Longest line that tells an outcome.
MAX_LINE_BYTES = 16_000_000
#: After this many calls that died, the rest of a variant isn't run.
_MAX_DEATHS = 3


def run(job: Job, index: int, report: Callable[[bytes], None]) -> None:
    """Run every call of `job` on variant `index`; `report` gets one line an outcome, in order."""
    overlay.install(job.variants[index])
    targets: dict[str, Callable[..., Any] | str] = {}
    deaths = 0
    for number, call in enumerate(job.calls):
        if call.site not in targets:
            targets[call.site] = _find(job, call.site)
        target = targets[call.site]
        if isinstance(target, str):
            line = _line({"ending": "not_run", "reason": target})
        elif deaths >= _MAX_DEATHS:
            line = _line({"ending": "died", "reason": f"not run: {deaths} calls before it died"})
        else:
            line = _in_a_process(job, target, call)
            deaths += b'"ending":"died"' in line[:20]
        report(b"%d %s" % (number, line))


def _find(job: Job, site: str) -> Callable[..., Any] | str:
    try:
        return find(site, main_file=job.main_file, limit_s=job.import_s)
    except Unreplayable as error:
        return str(error)


def _line(outcome: dict[str, Any]) -> bytes:
    return json.dumps(outcome, separators=(",", ":")).encode() + b"\n"


def _in_a_process(job: Job, target: Callable[..., Any], call: CallJob) -> bytes:
    inlet, outlet = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _child(job, target, call, outlet)
    os.close(outlet)
    try:
        line = _read_line(inlet, time.monotonic() + job.call_s)
    finally:
        os.close(inlet)
        _kill_group(child)
    _, status = os.waitpid(child, 0)
    return line or _line({"ending": "died", "reason": _why(status, job.call_s)})


def _child(job: Job, target: Callable[..., Any], call: CallJob, outlet: int) -> None:
    try:
        os.setsid()
        limit = int(job.call_s) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
        line = _line(calls.run(target, call, job.tree))
        if len(line) > MAX_LINE_BYTES:
            line = _line({"ending": "not_run", "reason": f"its result has {len(line)} bytes"})
        write_all(outlet, line)
    finally:
        os._exit(0)


def write_all(target: int, data: bytes) -> None:
    """Write all of `data` to the file descriptor `target`."""
    while data:
        data = data[os.write(target, data) :]


def _read_line(inlet: int, deadline: float) -> bytes:
    """Return the line written to `inlet`; empty when it ends or the time is up before that."""
    parts: list[bytes] = []
    size = 0
    while (left := deadline - time.monotonic()) > 0 and size <= MAX_LINE_BYTES:
        if not select.select([inlet], [], [], left)[0]:
            break
        part = os.read(inlet, 1 << 20)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if part.endswith(b"\n"):
            line = b"".join(parts)
            return line if line.count(b"\n") == 1 else b""
    return b""


def _kill_group(child: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(child, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def _why(status: int, limit_s: float) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number in (signal.SIGKILL, signal.SIGXCPU):
            return f"it took longer than {limit_s:g} s"
        return f"its process was ended by {signal.Signals(number).name}"
    return f"its process ended with exit code {os.WEXITSTATUS(status)} and no result"
