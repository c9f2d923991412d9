"""Exit codes: the one table of what a command's exit code says to a script."""

import errno
from enum import IntEnum

from prunella.model.errors import (
    AmbiguousName,
    ConfigurationError,
    CoolingDown,
    FixError,
    InternalFault,
    NothingToHeal,
    PatchRefused,
    PrunellaError,
    SourceUnavailable,
    StepRefused,
    TokenRefused,
    UnknownName,
)


class ExitCode(IntEnum):
    """What the exit code of a ``prunella`` command says."""

    #: Done: what was asked for is there.
    DONE = 0
    #: It ran, and the answer is no: nothing was healed, a replay differs, a check of doctor failed.
    NEGATIVE = 1
    #: The command can't be meant: bad usage, an unknown or ambiguous name, an invalid setting.
    USAGE = 2
    #: The environment can't: no sandbox, no repository, a missing or corrupt store, no model.
    UNABLE = 3
    #: A fault in Prunella itself; the traceback is on stderr.
    INTERNAL = 70
    #: Stopped by Ctrl-C.
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.DONE: "done",
    ExitCode.NEGATIVE: "nothing was healed, a replay differs, or a check failed",
    ExitCode.USAGE: "bad usage, an unknown or ambiguous name, or an invalid setting",
    ExitCode.UNABLE: "the environment can't: no sandbox, no repository, no usable store or model",
    ExitCode.INTERNAL: "a fault in Prunella itself",
    ExitCode.INTERRUPTED: "stopped by Ctrl-C",
}
"""One sentence a code, for ``prunella --help`` and the docs."""

#: Numbers of `OSError`s that say what the machine refuses to anybody: no fault of Prunella's.
REFUSALS = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
    }
)

#: Errors that aren't the environment's fault; every other `PrunellaError` is `ExitCode.UNABLE`.
_BY_ERROR: tuple[tuple[type[PrunellaError], ExitCode], ...] = (
    (NothingToHeal, ExitCode.NEGATIVE),
    (CoolingDown, ExitCode.NEGATIVE),
    (SourceUnavailable, ExitCode.NEGATIVE),
    (StepRefused, ExitCode.NEGATIVE),
    (TokenRefused, ExitCode.NEGATIVE),
    (InternalFault, ExitCode.INTERNAL),
    (UnknownName, ExitCode.USAGE),
    (AmbiguousName, ExitCode.USAGE),
    (ConfigurationError, ExitCode.USAGE),
    (PatchRefused, ExitCode.USAGE),
    (FixError, ExitCode.USAGE),
)


def code_of(error: PrunellaError) -> ExitCode:
    """Return the exit code that a command ends with when `error` stops it."""
    for kind, code in _BY_ERROR:
        if isinstance(error, kind):
            return code
    return ExitCode.UNABLE
