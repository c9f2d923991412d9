"""Fixes that people steer from the command line, and a program that runs meanwhile."""

import json
import subprocess
import sys
import time
from collections import deque

import pytest

from prunella.wiring.healer import Healer

#: Calls a site every ten milliseconds and writes what came of it, with the time.
PROGRAM = """
import sys, time
from prunella import heal


@heal(idempotent=True)
def fetch(city):
    fetch.attempts = getattr(fetch, "attempts", 0) + 1
    if fetch.attempts % 2:
        raise TimeoutError("upstream")
    return city


print("ready", flush=True)
end = time.monotonic() + 20
while time.monotonic() < end:
    try:
        fetch("Bern")
        print("ok", time.monotonic(), flush=True)
    except TimeoutError:
        fetch.attempts = 0
        print("failed", time.monotonic(), flush=True)
    time.sleep(0.01)
"""
RETRY = {
    "fix_id": "fix-retry",
    "fix_type": "retry",
    "target": {"sites": ["__main__:fetch"]},
    "config": {
        "max_retries": 2,
        "initial_delay_ms": 1,
        "retry_on": ["TimeoutError"],
        "budget": {"ratio": 1.0},
    },
}


class Program:
    """A program under way, and its outcomes as they are printed."""

    def __init__(self, folder):
        (folder / "pyproject.toml").write_text("")
        (folder / "weather.py").write_text(PROGRAM)
        self.process = subprocess.Popen(
            [sys.executable, "weather.py"], cwd=folder, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def seconds_until(self, wanted, since):
        """Return how long after `since` most outcomes began to be `wanted`: a holdback stays."""
        window = deque(maxlen=20)
        for line in self.process.stdout:
            outcome, at = line.split()
            window.append((outcome == wanted, float(at)))
            if sum(is_wanted for is_wanted, _ in window) >= 15:
                return next(at for is_wanted, at in window if is_wanted) - since
        raise AssertionError(f"the program ended before most outcomes were {wanted}")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def program(tmp_path):
    program = Program(tmp_path)
    yield program
    program.stop()


def test_a_running_program_hears_of_fixes(program, tmp_path):
    """A promoted fix acts, and a rolled back one is gone, without a restart."""
    with Healer(root=tmp_path) as healer:
        healer.fixes.add(RETRY)
        at = time.monotonic()
        healer.fixes.promote("fix-retry")
        waited = program.seconds_until("ok", at)
        assert waited < 10.0
        at = time.monotonic()
        healer.fixes.roll_back("fix-retry")
        assert program.seconds_until("failed", at) < 10.0


def test_a_file_switches_all_fixes_off(program, tmp_path):
    """The operator's file takes every fix off, and gives it back when it goes."""
    with Healer(root=tmp_path) as healer:
        healer.fixes.add(RETRY)
        healer.fixes.promote("fix-retry")
        program.seconds_until("ok", 0)
    switch = tmp_path / ".prunella" / "fixes-off"
    at = time.monotonic()
    switch.touch()
    assert program.seconds_until("failed", at) < 10.0
    at = time.monotonic()
    switch.unlink()
    assert program.seconds_until("ok", at) < 10.0


def test_a_new_process_has_its_fixes_from_the_first_call(tmp_path):
    """A script that makes one call and ends is healed in that call, unless the holdback has it."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "once.py").write_text(
        PROGRAM.split("print(")[0] + "print(fetch('Bern'))\n", encoding="utf-8"
    )
    with Healer(root=tmp_path) as healer:
        healer.fixes.add(RETRY)
        healer.fixes.promote("fix-retry")
    ended = [
        subprocess.run(
            [sys.executable, "once.py"], cwd=tmp_path, capture_output=True, text=True, check=False
        ).stdout
        for _ in range(4)  # a call in twenty is in the holdback
    ]
    assert ended.count("Bern\n") >= 2


def test_a_broken_feed_is_no_fix(program, tmp_path):
    """A feed that can't be read takes fixes off; nothing reaches the program's output."""
    with Healer(root=tmp_path) as healer:
        healer.fixes.add(RETRY)
        healer.fixes.promote("fix-retry")
        program.seconds_until("ok", 0)
    for content in ("{", json.dumps({"installations": [{"document": 3}, 4, None]}), ""):
        (tmp_path / ".prunella" / "fixes.json").write_text(content)
        program.seconds_until("failed", 0)
        assert program.process.poll() is None
