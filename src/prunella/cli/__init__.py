"""The ``prunella`` command.

Importing this needs nothing beside the standard library, so that `main` can say what is missing.
"""

import sys

from prunella.cli.exit_codes import ExitCode
from prunella.model.errors import MissingExtra

#: What ``prunella[heal]`` installs: absent together, or broken.
_EXTRA_PACKAGES = frozenset({"click", "rich", "numpy"})


def main() -> None:
    """Run the command line and exit with one of `ExitCode`."""
    try:
        from prunella.cli.app import run

        code = run(sys.argv[1:])
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA_PACKAGES:
            raise
        missing = MissingExtra("heal", "The prunella command")
        sys.stderr.write(f"prunella: {missing}\n")
        code = ExitCode.UNABLE
    raise SystemExit(int(code))
