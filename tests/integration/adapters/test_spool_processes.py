"""Drains that run at once, and drains that are killed."""

import random
import signal
import subprocess
import sys
import time

from prunella.adapters.sqlite_store import open_store
from prunella.codec.wire import write_record
from prunella.triage import Rules, triage
from recorded import a_repeat, an_occurrence

DRAIN = """
import sys
from pathlib import Path
from prunella.adapters import spool
from prunella.adapters.sqlite_store import open_store
spool._CHUNK_BYTES = 2000  # many small transactions, many moments to be killed in
print("ready", flush=True)
sys.stdin.read(1)
store = open_store(Path(sys.argv[1]) / "prunella.db", create=True)
print(spool.drain(Path(sys.argv[1]) / "spool", store).records)
"""

FILES, OCCURRENCES = 4, 60


def fill(folder, files=range(FILES)):
    """Write spool files; return how many failures they report."""
    (folder / "spool").mkdir(exist_ok=True)
    for file in files:
        process = f"proc_{file}"
        records = []
        for number in range(OCCURRENCES):
            name = f"occ_{file}_{number}"
            records.append(an_occurrence(number, occurrence_id=name, process_id=process))
            records.append(a_repeat(1, process_id=process))
        data = b"".join(write_record(record) for record in records)
        (folder / "spool" / f"{file}-{file}-x.jsonl").write_bytes(data)
    return len(files) * OCCURRENCES * 2


def start(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", DRAIN, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def total(folder):
    store = open_store(folder / "prunella.db", create=False)
    occurrences = store.untriaged(limit=10_000)
    for occurrence in occurrences:
        store.assign(occurrence, triage(occurrence, Rules()))
    counted = sum(incident.count for incident in store.incidents())
    store.close()
    assert len(occurrences) * 2 == counted
    return counted


def test_drains_at_once_keep_each_record_once(tmp_path):
    """Several processes that drain one spool into one new store neither lose nor double."""
    expected = fill(tmp_path)
    drains = [start(tmp_path) for _ in range(3)]
    for process in drains:
        process.stdin.write("x")
        process.stdin.flush()
    kept = 0
    for process in drains:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        kept += int(output)
    assert kept == expected
    assert total(tmp_path) == expected
    assert list((tmp_path / "spool").iterdir()) == []


def test_killed_drains_lose_and_double_nothing(tmp_path):
    """`kill -9` at any moment leaves store and spool such that the next drain goes on."""
    expected = 0
    moments = random.Random(5)
    for round_ in range(10):
        expected += fill(tmp_path, range(round_ * FILES, round_ * FILES + FILES))
        process = start(tmp_path)
        process.stdin.write("x")
        process.stdin.flush()
        time.sleep(moments.uniform(0.0, 0.08))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = start(tmp_path)
    process.communicate("x", timeout=60)
    assert process.returncode == 0
    assert total(tmp_path) == expected
    assert list((tmp_path / "spool").iterdir()) == []
