"""Where a project and its ``.prunella`` folder are."""

import os
import sys
from pathlib import Path

#: Any of these makes a folder a project's root.
MARKERS = (".prunella", "pyproject.toml", "setup.py", "setup.cfg", ".git")


def find_root(start: Path | None = None) -> Path:
    """Return the root of the project that `start` (default: the working directory) lies in.

    ``PRUNELLA_ROOT`` decides where it is set. Otherwise the nearest folder upwards that has one of
    `MARKERS`; without any, and without `start`, the nearest such folder upwards of the running
    script, or the script's folder; without a script, where the search began.
    """
    configured = os.environ.get("PRUNELLA_ROOT")
    if configured:
        return Path(configured).resolve()
    script = _script_folder() if start is None else None
    try:
        here = (start or Path.cwd()).resolve()
    except FileNotFoundError:  # the working directory was removed
        if script is None:
            raise
        here = script
    found = _marked(here)
    if found is None and script is not None:
        found = _marked(script) or script
    return found or here


def _marked(start: Path) -> Path | None:
    for folder in (start, *start.parents):
        if any((folder / marker).exists() for marker in MARKERS):
            return folder
    return None


def _script_folder() -> Path | None:
    """Return the folder that the running program lies in: not a package's, nor within an archive."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    if file is None:
        return None
    folder = Path(file).resolve().parent
    package = getattr(main, "__package__", None) or ""  # of ``python -m package.module``
    for _ in filter(None, package.split(".")):
        folder = folder.parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def data_folder(root: Path) -> Path:
    """Return the folder that store, spool and pull-request texts of `root` live in."""
    return root / ".prunella"


#: A file of this name in a project's data folder switches everything off in its programs.
DISABLED = "disabled"
#: A file of this name in a project's data folder switches all its fixes off, one with a dash and a
#: fix's id behind it that one.
FIXES_OFF = "fixes-off"


def fixes_off_name(fix_id: str) -> str:
    """Return the name of the file that switches a fix off."""
    plain = fix_id.replace("%", "%25").replace("/", "%2F").replace("\0", "%00")
    return f"{FIXES_OFF}-{plain}"


def fix_of_name(name: str) -> str:
    """Return the id of the fix that a file of this name switches off; the inverse."""
    plain = name.removeprefix(f"{FIXES_OFF}-")
    return plain.replace("%00", "\0").replace("%2F", "/").replace("%25", "%")
