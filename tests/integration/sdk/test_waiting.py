"""Successes that are recorded wait to be written, and nothing comes of it but less to wait for."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from prunella import disable, enable, heal
from prunella.model.records import Call, Counts, Process
from prunella.sdk import counters, runtime
from prunella.sdk.budget import Budget
from prunella.sdk.waiting import MOST_WAITING, Waiting

from .conftest import FAILING, Recorded, Run, of, read_spool


@pytest.fixture
def double(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], int]:
    """A function each of whose calls is sampled, for whose records nobody comes by himself."""
    monkeypatch.setenv("PRUNELLA_SAMPLE_FIRST", "0")

    @heal
    def double(value: int) -> int:
        return value * 2

    recorder = runtime.active()
    recorder.sampling.samples = Budget(burst_ms=1e9, share=1.0)
    recorder.sampling.interval_ns = 0
    double(0)
    recorder.journal.waiting.write()
    journal = recorder.journal
    journal.waiting = Waiting(recorder.host, journal, recorder.sampling)
    return double


def written(recorded: Recorded) -> list[int]:
    """The results of all calls in the spool."""
    found = [record for record in read_spool(recorded.root) if type(record) is Call]
    return [call.result for call in found][1:]


def waiting() -> Waiting:
    return runtime.active().journal.waiting


def test_where_nobody_comes_records_are_written_at_once(
    recorded: Recorded, double: Callable[[int], int]
) -> None:
    """Before the thread runs, and once it has ended, nothing waits."""
    double(1)
    assert written(recorded) == [2]
    waiting().open()
    double(2)
    assert written(recorded) == [2]
    waiting().close()
    assert written(recorded) == [2, 4]
    waiting().open()
    double(3)
    assert written(recorded) == [2, 4, 6]


def test_the_first_successes_of_a_function_never_wait(
    recorded: Recorded, double: Callable[[int], int]
) -> None:
    """What a repair is proven with is safe however soon the process ends."""
    waiting().open()
    runtime.active().sampling.first = 2

    @heal
    def half(value: int) -> float:
        return value / 2

    for number in range(4):
        half(number)
    assert written(recorded) == [0.0, 0.5]
    waiting().write()
    assert written(recorded) == [0.0, 0.5, 1.0, 1.5]


def test_what_is_too_many_is_written_by_those_who_come(
    recorded: Recorded, double: Callable[[int], int]
) -> None:
    """No more than a bound wait, however long nobody comes; the oldest go first."""
    waiting().open()
    for number in range(MOST_WAITING + 10):
        double(number)
    assert written(recorded) == [2 * number for number in range(10)]
    waiting().write()
    assert written(recorded) == [2 * number for number in range(MOST_WAITING + 10)]


def test_a_record_is_of_the_moment_of_its_call(
    recorded: Recorded, double: Callable[[int], int]
) -> None:
    """What the program does with arguments and results afterwards isn't in it."""

    @heal
    def collect(items: list[int]) -> list[int]:
        items.append(4)
        return items

    waiting().open()
    mine = [1, 2]
    collect(mine).clear()
    waiting().write()
    call = [record for record in read_spool(recorded.root) if type(record) is Call][-1]
    assert call.inputs == ["d", "items", ["l", 1, 2]]
    assert call.result == ["l", 1, 2, 4]
    assert call.complete


def test_one_that_cannot_be_written_is_counted_and_harms_no_other(
    recorded: Recorded, double: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours costs one record."""
    waiting().open()
    for number in range(3):
        double(number)
    line, calls = Waiting._line, iter(range(3))

    def fails_once(self: Waiting, running: object) -> bytes:
        if next(calls) == 1:
            raise ValueError
        return line(self, running)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(Waiting, "_line", fails_once)
    waiting().write()
    assert written(recorded) == [0, 4]
    assert counters.counters["dropped_samples"] == 1


def test_while_recording_is_switched_off_nothing_is_written(
    recorded: Recorded, double: Callable[[int], int]
) -> None:
    """The operator's file holds back what waits, too."""
    waiting().open()
    double(1)
    host = runtime.active().host
    host.is_off = True
    waiting().write()
    assert written(recorded) == []
    host.is_off = False
    waiting().write()
    assert written(recorded) == [2]


def test_many_threads_write_each_record_once(
    recorded: Recorded, double: Callable[[int], int]
) -> None:
    """Calls and writers at once lose nothing and write nothing twice."""
    waiting().open()

    def work() -> None:
        for number in range(300):
            double(number)
            if number % 50 == 0:
                waiting().write()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waiting().write()
    assert sorted(written(recorded)) == sorted([2 * number for number in range(300)] * 4)


def test_the_end_waits_for_what_is_on_its_way(
    recorded: Recorded, double: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that the SDK's thread has taken is written before the program ends."""
    waiting().open()
    double(1)
    line, is_taken, may_go_on = Waiting._line, threading.Event(), threading.Event()

    def slow(self: Waiting, running: object) -> bytes:
        is_taken.set()
        assert may_go_on.wait(30)
        return line(self, running)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(Waiting, "_line", slow)
    writer = threading.Thread(target=waiting().write)
    writer.start()
    assert is_taken.wait(30)
    threading.Timer(0.1, may_go_on.set).start()
    waiting().close()
    assert written(recorded) == [2]
    writer.join()


def test_a_forked_child_leaves_what_waits_to_its_parent(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No success is in the records twice, or missing."""
    monkeypatch.setenv("PRUNELLA_SAMPLE_FIRST", "0")
    monkeypatch.setenv("PRUNELLA_SAMPLE_INTERVAL_MS", "1")
    run(
        FAILING
        + """
    import os, time
    import prunella
    work(0)
    time.sleep(0.1)
    for number in range(1, 4):
        time.sleep(0.01)
        work(number)
    child = os.fork()
    if not child:
        prunella.flush()
        os._exit(0)
    os.waitpid(child, 0)
    """
    )
    found = [call.call_id for call in of(tmp_path, Call)]
    assert len(found) == len(set(found)) == 4


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_process_of_multiprocessing_leaves_what_waits_and_its_counters(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Such a process ends without calling what `atexit` knows, or calls it besides."""
    monkeypatch.setenv("PRUNELLA_SAMPLE_FIRST", "0")
    monkeypatch.setenv("PRUNELLA_SAMPLE_INTERVAL_MS", "1")
    run(
        FAILING
        + f"""
    import multiprocessing, time

    def child():
        for number in range(3):
            time.sleep(0.01)
            work(number)

    if __name__ == "__main__":
        work(0)
        process = multiprocessing.get_context("{method}").Process(target=child)
        process.start()
        process.join()
    """
    )
    counted = {
        each.process_id: each.sites["__main__:work"]["calls"] for each in of(tmp_path, Counts)
    }
    assert sorted(counted.values()) == [1, 3]
    assert len(of(tmp_path, Call)) == 4
    assert len(of(tmp_path, Process)) == 2


def test_disabling_in_the_program_loses_nothing_from_before(
    recorded: Recorded, double: Callable[[int], int]
) -> None:
    """What was recorded while recording was on is written."""
    waiting().open()
    double(1)
    disable()
    try:
        double(2)
        waiting().write()
    finally:
        enable()
    assert written(recorded) == [2]
