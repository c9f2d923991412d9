"""A fresh recorder for each test, programs of their own, and the records that they wrote."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import prunella
from prunella.codec.wire import read_lines
from prunella.model.records import Occurrence, Record, Repeat
from prunella.sdk import background, counters, runtime, site


def read_spool(root: Path) -> list[Record]:
    """Return every record below `root`, oldest file first; a line that can't be read fails."""
    found = []
    for path in sorted((root / ".prunella" / "spool").glob("*.jsonl")):
        for line in read_lines(path.read_bytes()):
            assert line.record is not None, line.problem
            found.append(line.record)
    return found


def write_waiting() -> None:
    """Write the successes that wait in this process."""
    recorder = runtime._State.recorder
    if recorder is not None:
        recorder.journal.waiting.write()


class Recorded:
    """The spool of a test, by kind of record."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def all(self, kind: type[Any]) -> list[Any]:
        write_waiting()
        return [record for record in read_spool(self.root) if type(record) is kind]

    def one(self, kind: type[Any]) -> Any:
        (record,) = self.all(kind)
        return record


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    """Let `heal` record into a folder of the test, drained by nobody."""
    monkeypatch.setenv("PRUNELLA_ROOT", str(tmp_path))
    for name in ("PRUNELLA_DISABLED", "PRUNELLA_REPLAY", "PRUNELLA_CAPTURE"):
        monkeypatch.delenv(name, raising=False)
    before = runtime.get_drain()
    runtime.set_drain(None)
    forget()
    yield Recorded(tmp_path)
    recorder = runtime._State.recorder
    if recorder is not None:
        recorder.journal.spool.close()
    forget()
    runtime.set_drain(before)


def forget() -> None:
    """Make the SDK as it is in a new process."""
    runtime._State.recorder = None
    runtime._State.is_off = False
    background._State.drained = (-1, 0)
    background._State.journal = None
    counters.reset()
    site._sites.clear()
    site.by_code.clear()


@pytest.fixture
def exhaust() -> Callable[[], None]:
    """Use up what may be spent on calls that didn't fail, so that nothing is recorded of them."""

    def use_up() -> None:
        recorder = runtime.active()
        assert recorder is not None
        for each in site.all_sites():
            each.first_left = 0
        sampling = recorder.sampling
        for budget in (sampling.samples, sampling.watching, sampling.armed, sampling.looks):
            budget._left_ns = -1e15

    return use_up


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a program in a project of its own, without anything that would drain its spool."""

    def start(program: str, *, check: bool = True, **environment: str) -> Any:
        script = tmp_path / "program.py"
        script.write_text(
            "from prunella.sdk.runtime import set_drain\nset_drain(None)\n"
            + textwrap.dedent(program)
        )
        return subprocess.run(
            [sys.executable, "-W", "error", str(script)],
            cwd=tmp_path,
            env={**surroundings(tmp_path), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=check,
        )

    return start


def surroundings(root: Path) -> dict[str, str]:
    """Return the environment of a program of the project at `root`."""
    path = os.pathsep.join([str(root), str(Path(prunella.__file__).parents[1])])
    return {**os.environ, "PRUNELLA_ROOT": str(root), "PYTHONPATH": path}


def of(root: Path, kind: type[Any]) -> list[Any]:
    """Return the records of one kind that the project at `root` has in its spool."""
    return [record for record in read_spool(root) if type(record) is kind]


def errors_counted(root: Path) -> int:
    """Return how many failures the records of `root` stand for."""
    described = [o for o in of(root, Occurrence) if o.caused_by is None]
    return len(described) + sum(repeat.count for repeat in of(root, Repeat))


FAILING = """
    from prunella import heal

    @heal
    def fail(number):
        return 1 / 0

    @heal
    def work(number):
        return number

    def attempt(number):
        try:
            fail(number)
        except ZeroDivisionError:
            pass
"""
