"""One variant: imports the project with an overlay and runs the calls one after another."""

import contextlib
import json
import os
from collections.abc import Callable
from typing import Any

from prunella.adapters.replay_runner import call as calls
from prunella.adapters.replay_runner import overlay
from prunella.adapters.replay_runner.job import Job
from prunella.adapters.replay_runner.target import Unreplayable, find, load_main

#: Longest line that tells an outcome.
MAX_LINE_BYTES = 16_000_000
#: Reported when the project is imported and the calls begin.
READY = b"ready"


def run(job: Job, index: int, first: int, report: Callable[[bytes], None]) -> None:
    """Run the calls of `job` from number `first` on with the overlay of variant `index`.

    `report` gets `READY`, then one line an outcome, in order.
    """
    overlay.install(job.variants[index])
    _load_main_script(job)
    targets = {site: _find(job, site) for site in dict.fromkeys(call.site for call in job.calls)}
    report(READY + b"\n")
    for call in job.calls[first:]:
        target = targets[call.site]
        if isinstance(target, str):
            line = outcome_line({"ending": "not_run", "reason": target})
        else:
            line = outcome_line(calls.run(target, call, job.tree))
        if len(line) > MAX_LINE_BYTES:
            reason = f"its result takes {len(line)} bytes"
            line = outcome_line({"ending": "not_run", "reason": reason})
        report(line)


def _load_main_script(job: Job) -> None:
    """Import the main script where inputs or answers hold instances of its classes."""
    if any('"__main__:' in json.dumps([call.inputs, call.answers]) for call in job.calls):
        with contextlib.suppress(Unreplayable):  # decoding says what is missing then
            load_main(job.main_file)


def _find(job: Job, site: str) -> Callable[..., Any] | str:
    try:
        return find(site, main_file=job.main_file, limit_s=job.import_s)
    except Unreplayable as error:
        return str(error)


def outcome_line(outcome: dict[str, Any]) -> bytes:
    """Return an outcome (fields of `ReplayOutcome`) as one line of JSON."""
    return json.dumps(outcome, separators=(",", ":")).encode() + b"\n"


def write_all(target: int, data: bytes) -> None:
    """Write all of `data` to the file descriptor `target`."""
    while data:
        data = data[os.write(target, data) :]
