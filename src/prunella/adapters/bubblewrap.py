"""The command line of ``bwrap`` for a sandbox."""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from prunella.adapters.mounts import CONFIGURATION, SYSTEM

_TMP_BYTES = 256 * 1024 * 1024


def wrap(
    command: Sequence[str],
    readable: Iterable[str],
    writable: Iterable[str],
    *,
    home: str,
    folder: str,
    root: bool,
) -> list[str]:
    """Return `command` wrapped; `readable` and `writable` paths appear at the same places.

    With `root` (the caller is root) no user namespace is made: the command keeps the right to
    change its user, which it has to use at once (`Confinement.user_id`), and no other.
    """
    arguments = ["bwrap", "--die-with-parent", "--new-session"]
    if root:
        arguments += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
        arguments += ["--unshare-cgroup-try", "--cap-drop", "ALL"]
        arguments += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        arguments += ["--unshare-all", "--disable-userns", "--unshare-user"]
    arguments += ["--hostname", "sandbox", "--proc", "/proc", "--dev", "/dev"]
    for path in SYSTEM:
        arguments += _system(path)
    size = ["--size", str(_TMP_BYTES)]
    arguments += ["--perms", "1777", *size, "--tmpfs", "/tmp"]  # noqa: S108 - inside the sandbox
    arguments += ["--perms", "1777", *size, "--tmpfs", "/dev/shm"]  # noqa: S108 - inside the sandbox
    arguments += ["--perms", "1777", "--dir", home]
    for path in _ancestors((*CONFIGURATION, *readable, *writable)):
        arguments += ["--perms", "0755", "--dir", path]
    for path in CONFIGURATION:
        arguments += ["--ro-bind-try", path, path]
    for path in readable:
        arguments += ["--ro-bind", path, path]
    for path in writable:
        arguments += ["--bind", path, path]
    # The root of the new file system is a writable tmpfs until here.
    return [*arguments, "--remount-ro", "/", "--chdir", folder, "--", *command]


def _ancestors(paths: Iterable[str]) -> list[str]:
    """Return the folders above `paths`, which `bwrap` would make readable for root alone."""
    above = {str(folder) for path in paths for folder in PurePath(path).parents}
    return sorted(above - {"/", "/tmp", *SYSTEM})  # noqa: S108 - inside the sandbox


def _system(path: str) -> list[str]:
    if Path(path).is_symlink():
        return ["--symlink", str(Path(path).readlink()), path]
    return ["--ro-bind-try", path, path]
