"""Confines itself, then becomes another program: ``main([limits as JSON, program, argument, …])``."""

import json
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from prunella.adapters.replay_runner.confine import Confinement, confine


def main(arguments: Sequence[str]) -> NoReturn:
    """Apply the limits and execute the command; exits with 127 where it can't be executed."""
    limits, *command = arguments
    confine(Confinement(**json.loads(limits)))
    try:
        os.execvp(command[0], command)  # noqa: S606 - executing the given command is the job
    except OSError as error:
        sys.stderr.write(f"{command[0]} can't be executed: {error}\n")
        raise SystemExit(127) from None
