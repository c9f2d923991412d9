"""Watches tests and tries variants with them: the healer's side of `replay_runner.trials`."""

import json
import os
import select
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prunella.adapters import mounts
from prunella.adapters.replay import rerooted_path
from prunella.adapters.replay_runner import trial_job
from prunella.adapters.replay_runner.confine import Confinement
from prunella.adapters.replay_runner.trial_job import TrialJob, VariantJob
from prunella.adapters.sandbox import open_sandbox
from prunella.codec.plain import from_plain
from prunella.model.errors import RecordError
from prunella.model.records import ExceptionInfo, Process
from prunella.model.settings import Settings
from prunella.model.trials import (
    Observation,
    ObservedTest,
    RecordedInputs,
    Variant,
    VariantEnding,
    VariantRun,
)

_FILE_BYTES = 256 * 1024 * 1024
_PROCESSES = 512
#: Importing the project and collecting its tests may take this long.
_COLLECT_S = 90.0
#: Longest that tests are watched in all.
_OBSERVE_S = 120.0
#: Processor time of one watched test; after each that takes longer, the next get less.
_OBSERVED_TEST_S = 3.0
#: Watched runs that a test has taken down are begun anew without it, so often.
_MAX_RESTARTS = 3
_MAX_TOTAL_BYTES = 256_000_000
_MAX_LINE_BYTES = 16_000_000
_MAX_TESTS = 20_000
_WORKERS = 2
#: Variants less than this share as likely as one that passed are not tried any more.
_LEAST_RATIO = 0.4
_OUTCOMES = ("passed", "failed", "skipped")


