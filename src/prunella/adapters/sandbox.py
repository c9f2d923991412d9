"""Runs a command so that it can't reach the network, the home folder, secrets or other processes.

Three levels. ``bubblewrap``: new namespaces made by ``bwrap``. ``namespaces``: the same, made by
this package itself, for machines without it. ``none``: only limits on time, memory and files; it
isolates nothing and is used only where the settings demand it by name.

A sandbox that root starts continues as an ordinary user without any privilege.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import IO, Any

from prunella.adapters import bubblewrap, mounts, namespaces
from prunella.adapters.replay_runner.confine import Confinement
from prunella.model.errors import SandboxUnavailable

#: Levels from the strongest to the weakest; ``auto`` never takes the last.
LEVELS = ("bubblewrap", "namespaces", "none")
#: The home folder inside; it is empty and vanishes with the sandbox.
HOME = "/tmp/home"  # noqa: S108 - inside the sandbox, on a file system of its own

_PROCESSES = 256
_START = "import sys;sys.path.insert(0,sys.argv[1]);from prunella.adapters.replay_runner.{0} import main;sys.path.pop(0);main(sys.argv[2:])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """One way to isolate commands; make it with `open_sandbox`."""

    level: str
    #: Limits of what runs inside.
    limits: Confinement

    @contextmanager
    def run_module(
        self,
        module: str,
        *,
        executable: str,
        arguments: Sequence[str],
        readable: Sequence[str] = (),
        writable: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
        folder: str = "",
        stdin: IO[bytes] | int = subprocess.DEVNULL,
        stdout: IO[bytes] | int = subprocess.DEVNULL,
        stderr: IO[bytes] | int = subprocess.DEVNULL,
        keep_open: Sequence[int] = (),
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """Run ``prunella.adapters.replay_runner.<module>.main([limits, *arguments])`` isolated.

        `executable` is the interpreter; it, the folders `readable` and `writable` appear inside at
        the same paths; `folder` (else an empty home) is where the command starts. When the block is
        left, everything that runs inside is ended. Raises
        `SandboxUnavailable` where the command can't be started.
        """
        with tempfile.TemporaryDirectory(prefix="prunella-") as private:
            library = Path(private, "lib")
            library.mkdir()
            (library / "prunella").symlink_to(mounts.own_package())
            limits = replace(self.limits, user_id=_ordinary_user() if self._drops_root else 0)
            if limits.user_id:
                for path in (private, str(library), *mounts.below(writable)):
                    os.chown(path, limits.user_id, limits.user_id, follow_symlinks=False)
            inner = [
                *(executable, "-B", "-P", "-s", "-c", _START.format(module), str(library)),
                *(json.dumps(asdict(limits)), *arguments),
            ]
            shown = (*mounts.interpreter_folders(executable), mounts.own_package(), str(library))
            readable = mounts.outermost((*shown, *readable))
            command = self._wrap(inner, readable, writable, folder or HOME, private)
            environment = {**_environment(), **(variables or {})}
            if self.level == "none":
                environment["HOME"] = environment["TMPDIR"] = private
                folder = folder or private
            try:
                process = subprocess.Popen(  # noqa: S603 - running commands is what a sandbox is for
                    command,
                    env=environment,
                    cwd=folder if self.level == "none" else None,
                    stdin=stdin,
                    stdout=stdout,
                    stderr=stderr,
                    pass_fds=keep_open,
                    start_new_session=True,
                )
            except OSError as error:
                raise SandboxUnavailable(f"{command[0]} can't be started: {error}") from error
            try:
                yield process
            finally:
                _end(process)

    @property
    def _drops_root(self) -> bool:
        return self.level != "none" and os.geteuid() == 0

    def _wrap(
        self,
        command: Sequence[str],
        readable: Sequence[str],
        writable: Sequence[str],
        folder: str,
        scratch: str,
    ) -> list[str]:
        common: dict[str, Any] = {"home": HOME, "folder": folder, "root": self._drops_root}
        if self.level == "bubblewrap":
            return bubblewrap.wrap(command, readable, writable, **common)
        if self.level == "namespaces":
            return namespaces.wrap(command, readable, writable, scratch=scratch, **common)
        return list(command)


def _ordinary_user() -> int:
    """Return a user id that no one is likely to have, so that limits count this sandbox alone."""
    return 50_000 + secrets.randbelow(10_000)


def _environment() -> dict[str, str]:
    """Return all the environment that a program inside sees."""
    kept = {name: os.environ[name] for name in ("TZ",) if name in os.environ}
    return {
        **kept,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": HOME,
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        # Thread pools of numeric libraries are of no use here, and forking with threads is unsafe.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process and all that it started (its process group; inside a sandbox, everything)."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def open_sandbox(setting: str, limits: Confinement) -> Sandbox:
    """Return a sandbox of the level that `setting` asks for; see `detect`."""
    if not limits.processes:
        limits = replace(limits, processes=_PROCESSES)
    return Sandbox(level=detect(setting), limits=limits)


def detect(setting: str) -> str:
    """Return the level to use for the setting ``auto`` or a level's name, after really trying it.

    Raises `SandboxUnavailable`, with what to do, where it doesn't work on this machine.
    """
    if setting == "none":
        return "none"
    problems = []
    for level in LEVELS[:2] if setting == "auto" else (setting,):
        problem = _try(level)
        if not problem:
            return level
        problems.append(f"{level}: {problem}")
    raise SandboxUnavailable(
        f"Nothing here can isolate a replay ({'; '.join(problems)}). Install bubblewrap (the "
        "command bwrap) and allow unprivileged user namespaces; or, if you trust the code and the "
        "recorded calls, run without isolation with the setting sandbox = none."
    )


@cache
def _try(level: str) -> str:
    """Return why `level` doesn't work here; empty when it does."""
    if level == "bubblewrap" and shutil.which("bwrap") is None:
        return "the command bwrap is not installed"
    probe: dict[str, Any] = {"executable": sys.executable, "arguments": ("/bin/true",)}
    sandbox = Sandbox(level=level, limits=Confinement(processes=_PROCESSES))
    try:
        with sandbox.run_module("launch", **probe, stderr=subprocess.PIPE) as process:
            _, output = process.communicate(timeout=20)
    except (SandboxUnavailable, subprocess.TimeoutExpired, OSError) as error:
        return str(error)
    if process.returncode:
        return output.decode(errors="replace").strip()[-300:] or f"exit code {process.returncode}"
    return ""
