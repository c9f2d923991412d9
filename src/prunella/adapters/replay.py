"""Replays recorded calls in a sandbox: the healer's side of `prunella.adapters.replay_runner`."""

import json
import os
import select
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from typing import Any

from prunella.adapters import mounts
from prunella.adapters.replay_runner import job as jobs
from prunella.adapters.replay_runner.confine import Confinement
from prunella.adapters.sandbox import open_sandbox
from prunella.adapters.surroundings import replayed_variables
from prunella.codec.plain import from_plain
from prunella.model.clock import to_us
from prunella.model.errors import RecordError, SandboxUnavailable
from prunella.model.records import Process
from prunella.model.repair import ReplayEnding, ReplayOutcome, ReplayRequest
from prunella.model.settings import Settings
from prunella.ports import Overlay

#: A module may take this long to import, or as long as a call where that is longer.
_IMPORT_S = 20.0
_CALL_S = 5.0
#: Nothing was heard for this long beyond what the runner itself allows: the sandbox is ended.
_SILENCE_S = 20.0
#: A sandbox that has closed its report may take this long to end.
_ENDING_S = 2.0
_MAX_TOTAL_BYTES = 512_000_000
_MAX_LINE_BYTES = 17_000_000
_FILE_BYTES = 64 * 1024 * 1024
_KEPT_ERROR_BYTES = 2_000


class SandboxReplayer:
    """Implements `prunella.ports.Replayer`; raises `SandboxUnavailable` when it is made.

    One sandbox serves all variants and requests of a `replay`. Each variant runs in a process that
    imports the project with the variant's overlay, its calls one after another; a call that takes
    longer than the setting ``replay_timeout_s`` or takes its process down is reported so, and the
    calls behind it run in a fresh process.
    """

    def __init__(self, settings: Settings) -> None:
        limits = Confinement(
            memory_bytes=settings.replay_memory_mb * 1024 * 1024, file_bytes=_FILE_BYTES
        )
        self._sandbox = open_sandbox(settings.sandbox, limits)
        self._call_s = settings.replay_timeout_s or _CALL_S
        self._python = settings.python

    @property
    def level(self) -> str:
        """The isolation in force: ``bubblewrap``, ``namespaces`` or ``none``."""
        return self._sandbox.level

    def replay(
        self,
        tree: Path,
        process: Process,
        requests: Sequence[ReplayRequest],
        variants: Sequence[Overlay],
    ) -> Sequence[Sequence[ReplayOutcome]]:
        """Run every request on every variant; see `prunella.ports.Replayer.replay`."""
        if not requests or not variants:
            return [[] for _ in variants]
        tree = tree.resolve()
        executable = mounts.straight(self._python or process.executable)
        if not os.access(executable, os.X_OK):
            raise SandboxUnavailable(
                f"The interpreter of the program, {executable}, can't be run on this machine. "
                "Name another one with the same packages by the setting python."
            )
        if os.geteuid() == 0:
            _make_readable(tree)
        job = self._job(tree, process, requests, variants)
        variables = {"PRUNELLA_REPLAY": "1", **replayed_variables(process)}
        found, complaint = self._collect(executable, job, variables, requests)
        numbers = range(len(requests))
        cut = [v for v in range(len(variants)) if any((v, n) not in found for n in numbers)]
        # One variant can end the sandbox of all: whoever didn't get to the end has one of its own.
        for variant in cut if len(variants) > 1 else ():
            alone = replace(job, variants=(job.variants[variant],))
            again, complaint = self._collect(executable, alone, variables, requests)
            found = {(variant, number): item for (_, number), item in again.items()} | found
        lost = f"the replay ended before it. {complaint}".strip()
        return [
            [
                found.get((variant, number)) or _without_result(request, ReplayEnding.DIED, lost)
                for number, request in enumerate(requests)
            ]
            for variant in range(len(variants))
        ]

    def _collect(
        self,
        executable: str,
        job: jobs.Job,
        variables: Mapping[str, str],
        requests: Sequence[ReplayRequest],
    ) -> tuple[dict[tuple[int, int], ReplayOutcome], str]:
        """Return ``(variant, call)`` → outcome, and what was said where some are missing."""
        found: dict[tuple[int, int], ReplayOutcome] = {}
        with tempfile.TemporaryFile() as source:
            source.write(json.dumps(jobs.to_json(job)).encode())
            source.seek(0)
            complaint = self._run(executable, job, source.fileno(), variables, requests, found)
        return found, complaint

    def _job(
        self,
        tree: Path,
        process: Process,
        requests: Sequence[ReplayRequest],
        variants: Sequence[Overlay],
    ) -> jobs.Job:
        return jobs.Job(
            tree=str(tree),
            sys_path=rerooted_path(process, tree),
            main_file=_main_file(process, tree),
            argv=process.argv,
            call_s=self._call_s,
            import_s=max(_IMPORT_S, self._call_s),
            workers=min(4, os.cpu_count() or 1),
            calls=tuple(
                jobs.CallJob(
                    site=request.site_id,
                    inputs=request.inputs,
                    started_us=to_us(request.started_at),
                    answers=request.answers,
                    watch=request.watch,
                )
                for request in requests
            ),
            variants=tuple(
                {str(tree / path): content for path, content in variant.items()}
                for variant in variants
            ),
        )

    def _run(
        self,
        executable: str,
        job: jobs.Job,
        source: int,
        variables: Mapping[str, str],
        requests: Sequence[ReplayRequest],
        found: dict[tuple[int, int], ReplayOutcome],
    ) -> str:
        """Fill `found`; return what the runner complained about, bounded."""
        inlet, outlet = os.pipe()
        with tempfile.TemporaryFile() as complaints:
            try:
                with self._sandbox.run_module(
                    "runner",
                    executable=executable,
                    arguments=(str(outlet),),
                    readable=(job.tree, *mounts.import_folders(job.sys_path)),
                    variables=variables,
                    stdin=source,
                    stderr=complaints,
                    keep_open=(outlet,),
                ) as process:
                    os.close(outlet)
                    outlet = -1
                    for line in _lines(inlet, process, job):
                        _read_outcome(line, requests, len(job.variants), found)
                    ending = _ending(process)
            finally:
                os.close(inlet)
                if outlet >= 0:
                    os.close(outlet)
            return f"{ending} {_tail(complaints.fileno())}".strip()


