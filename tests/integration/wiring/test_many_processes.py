"""Real programs that write into one project at once, and what happens to its folder meanwhile."""

import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import prunella
from prunella.codec import entries
from prunella.wiring.healer import Healer

PROGRAM = """
import sys, time
import prunella
from prunella import heal
from prunella.sdk import background

background.LOOK_S = background.DELAY_S = 0.05  # drains at work while others write


@heal
def divide(number, by):
    return number / by


def fail(times):
    for number in range(times):
        try:
            divide(number, 0)
        except ZeroDivisionError:
            pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the program's module."""
    (tmp_path / "work.py").write_text(PROGRAM)
    return tmp_path


def start(project: Path, what: str) -> "subprocess.Popen[str]":
    path = os.pathsep.join([str(project), str(Path(prunella.__file__).parents[1])])
    environment = {**os.environ, "PYTHONPATH": path, "PRUNELLA_ROOT": str(project)}
    return subprocess.Popen(
        [sys.executable, "-c", "from work import *\n" + textwrap.dedent(what)],
        cwd=project,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=120)
    assert process.returncode == 0


def counted(project: Path) -> int:
    """Return the errors that all incidents count, with everything drained."""
    with Healer(root=project) as healer:
        healer.refresh()
        return sum(incident.count for incident in healer.store.incidents())


def test_ten_processes_at_once_lose_nothing(project: Path) -> None:
    """Each drains what all of them write, and so does the command line: every error is counted."""
    processes = [
        start(project, "for _ in range(10):\n    fail(20)\n    time.sleep(0.02)\nprunella.flush()")
        for _ in range(10)
    ]
    while any(process.poll() is None for process in processes):
        if (project / ".prunella" / "prunella.db").exists():
            counted(project)
        time.sleep(0.05)
    for process in processes:
        ended(process)
    assert counted(project) == 10 * 10 * 20


@pytest.mark.parametrize("end", ["", "sys.exit(0)", "import os; os._exit(0)"])
def test_a_five_call_script_leaves_five_records(project: Path, end: str) -> None:
    """A script that calls a function five times and is gone at once leaves each call, in order."""
    ended(start(project, f"for number in range(5):\n    divide(number, 2)\n{end}"))
    with Healer(root=project) as healer:
        healer.refresh()
        found = [kept.call for kept in healer.calls("divide", limit=99)]
    assert [entries(call.inputs)[0][1] for call in found] == [4, 3, 2, 1, 0]
    assert [call.result for call in found] == [2.0, 1.5, 1.0, 0.5, 0.0]
    assert all(call.complete for call in found)


def test_a_locked_store_delays_and_loses_nothing(project: Path) -> None:
    """While another holds the database for three seconds, the program goes on at its own pace."""
    ended(start(project, "fail(3)\nprunella.flush()"))
    assert counted(project) == 3
    locked = sqlite3.connect(project / ".prunella" / "prunella.db", isolation_level=None)
    locked.execute("BEGIN EXCLUSIVE")
    process = start(
        project,
        "for _ in range(30):\n    fail(10)\n    time.sleep(0.02)\n"
        "print('still here', flush=True)\nsys.stdin.read()\nprunella.flush()",
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "still here\n"  # with the database locked all the time
    time.sleep(3.0)
    locked.execute("ROLLBACK")
    locked.close()
    ended(process)
    assert counted(project) == 303


def test_a_deleted_folder_is_made_anew(project: Path) -> None:
    """Whoever deletes `.prunella/` loses what was in it; what fails later is recorded again."""
    process = start(
        project,
        "fail(5)\nprint('recorded', flush=True)\nsys.stdin.readline()\ntime.sleep(0.3)\n"
        "fail(1)\ntime.sleep(0.3)\nfail(20)\nprunella.flush()",
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "recorded\n"
    shutil.rmtree(project / ".prunella", ignore_errors=True)
    shutil.rmtree(project / ".prunella", ignore_errors=True)  # a drain may have been at work
    assert process.stdin is not None
    process.stdin.write("go on\n")
    process.stdin.flush()
    ended(process)
    assert counted(project) >= 20
