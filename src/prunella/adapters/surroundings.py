"""The environment variables that a recorded program's calls are replayed with."""

import os
import re
from collections.abc import Mapping

from prunella.model.records import SURROUNDINGS, Process

#: Values with which the interpreter starts; it refuses others, and then nothing would be replayed.
_VALID = {
    "PYTHONHASHSEED": re.compile(r"0|[1-9][0-9]{0,8}"),
    "PYTHONOPTIMIZE": re.compile(r"[12]"),
    "PYTHONUTF8": re.compile(r"[01]"),
}
_PLAIN = re.compile(r"[\w.,:@/+-]{1,100}")
#: What the C library takes for the zone where `TZ` is not set.
_SYSTEM_ZONE = ":/etc/localtime"


def replayed_variables(process: Process) -> Mapping[str, str]:
    """Return the variables as `process` recorded them: known names, and values that do no harm.

    A record is untrusted data: a variable that could make an interpreter load something is not
    among `SURROUNDINGS`, and a value that it would refuse is left out.
    """
    found = {
        name: value
        for name in SURROUNDINGS
        if (value := process.variables.get(name)) is not None
        and _VALID.get(name, _PLAIN).fullmatch(value)
    }
    if process.variables and "TZ" not in found and "TZ" in os.environ:
        found["TZ"] = _SYSTEM_ZONE  # the healer's own zone is not the program's
    return found
