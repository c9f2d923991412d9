"""Where a project and its ``.prunella`` folder are."""

import os
import sys
from pathlib import Path

#: Any of these makes a folder a project's root.
MARKERS = (".prunella", "pyproject.toml", "setup.py", "setup.cfg", ".git")


def find_root(start: Path | None = None) -> Path:
    """Return the root of the project that `start` (default: the working directory) lies in.

    ``PRUNELLA_ROOT`` decides where it is set. Otherwise the nearest folder upwards that has one of
    `MARKERS`; without any, the folder of the running script; without a script, `start` itself.
    """
    configured = os.environ.get("PRUNELLA_ROOT")
    if configured:
        return Path(configured).resolve()
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if any((folder / marker).exists() for marker in MARKERS):
            return folder
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if start is None and script is not None:
        return Path(script).resolve().parent
    return here


def data_folder(root: Path) -> Path:
    """Return the folder that store, spool and pull-request texts of `root` live in."""
    return root / ".prunella"
