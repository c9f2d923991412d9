"""Isolation by Linux namespaces made here, for machines without ``bwrap``.

`main` is the program: it leaves for new mount, process, network, IPC and host-name namespaces (and
a user namespace, unless root started it), builds a root file system in memory with the given
folders bound into it, moves there, and runs the command. What isn't bound doesn't exist inside.
Needs Linux 5.12 or later, for `mount_setattr`.
"""

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from prunella.adapters.mounts import CONFIGURATION, SYSTEM

_NEWNS, _NEWUTS, _NEWIPC = 0x00020000, 0x04000000, 0x08000000
_NEWUSER, _NEWPID, _NEWNET = 0x10000000, 0x20000000, 0x40000000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
_MS_RDONLY, _MS_REMOUNT, _MNT_DETACH = 1, 32, 2
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID, _MOUNT_ATTR_NODEV = 0x1, 0x2, 0x4
_SYS_MOUNT_SETATTR = 442
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SIOCSIFFLAGS, _IFF_UP_LOOPBACK = 0x8914, 0x1 | 0x8
_DEVICES = ("null", "zero", "full", "random", "urandom")
_TMP_OPTIONS = b"mode=1777,size=256m"

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What the new world shows, and what runs in it."""

    readable: Sequence[str]
    writable: Sequence[str]
    home: str
    folder: str
    #: A folder of the old world that is used as a mount point while the new one is built.
    scratch: str
    #: Root started it: no user namespace is needed (the command gives its rights up by itself).
    root: bool
    command: Sequence[str]


def wrap(
    command: Sequence[str],
    readable: Iterable[str],
    writable: Iterable[str],
    *,
    home: str,
    folder: str,
    scratch: str,
    root: bool,
) -> list[str]:
    """Return `command` wrapped; `readable` and `writable` paths appear at the same places.

    `scratch` is an existing folder of the caller's, for the time that the sandbox runs.
    """
    plan = _Plan(
        readable=tuple(readable),
        writable=tuple(writable),
        home=home,
        folder=folder,
        scratch=scratch,
        root=root,
        command=tuple(command),
    )
    source = str(Path(__file__).resolve().parent.parent.parent)
    start = "import sys;sys.path.insert(0,sys.argv[1]);from prunella.adapters.namespaces import main;main(sys.argv[2])"
    return [sys.executable, "-B", "-P", "-s", "-c", start, source, json.dumps(asdict(plan))]


def main(text: str) -> None:
    """Run the plan; ends with the command's exit code, or 126 where no new world can be made."""
    plan = _Plan(**json.loads(text))
    try:
        _leave(plan)
    except OSError as error:
        sys.stderr.write(f"namespaces can't be made: {error}\n")
        raise SystemExit(126) from None
    first = os.fork()
    if first == 0:
        _first_process(plan)
    raise SystemExit(_exit_code(os.waitpid(first, 0)[1]))


def _leave(plan: _Plan) -> None:
    user, group = os.geteuid(), os.getegid()
    flags = _NEWNS | _NEWUTS | _NEWIPC | _NEWPID | _NEWNET
    _call("unshare", _libc.unshare(flags if plan.root else flags | _NEWUSER))
    if not plan.root:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _first_process(plan: _Plan) -> None:
    """Be the first process of the new world: build it, run the command, end with it."""
    try:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _build(plan)
        _raise_loopback()
        socket.sethostname("sandbox")
        _call("prctl", _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        command = os.fork()
        if command == 0:
            os.chdir(plan.folder)
            os.execvp(plan.command[0], list(plan.command))  # noqa: S606 - the given command is the job
        while True:
            ended, status = os.wait()
            if ended == command:
                os._exit(_exit_code(status))
    except OSError as error:
        sys.stderr.write(f"the sandbox can't be built: {error}\n")
        sys.stderr.flush()
    finally:
        os._exit(126)


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _build(plan: _Plan) -> None:
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    base = f"{plan.scratch}/root"
    Path(base).mkdir()
    _mount("tmpfs", base, "tmpfs", _MS_NOSUID | _MS_NODEV, b"mode=0755,size=16m")
    for path in SYSTEM:
        if Path(path).is_symlink():
            (Path(base) / path[1:]).symlink_to(Path(path).readlink())
        elif Path(path).exists():
            _bind(base, path, read_only=True)
    _make_devices(base)
    (Path(base) / "proc").mkdir()
    _mount("proc", f"{base}/proc", "proc", _MS_NOSUID | _MS_NODEV)
    _make_tmpfs(f"{base}/tmp")  # noqa: S108 - inside the sandbox
    Path(f"{base}{plan.home}").mkdir(parents=True)
    Path(f"{base}{plan.home}").chmod(0o777)
    for path in (*CONFIGURATION, *plan.readable):
        if Path(path).exists():
            _bind(base, path, read_only=True)
    for path in plan.writable:
        _bind(base, path, read_only=False)
    if not plan.root:
        # No namespaces inside: they are what most kernel faults are reached through.
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
    os.chdir(base)
    number = _SYS_PIVOT_ROOT[sysconfig.get_platform().rpartition("-")[2]]
    _call("pivot_root", _libc.syscall(number, b".", b"."))
    _call("umount2", _libc.umount2(b".", _MNT_DETACH))
    os.chdir("/")
    _mount(None, "/", None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)


def _make_devices(base: str) -> None:
    for name in _DEVICES:
        _bind(base, f"/dev/{name}", read_only=False)
    for name, number in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        Path(f"{base}/dev/{name}").symlink_to(f"/proc/self/fd{number}")
    _make_tmpfs(f"{base}/dev/shm")  # noqa: S108 - inside the sandbox


def _make_tmpfs(path: str) -> None:
    Path(path).mkdir()
    _mount("tmpfs", path, "tmpfs", _MS_NOSUID | _MS_NODEV, _TMP_OPTIONS)


def _bind(base: str, path: str, *, read_only: bool) -> None:
    target = Path(f"{base}{path}")
    if Path(path).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _mount(path, str(target), None, _MS_BIND | _MS_REC)
    attributes = _MOUNT_ATTR_NOSUID | (_MOUNT_ATTR_RDONLY if read_only else 0)
    if not path.startswith("/dev/"):
        attributes |= _MOUNT_ATTR_NODEV
    wanted = struct.pack("=QQQQ", attributes, 0, 0, 0)
    _call(
        f"mount_setattr of {path}",
        _libc.syscall(
            _SYS_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(target), _AT_RECURSIVE, wanted, len(wanted)
        ),
    )


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, options: bytes | None = None
) -> None:
    _call(
        f"mount of {target}",
        _libc.mount(
            None if source is None else os.fsencode(source),
            os.fsencode(target),
            None if kind is None else kind.encode(),
            ctypes.c_ulong(flags),
            options,
        ),
    )


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        fcntl.ioctl(channel, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP_LOOPBACK))


def _call(what: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
