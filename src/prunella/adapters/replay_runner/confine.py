"""Limits that a process in the sandbox puts on itself before anything of the project runs."""

import contextlib
import os
import resource
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """Limits of every process in a sandbox; 0 leaves one as it is."""

    #: Private writable data of one process. Mapped address space is limited to four times that.
    memory_bytes: int = 0
    #: Largest file that can be written.
    file_bytes: int = 0
    #: Processes and threads of the whole sandbox.
    processes: int = 0
    #: Processor time of one process.
    cpu_s: int = 0
    #: User and group to become, for a sandbox that root started.
    user_id: int = 0


def confine(limits: Confinement) -> None:
    """Apply `limits` to this process and all that it starts. Raises `OSError`."""
    if limits.user_id:
        os.setgroups([])
        os.setresgid(limits.user_id, limits.user_id, limits.user_id)
        os.setresuid(limits.user_id, limits.user_id, limits.user_id)
    _limit(resource.RLIMIT_CORE, 0)
    if limits.memory_bytes:
        _limit(resource.RLIMIT_DATA, limits.memory_bytes)
        _limit(resource.RLIMIT_AS, 4 * limits.memory_bytes)
    if limits.file_bytes:
        _limit(resource.RLIMIT_FSIZE, limits.file_bytes)
    if limits.processes:
        _limit(resource.RLIMIT_NPROC, limits.processes)
    if limits.cpu_s:
        _limit(resource.RLIMIT_CPU, limits.cpu_s)


def _limit(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(ValueError):
        resource.setrlimit(which, (value, value))
