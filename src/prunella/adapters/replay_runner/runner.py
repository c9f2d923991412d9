"""Entry point of the program in the sandbox."""

import json
import os
import sys
from collections.abc import Sequence

from prunella.adapters.replay_runner import job as jobs
from prunella.adapters.replay_runner.confine import Confinement, confine
from prunella.adapters.replay_runner.supervisor import supervise


def main(arguments: Sequence[str]) -> None:
    """Read a job from standard input, run it; ``arguments`` are limits as JSON and the outlet."""
    limits, outlet = arguments
    confine(Confinement(**json.loads(limits)))
    job = jobs.read(json.loads(sys.stdin.buffer.read()))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.path[:] = job.sys_path
    sys.argv[:] = job.argv or ("",)
    os.chdir(job.tree)
    supervise(job, int(outlet))
