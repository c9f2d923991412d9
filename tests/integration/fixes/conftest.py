"""A program with fixes for each test: nothing installed before, nothing left behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from prunella.sdk import background, counters, fixing, runtime, site


@pytest.fixture(autouse=True)
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the root of a program that records into a folder of the test."""
    monkeypatch.setenv("PRUNELLA_ROOT", str(tmp_path))
    for name in ("DISABLED", "REPLAY", "CAPTURE", "FIXES"):
        monkeypatch.delenv(f"PRUNELLA_{name}", raising=False)
    before = runtime.get_drain()
    runtime.set_drain(None)
    forget()
    yield tmp_path
    forget()
    runtime.set_drain(before)


def forget() -> None:
    """Make the SDK as it is in a new process."""
    runtime._State.recorder = None
    runtime._State.is_off = False
    runtime.set_fixing(None)
    fixing._State.fixing = None
    background._State.drained = (-1, 0)
    counters.reset()
    site._sites.clear()
    site.by_code.clear()
