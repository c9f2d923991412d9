"""Disks that are really full or read-only: a small file system of the test's own, in a namespace."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prunella.model.records import Call, Counts
from prunella.wiring.healer import Healer

from .conftest import FAILING, errors_counted, of, surroundings

#: Becomes root of namespaces of its own, puts a file system of SIZE where the records go, and runs.
ENTER = 'mount -t tmpfs -o "size=$1" prunella-test .prunella && shift && exec "$@"'

#: What programs here share: `fill` takes all the room there is, `make_room` gives it back.
DISK = """
    import json, os, shutil, subprocess, time
    from pathlib import Path
    from prunella.sdk import background
    from prunella.sdk.counters import counters

    ballast = Path(".prunella/ballast")

    def fill():
        with ballast.open("ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while True: file.write(b"x" * size)
                except OSError:
                    pass

    def make_room():
        ballast.unlink()
        time.sleep(0.3)

    def remount(how):
        subprocess.run(["mount", "-o", f"remount,{how}", ".prunella"], check=True)
        time.sleep(0.3)

    def attempts(times):
        for number in range(times): work(number); attempt(number)

    def lost(): return counters.get("dropped_errors", 0)
"""

Start = Callable[..., Any]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Run a program whose `.prunella` is a file system of its own; return what it printed as JSON.

    The file system is gone with the program; what was on it is copied back before.
    """
    names = subprocess.run(["unshare", "-Urm", "true"], capture_output=True, check=False)
    if names.returncode:
        pytest.skip("this machine allows no user namespaces, so no file system of one's own")
    (tmp_path / ".prunella").mkdir()

    def run(program: str, *, size: str = "512k", drained: bool = False) -> Any:
        begin = "" if drained else "from prunella.sdk.runtime import set_drain\nset_drain(None)\n"
        end = "\nprunella.flush()\nshutil.copytree('.prunella', 'copy', dirs_exist_ok=True)\n"
        text = textwrap.dedent(FAILING) + textwrap.dedent(DISK) + textwrap.dedent(program)
        (tmp_path / "program.py").write_text(f"import prunella\n{begin}{text}{end}")
        command = [sys.executable, "-W", "error", "program.py"]
        done = subprocess.run(
            ["unshare", "-Urm", "sh", "-c", ENTER, "sh", size, *command],
            cwd=tmp_path,
            env=surroundings(tmp_path),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        (tmp_path / ".prunella").rmdir()
        (tmp_path / "copy").rename(tmp_path / ".prunella")
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("when", ["from the start", "in the middle"])
def test_a_full_disk_harms_nobody(start: Start, tmp_path: Path, when: str) -> None:
    """While nothing can be written the program runs on; what was lost is counted; then it recovers."""
    found = start(
        f"""
    before = 20 if {when == "in the middle"} else 0
    attempts(before)
    fill()
    attempts(2000)
    during = lost()
    make_room()
    attempts(30)
    print(json.dumps({{"during": during, "lost": lost(), "counters": counters, "work": work(7)}}))
    """
    )
    before = 20 if when == "in the middle" else 0
    assert found["work"] == 7
    assert 0 < found["during"] == found["lost"] <= 2000
    assert found["counters"]["spool_errors_ENOSPC"] > 0
    assert not [name for name in found["counters"] if name.startswith("internal")]
    assert errors_counted(tmp_path) + found["lost"] == before + 2000 + 30
    counts = max(of(tmp_path, Counts), key=lambda item: item.sequence)
    assert counts.sites["__main__:fail"]["errors"] == before + 2000 + 30
    assert counts.sdk["dropped_errors"] == found["lost"]


@pytest.mark.parametrize("when", ["from the start", "in the middle"])
def test_a_read_only_folder_harms_nobody(start: Start, tmp_path: Path, when: str) -> None:
    """Where the folder can't be written, also for root, errors are counted until it can."""
    found = start(
        f"""
    before = 20 if {when == "in the middle"} else 0
    attempts(before)
    if before:
        from prunella.sdk import runtime
        runtime.active().journal.spool.close()  # nobody can remount a folder with a file open for writing
    remount("ro")
    attempts(500)
    during = lost()
    remount("rw")
    attempts(30)
    print(json.dumps({{"during": during, "lost": lost(), "counters": counters}}))
    """
    )
    assert found["during"] == found["lost"] == 500
    assert found["counters"]["spool_errors_EROFS"] > 0
    before = 20 if when == "in the middle" else 0
    assert errors_counted(tmp_path) == before + 30


def test_a_store_without_room_takes_records_in_later(start: Start, tmp_path: Path) -> None:
    """A drain that the full disk stops is tried again; what was in the spool is in the store then."""
    found = start(
        """
    background.LOOK_S = background.DELAY_S = 0.05
    attempts(40)
    while not list(Path(".prunella").glob("prunella.db")): time.sleep(0.02)
    fill()
    attempts(400)
    time.sleep(0.6)
    failed = [name for name in counters if name.startswith("drain_failed")]
    during = lost()
    make_room()
    attempts(30)
    for _ in range(100):
        time.sleep(0.1)
        if background._State.drained is not None: break
    print(json.dumps({"during": during, "lost": lost(), "failed": failed, "counters": counters}))
    """,
        size="4m",
        drained=True,
    )
    assert found["lost"] == found["during"]
    assert not [name for name in found["counters"] if name.startswith("internal")]
    with Healer(root=tmp_path) as healer:
        healer.refresh()
        (incident,) = healer.incidents()
        assert incident.count + found["lost"] == 40 + 400 + 30


def test_a_disk_without_room_for_the_first_file_is_tried_again(
    start: Start, tmp_path: Path
) -> None:
    """The folder of records is made as soon as there is room, whatever was half made before."""
    found = start(
        """
    fill()
    attempts(50)
    left = sorted(str(path) for path in Path(".prunella").rglob("*"))
    make_room()
    attempts(5)
    print(json.dumps({"lost": lost(), "left": left}))
    """,
        size="64k",
    )
    assert found["lost"] == 50
    assert not [name for name in found["left"] if name.endswith((".new", ".jsonl"))]
    assert errors_counted(tmp_path) == 5
    assert not list((tmp_path / ".prunella").rglob("*.new"))


def test_lost_samples_are_counted_too(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each success that was to be kept is in the spool or among the dropped ones."""
    monkeypatch.setenv("PRUNELLA_SAMPLE_FIRST", "1000")
    found = start(
        """
    work(1)
    fill()
    for number in range(100): work(number)
    prunella.flush()
    make_room()
    for number in range(20): work(number)
    prunella.flush()
    print(json.dumps(counters))
    """
    )
    assert len(of(tmp_path, Call)) + found["dropped_samples"] == 121
    assert found["dropped_samples"] > 50