class SandboxTestProbe:
    """Implements `prunella.ports.TestProbe`; raises `SandboxUnavailable` when it is made."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        limits = Confinement(
            memory_bytes=settings.replay_memory_mb * 1024 * 1024,
            file_bytes=_FILE_BYTES,
            processes=_PROCESSES,
        )
        self._sandbox = open_sandbox(settings.sandbox, limits)

    def observe(
        self, tree: Path, process: Process, selection: Sequence[str], *, watched: bool = True
    ) -> Observation:
        """Run and watch tests; one that takes its process down counts as failed."""
        found: dict[str, ObservedTest] = {}
        problem, dead = "", list[str]()
        for _ in range(1 + _MAX_RESTARTS):
            problem, running = "", ""
            skip = tuple(f"--deselect={name}" for name in (*found, *dead))
            order = _Order(selection=(*selection, *skip), watched=watched, wait_s=_OBSERVE_S)
            for line in self._lines(tree, process, order):
                running = _text(line, "begins") or running
                problem = _text(line, "problem") or problem
                test = _observed(line)
                if test is not None and len(found) < _MAX_TESTS:
                    found[test.test_id], running = test, ""
            if not running:
                break
            dead.append(running)
            problem = f"{running} took its process down, or too long"
        lost = [ObservedTest(test_id=name, outcome="failed", duration_us=0) for name in dead]
        return Observation(tests=(*found.values(), *lost), problem=problem)

    def attempt(
        self,
        tree: Path,
        process: Process,
        selection: Sequence[str],
        variants: Sequence[Variant],
        *,
        tests: Sequence[str] = (),
        test_s: float,
        budget_s: float,
        enough: int,
    ) -> Sequence[VariantRun]:
        """Try variants, some at the same time; see `prunella.ports.TestProbe.attempt`."""
        workers = max(1, min(_WORKERS, os.cpu_count() or 1, len(variants) // 8))
        not_run = VariantRun(ending=VariantEnding.NOT_RUN, detail="the time was up before its turn")
        runs = [not_run] * len(variants)
        order = _Order(
            selection=tuple(selection),
            tests=tuple(tests),
            test_s=test_s,
            budget_s=budget_s,
            enough=max(1, -(-enough // workers)),
            wait_s=budget_s + 10 * test_s,
        )

        def work(first: int) -> None:
            mine = range(first, len(variants), workers)
            share = replace(order, variants=tuple(_job_of(variants[index]) for index in mine))
            for line in self._lines(tree, process, share):
                number, run = _variant_run(line)
                if run is not None and 0 <= number < len(mine):
                    runs[mine[number]] = run

        if variants:
            with ThreadPoolExecutor(workers, "prunella-trials") as pool:
                list(pool.map(work, range(workers)))
        return runs

    def inputs(
        self,
        tree: Path,
        process: Process,
        selection: Sequence[str],
        function: Variant,
        *,
        tests: Sequence[str] = (),
    ) -> RecordedInputs:
        """Return the complete inputs of the first calls of a function."""
        order = _Order(
            selection=tuple(selection),
            tests=tuple(tests),
            record=_job_of(replace(function, text="")),
            wait_s=_OBSERVE_S,
        )
        lines = self._lines(tree, process, order)
        return RecordedInputs(inputs=tuple(item["inputs"] for item in lines if "inputs" in item))

    def _lines(self, tree: Path, process: Process, order: "_Order") -> Iterator[Mapping[str, Any]]:
        """Run a job on a private copy of the tree and yield what it reports."""
        executable = self._settings.python or process.executable
        inlet, outlet = os.pipe()
        with _copied(tree) as copy, tempfile.TemporaryFile() as source:
            path = rerooted_path(process, copy)
            job = order.job(copy, path)
            source.write(json.dumps(trial_job.to_json(job)).encode())
            source.seek(0)
            try:
                with self._sandbox.run_module(
                    "trials",
                    executable=executable,
                    arguments=(str(outlet),),
                    readable=mounts.import_folders(path),
                    writable=(str(copy),),
                    variables={"PRUNELLA_DISABLED": "1", "PATH": _search_path(executable)},
                    folder=str(copy),
                    stdin=source.fileno(),
                    keep_open=(outlet,),
                ):
                    os.close(outlet)
                    outlet = -1
                    yield from _read_lines(inlet, time.monotonic() + _COLLECT_S + order.wait_s)
            finally:
                os.close(inlet)
                if outlet >= 0:
                    os.close(outlet)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """A job without its place."""

    selection: tuple[str, ...]
    tests: tuple[str, ...] = ()
    test_s: float = _OBSERVED_TEST_S
    budget_s: float = 0.0
    enough: int = 1
    watched: bool = True
    variants: tuple[VariantJob, ...] = ()
    record: VariantJob | None = None
    wait_s: float

    def job(self, tree: Path, path: Sequence[str]) -> TrialJob:
        return TrialJob(
            tree=str(tree),
            sys_path=tuple(item for item in path if _below(item, tree)),
            selection=self.selection,
            tests=self.tests,
            test_s=self.test_s,
            budget_s=self.budget_s,
            enough=self.enough,
            least_ratio=_LEAST_RATIO,
            watched=self.watched,
            variants=self.variants,
            record=self.record,
        )


@contextmanager
def _copied(tree: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="prunella-tests-") as name:
        copy = Path(name).resolve() / "tree"
        shutil.copytree(tree, copy, symlinks=True)
        yield copy


def _below(entry: str, tree: Path) -> bool:
    return entry == str(tree) or entry.startswith(f"{tree}/")


def _search_path(executable: str) -> str:
    return f"{Path(executable).parent}:/usr/local/bin:/usr/bin:/bin"


def _job_of(variant: Variant) -> VariantJob:
    return VariantJob(
        path=variant.path,
        qualname=variant.qualname,
        first_line=variant.first_line,
        text=variant.text,
        chance=variant.chance,
    )


def _read_lines(inlet: int, deadline: float) -> Iterator[Mapping[str, Any]]:
    """Yield the JSON objects that are written, until the end, a flood, or the deadline."""
    buffer, total = bytearray(), 0
    while total <= _MAX_TOTAL_BYTES and len(buffer) <= _MAX_LINE_BYTES:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([inlet], [], [], left)[0]:
            return
        part = os.read(inlet, 1 << 20)
        if not part:
            return
        total += len(part)
        buffer += part
        *lines, rest = buffer.split(b"\n")
        buffer = bytearray(rest)
        for line in lines:
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                yield found


def _text(line: Mapping[str, Any], name: str) -> str:
    return str(line.get(name, ""))[:2000]


def _observed(line: Mapping[str, Any]) -> ObservedTest | None:
    """Return the test that a line tells of; what it says of its exception may be missing."""
    try:
        if line["outcome"] not in _OUTCOMES:
            return None
        lines = {
            str(path): tuple(int(number) for number in numbers)
            for path, numbers in line["lines"].items()
        }
        return ObservedTest(
            test_id=str(line["test"]),
            outcome=line["outcome"],
            duration_us=int(line["duration_us"]),
            lines=lines,
            exception=_exception(line),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _exception(line: Mapping[str, Any]) -> ExceptionInfo | None:
    try:
        return from_plain(ExceptionInfo, line["exception"]) if "exception" in line else None
    except (RecordError, RecursionError):
        return None


def _variant_run(line: Mapping[str, Any]) -> tuple[int, VariantRun | None]:
    try:
        ending = VariantEnding(line["ending"])
        return int(line["variant"]), VariantRun(ending=ending, detail=_text(line, "detail"))
    except (KeyError, TypeError, ValueError):
        return -1, None
