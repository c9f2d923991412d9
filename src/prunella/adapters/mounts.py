"""Which folders of this machine a sandbox shows, all of them read-only."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

#: Without these no program starts; those that are links stay links.
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin", "/nix/store")
#: Of ``/etc``, what programs look up and nobody keeps secret.
CONFIGURATION = (
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)


def interpreter_folders(executable: str) -> tuple[str, ...]:
    """Return what has to be visible for `executable` to start: its environment and its base."""
    found = [executable]
    for prefix in _prefixes(executable):
        if not _is_private(prefix):
            found.append(prefix)
            continue
        # ~/bin/python: showing the prefix would show the home folder
        version = f"python{sys.version_info.major}.*"
        found += [str(path) for path in Path(prefix, "lib").glob(version)]
        found += [str(path) for path in Path(prefix, "lib").glob("libpython*")]
    return tuple(found)


def straight(executable: str) -> str:
    """Return the path of an interpreter without ``..``, which leads nowhere in a sandbox.

    ``../.venv/bin/python program.py`` is recorded with the folder that it was started from in front.
    The last part stays as it is: an environment's interpreter is a link out of it.
    """
    folder, name = os.path.split(executable)
    if ".." not in Path(folder).parts:
        return executable
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118 - as it came


def _prefixes(executable: str) -> Iterable[str]:
    real = os.path.realpath(executable)
    yield str(Path(real).parent.parent)
    environment = Path(executable).parent.parent
    settings = environment / "pyvenv.cfg"
    if settings.is_file():
        yield str(environment)
        for line in settings.read_text(errors="replace").splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "home" and value.strip():
                yield str(Path(value.strip()).parent)
                yield os.path.realpath(Path(value.strip()).parent)


def import_folders(sys_path: Sequence[str]) -> tuple[str, ...]:
    """Return the entries of `sys_path` that may be shown: never a home folder or what is above."""
    return tuple(
        entry
        for entry in sys_path
        if entry.startswith("/") and Path(entry).exists() and not _is_private(entry)
    )


def _is_private(folder: str) -> bool:
    """The folder is ``/``, the home folder, or above it: it may hold anything."""
    real = os.path.realpath(folder)
    home = os.path.realpath(Path.home())
    top = ("/", "/home", "/root", "/etc", "/var", "/tmp", "/run", "/srv", "/opt", "/mnt")  # noqa: S108 - compared, not written
    return real in top or home == real or home.startswith(real.rstrip("/") + "/")


def outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """Return `paths` sorted, without those below another one or below the system's folders."""
    kept: list[str] = []
    for path in sorted({os.path.normpath(path) for path in paths}):
        if not any(path == top or path.startswith(top + "/") for top in (*SYSTEM, *kept)):
            kept.append(path)
    return tuple(kept)


def below(folders: Iterable[str]) -> Iterable[str]:
    """Yield `folders` and everything below them."""
    for top in folders:
        yield top
        for folder, subfolders, files in os.walk(top):
            yield from (f"{folder}/{name}" for name in (*subfolders, *files))


def own_package() -> str:
    """Return the folder of this package, which the runner in the sandbox imports."""
    return str(Path(__file__).resolve().parent.parent)
