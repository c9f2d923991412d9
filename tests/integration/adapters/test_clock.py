"""The stopped clock of a replay, in interpreters of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

import prunella

PROGRAM = """
import datetime, os, sys, time, uuid
from time import time as early
from datetime import datetime as Early
from prunella.adapters.replay_runner.clock import freeze
freeze(1_700_000_000_123_456)
class Mine(Early): pass
def call(f, *args):
    try:
        return f(*args)
    except Exception as error:
        frames = []
        trace = error.__traceback__
        while trace:
            frames.append(trace.tb_frame.f_code.co_name)
            trace = trace.tb_next
        return type(error).__name__, frames[-2]  # the last is the clock's own
def sleep_badly(): time.sleep(-1)
def zone_badly(): Early.now("UTC")
def far_away(): time.localtime(1e40)
"""


def run(lines: str) -> list[str]:
    source = str(Path(prunella.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM + lines],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": source, "TZ": "UTC"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("early()", "1700000000.123456"),
        ("time.time_ns()", "1700000000123456000"),
        ("Early.now()", "2023-11-14 22:13:20.123456"),
        ("Early.now(datetime.UTC)", "2023-11-14 22:13:20.123456+00:00"),
        ("Early.now(tz=datetime.UTC)", "2023-11-14 22:13:20.123456+00:00"),
        ("Early.utcnow()", "2023-11-14 22:13:20.123456"),
        ("Early.today()", "2023-11-14 22:13:20.123456"),
        ("datetime.date.today()", "2023-11-14"),
        ("time.localtime()[:6]", "(2023, 11, 14, 22, 13, 20)"),
        ("time.gmtime(0)[:3]", "(1970, 1, 1)"),
        ("time.ctime()", "Tue Nov 14 22:13:20 2023"),
        ("time.strftime('%H:%M')", "22:13"),
        ("time.strftime('%Y', time.gmtime(0))", "1970"),
        ("type(Early.now()) is Early", "True"),
        ("type(Mine.now()) is Mine", "True"),
    ],
)
def test_every_way_to_ask_gives_the_moment(expression: str, shown: str) -> None:
    """Whatever reads the wall clock reads the frozen moment, in its own type."""
    assert run(f"print({expression})") == [shown]


def test_sleeping_moves_the_clock() -> None:
    """A sleep takes no time and is seen by the clock."""
    assert run("a = early(); time.sleep(90); print(round(early() - a, 3))") == ["90.0"]


def test_randomness_repeats() -> None:
    """The operating system's randomness is the same after each freeze."""
    assert run(
        "a = uuid.uuid4(), os.urandom(3); freeze(5); print(a == (uuid.uuid4(), os.urandom(3)))"
    ) == ["True"]


def test_wrong_arguments_raise_where_they_are_given() -> None:
    """An exchanged function raises as the original does, in the frame that called it."""
    assert run("print(call(sleep_badly)); print(call(zone_badly)); print(call(far_away))") == [
        "('ValueError', 'sleep_badly')",
        "('TypeError', 'zone_badly')",
        "('OverflowError', 'far_away')",
    ]
