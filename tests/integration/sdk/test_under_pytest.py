"""A project's own tests, run by pytest with functions under `@heal`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import prunella
from prunella.model.records import Call, Counts, Occurrence, Process

from .conftest import of

MODULE = """
from prunella import heal

@heal
def divide(a, b):
    return a / b

@heal
async def divide_later(a, b):
    return a / b
"""
TESTS = """
import asyncio, os, pytest, subprocess, sys
from prunella.sdk.runtime import set_drain
set_drain(None)
from shop import divide, divide_later

@pytest.mark.parametrize("number", range(8))
def test_divides(number):
    assert divide(number, 2) == number / 2
    with pytest.raises(ZeroDivisionError):
        divide(number, 0)

def test_later():
    with pytest.raises(ZeroDivisionError):
        asyncio.run(divide_later(1, 0))

def test_program():
    code = "from prunella.sdk.runtime import set_drain; set_drain(None); import shop; shop.divide(1, 0)"
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE)
    assert b"ZeroDivisionError" in done.stderr
"""


def run_tests(root: Path, *arguments: str, **environment: str) -> None:
    """Run the project's tests; all of them must pass."""
    (root / "shop.py").write_text(MODULE)
    (root / "test_shop.py").write_text(TESTS)
    (root / "pyproject.toml").touch()
    path = os.pathsep.join([str(root), str(Path(prunella.__file__).parents[1])])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRUNELLA_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *arguments],
        cwd=root,
        env={**kept, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 passed" in done.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_tests_make_no_incidents(tmp_path: Path, workers: str) -> None:
    """While pytest runs nothing is recorded, in its workers and in what it starts neither."""
    run_tests(tmp_path, "-n", workers)
    assert not (tmp_path / ".prunella").exists()


@pytest.mark.parametrize("workers", ["0", "2"])
def test_tests_are_recorded_when_asked_for(tmp_path: Path, workers: str) -> None:
    """With `record_tests` every failure is counted, whichever worker it happens in."""
    run_tests(tmp_path, "-n", workers, PRUNELLA_RECORD_TESTS="1")
    failed = {item.site_id for item in of(tmp_path, Occurrence)}
    assert failed == {"shop:divide", "shop:divide_later"}
    totals: dict[str, int] = {}
    for process in of(tmp_path, Process):
        counts = [item for item in of(tmp_path, Counts) if item.process_id == process.process_id]
        if counts:
            latest = max(counts, key=lambda item: item.sequence)
            for name, numbers in latest.sites.items():
                totals[name] = totals.get(name, 0) + numbers["errors"]
    assert totals == {"shop:divide": 9, "shop:divide_later": 1}
    assert {call.site_id for call in of(tmp_path, Call)} == {"shop:divide"}