def _ending(process: "Popen[bytes]") -> str:
    """Return in words how the sandbox ended; empty where it did well or is still running."""
    try:
        code = process.wait(_ENDING_S)
    except TimeoutExpired:
        return "The sandbox fell silent and was ended."
    if code < 0:
        return f"The sandbox was ended by signal {-code}."
    return f"The sandbox ended with exit code {code}." if code else ""


def _make_readable(tree: Path) -> None:
    """Let others read the checked-out `tree`: root's sandboxes run as an ordinary user."""
    for name in mounts.below([str(tree)]):
        status = os.lstat(name)
        needed = 0o055 if stat.S_ISDIR(status.st_mode) else 0o044
        if not stat.S_ISLNK(status.st_mode) and status.st_mode & needed != needed:
            os.chmod(name, stat.S_IMODE(status.st_mode) | needed)  # noqa: PTH101 - as the others


def rerooted_path(process: Process, tree: Path) -> tuple[str, ...]:
    """Return the import path of `process` with the project's folders taken from `tree`.

    Entries below the recorded root lead to the same place below `tree`, unless they are installed
    packages (a virtual environment inside the project); the tree comes first.
    """
    entries = [str(tree)]
    for entry in process.sys_path:
        inside = _inside(str(Path(process.cwd, entry)), process.root)
        installed = "site-packages" in entry or "dist-packages" in entry
        entries.append(entry if inside is None or installed else str(tree / inside))
    return tuple(dict.fromkeys(os.path.normpath(entry) for entry in entries))


def _inside(path: str, root: str) -> str | None:
    """Return `path` relative to `root`, ``"."`` for the root itself; ``None`` if not below it.

    The root is known by its real path, a program perhaps by a link (``current/app.py``).
    """
    root = os.path.normpath(root)
    for known in (os.path.normpath(path), os.path.realpath(path)):
        if known == root:
            return "."
        if known.startswith(root.rstrip("/") + "/"):
            return os.path.relpath(known, root)
    return None


def _main_file(process: Process, tree: Path) -> str:
    if not process.argv or not process.argv[0]:
        return ""
    inside = _inside(str(Path(process.cwd, process.argv[0])), process.root)
    if inside is None:
        return ""
    path = tree / inside
    return str(path / "__main__.py" if path.is_dir() else path)


def _lines(inlet: int, process: "Popen[bytes]", job: jobs.Job) -> Iterator[bytes]:
    """Yield what the runner writes, line by line, until it ends, floods, or falls silent."""
    silence_s = job.call_s + job.import_s + _SILENCE_S
    buffer = bytearray()
    total = 0
    last_heard = time.monotonic()
    while total <= _MAX_TOTAL_BYTES and len(buffer) <= _MAX_LINE_BYTES:
        left = last_heard + silence_s - time.monotonic()
        if left <= 0 or not select.select([inlet], [], [], left)[0]:
            return
        part = os.read(inlet, 1 << 20)
        if not part:
            return
        last_heard = time.monotonic()
        total += len(part)
        buffer += part
        *lines, rest = buffer.split(b"\n")
        buffer = bytearray(rest)
        yield from map(bytes, lines)


def _read_outcome(
    line: bytes,
    requests: Sequence[ReplayRequest],
    variants: int,
    found: dict[tuple[int, int], ReplayOutcome],
) -> None:
    """Take one line ``<variant> <call> <outcome>``; the first for a call counts."""
    head, _, rest = line.partition(b" ")
    number_text, _, text = rest.partition(b" ")
    try:
        variant, number = int(head), int(number_text)
    except ValueError:
        return
    if not (0 <= variant < variants and 0 <= number < len(requests)) or (variant, number) in found:
        return
    request = requests[number]
    try:
        data: Any = json.loads(text)
        if not isinstance(data, dict):
            raise RecordError("it is no object")
        outcome = from_plain(ReplayOutcome, {**data, "request_id": request.request_id})
    except (ValueError, RecursionError, RecordError) as error:
        reason = f"its outcome is malformed: {error}"[:300]
        outcome = _without_result(request, ReplayEnding.DIED, reason)
    found[variant, number] = outcome


def _without_result(request: ReplayRequest, ending: ReplayEnding, reason: str) -> ReplayOutcome:
    return ReplayOutcome(request_id=request.request_id, ending=ending, reason=reason)


def _tail(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    data = os.pread(descriptor, _KEPT_ERROR_BYTES, max(0, size - _KEPT_ERROR_BYTES))
    return data.decode(errors="replace").strip()
