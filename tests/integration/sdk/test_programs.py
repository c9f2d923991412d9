"""What is left behind by real programs, however they end."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from zipfile import ZipFile

import pytest

from prunella.codec.wire import read_lines
from prunella.model.records import Call, Counts, Ending, Occurrence, Process, Repeat, Site

from .conftest import FAILING, Run, errors_counted, of, read_spool, surroundings

ENDINGS = {
    "falls off the end": "",
    "sys.exit": "import sys; sys.exit(3)",
    "uncaught": "fail(4)",
    "os._exit": "import os; os._exit(0)",
    "kill -9": "import os; os.kill(os.getpid(), 9)",
    "SIGTERM": "import os; os.kill(os.getpid(), 15)",
    "abort": "import os; os.abort()",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_error_is_lost_however_the_program_ends(run: Run, tmp_path: Path, ending: str) -> None:
    """Errors that the program saw are in the spool when it is gone."""
    run(
        f"{FAILING}\n    for n in range(5): work(n); attempt(n)\n    {ENDINGS[ending]}", check=False
    )
    assert errors_counted(tmp_path) == 5 + (ending == "uncaught")
    assert len(of(tmp_path, Call)) == 5


def test_the_last_counters_are_written_at_exit(run: Run, tmp_path: Path) -> None:
    """A program that ends by itself leaves how often its sites were called and failed."""
    run(f"{FAILING}\n    for n in range(3000): work(n)\n    for n in range(70): attempt(n)")
    counts = of(tmp_path, Counts)[-1]
    assert counts.sites["__main__:work"]["calls"] == 3000
    assert counts.sites["__main__:fail"] == {"calls": 70, "errors": 70}


def test_a_forked_child_is_a_process_of_its_own(run: Run, tmp_path: Path) -> None:
    """Parent and child write files of their own, describe what they refer to, and lose nothing."""
    run(
        FAILING
        + """
    import os
    attempt(1)
    child = os.fork()
    for number in range(10):
        attempt(number)
    if not child:
        import prunella
        prunella.flush()
        os._exit(0)
    os.waitpid(child, 0)
    """
    )
    processes = of(tmp_path, Process)
    assert len({p.process_id for p in processes}) == 2
    assert len({p.pid for p in processes}) == 2
    assert errors_counted(tmp_path) == 21
    assert sorted(c.sites["__main__:fail"]["errors"] for c in of(tmp_path, Counts)) == [10, 11]
    assert len(list((tmp_path / ".prunella" / "spool").iterdir())) == 2


def test_a_process_tells_what_its_replays_need(run: Run, tmp_path: Path) -> None:
    """Zone, hash seed and interpreter options are recorded; no other variable is."""
    program = FAILING + "\n    attempt(1)\n"
    run(program, TZ="Asia/Tokyo", PYTHONHASHSEED="5", PYTHONOPTIMIZE="1", FOREIGN="value")
    (process,) = of(tmp_path, Process)
    variables = dict(process.variables)
    assert variables.pop("TZ") == "Asia/Tokyo"
    assert variables.pop("PYTHONHASHSEED") == "5"
    assert variables.pop("PYTHONOPTIMIZE") == "1"
    assert variables.pop("PYTHONUTF8") in ("0", "1")
    assert all(name.startswith(("LANG", "LC_")) for name in variables)


def test_spawned_and_forked_workers_record(run: Run, tmp_path: Path) -> None:
    """`multiprocessing` workers of both kinds record what they do."""
    (tmp_path / "work.py").write_text(
        "from prunella import heal\n@heal\ndef halve(value):\n    return 1 / value\n"
    )
    run(
        """
    import multiprocessing
    import work

    def main(method):
        with multiprocessing.get_context(method).Pool(1) as pool:
            for value in (1, 0, 2):
                try:
                    pool.apply(work.halve, (value,))
                except ZeroDivisionError:
                    pass

    if __name__ == "__main__":
        main("fork")
        main("spawn")
    """,
    )
    assert errors_counted(tmp_path) == 2
    assert {call.site_id for call in of(tmp_path, Call)} == {"work:halve"}


def test_what_a_spawned_main_script_defines_has_one_name(run: Run, tmp_path: Path) -> None:
    """Functions and classes of the script are ``__main__`` in the processes that it spawned, too."""
    run(
        """
    import multiprocessing
    from prunella import heal

    class Order:
        def __init__(self, lines): self.lines = lines

    class Empty(Exception): pass

    @heal
    def total(order):
        if not order.lines: raise Empty
        return order

    def work(lines):
        try:
            total(Order(lines))
        except Empty:
            pass

    if __name__ == "__main__":
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            pool.map(work, [1, 0])
            pool.close(); pool.join()
    """
    )
    (occurrence,) = of(tmp_path, Occurrence)
    assert occurrence.exception.type == "__main__:Empty"
    assert {frame.module for frame in occurrence.exception.frames} == {"__main__"}
    (call,) = of(tmp_path, Call)
    assert call.inputs == ["d", "order", call.result]
    assert call.result == ["o", "__main__:Order", ["d", "lines", 1]]


STARTS = {
    "a script": ("app.py", ["app.py"]),
    "a module": ("shop/app.py", ["-m", "shop.app"]),
    "a package": ("shop/__main__.py", ["-m", "shop"]),
    "an archive": ("app.pyz", ["app.pyz"]),
    "from a folder that is gone": ("app.py", ["-c", """
import os, runpy
path = os.path.abspath("app.py")
os.mkdir("gone")
os.chdir("gone")
os.rmdir("../gone")
runpy.run_path(path, run_name="__main__")
"""]),
}  # fmt: skip


@pytest.mark.parametrize("how", STARTS)
def test_records_lie_beside_the_program(tmp_path: Path, how: str) -> None:
    """Without a marked folder, they are in that of the script, package or archive."""
    file, arguments = STARTS[how]
    undrained = "from prunella.sdk.runtime import set_drain\nset_drain(None)\n"
    program = f"{undrained}{textwrap.dedent(FAILING)}\nattempt(1)\n"
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    if how == "an archive":
        with ZipFile(path, "w") as archive:
            archive.writestr("__main__.py", program)
    else:
        path.write_text(program)
    environment = surroundings(tmp_path)
    del environment["PRUNELLA_ROOT"]
    command = [sys.executable, "-W", "error", *arguments]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert errors_counted(tmp_path) == 1


def test_threads_lose_and_tear_nothing(run: Run, tmp_path: Path) -> None:
    """Many threads that fail at once write whole records, one for each failure."""
    run(
        FAILING
        + """
    from threading import Thread
    threads = [
        Thread(target=lambda: [attempt(number) for number in range(250)]) for _ in range(8)
    ]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    """
    )
    assert errors_counted(tmp_path) == 2000


def test_a_tight_loop_is_counted_and_sampled_within_bounds(run: Run, tmp_path: Path) -> None:
    """20,000 calls: every error is counted, successes are few, the counters tell the rest."""
    run(
        f"{FAILING}\n    for n in range(20000):\n        work(n)\n        if n % 10 == 0: attempt(n)"
    )
    assert errors_counted(tmp_path) == 2000
    assert 5 <= len(of(tmp_path, Call)) < 200
    counts = of(tmp_path, Counts)[-1]
    assert counts.sites["__main__:work"]["calls"] == 20000
    assert counts.sites["__main__:fail"]["errors"] == 2000


def test_a_full_or_readonly_disk_harms_nobody(run: Run, tmp_path: Path) -> None:
    """Where nothing can be written, the program runs on and what was lost is counted."""
    (tmp_path / ".prunella").write_text("a file where the folder should be")
    done = run(
        FAILING
        + """
    from prunella.sdk.counters import counters
    for number in range(100):
        work(number); attempt(number)
    print(counters["dropped_errors"])
    """
    )
    assert done.stdout == "100\n"
    assert done.stderr == ""


def test_recording_goes_on_when_the_cause_is_gone(run: Run, tmp_path: Path) -> None:
    """A deleted folder is made anew, and its records are whole again."""
    run(
        FAILING
        + """
    import shutil, time
    attempt(0)
    shutil.rmtree(".prunella")
    time.sleep(0.3)
    for number in range(4):
        attempt(number)
    """
    )
    kinds = [type(record) for record in read_spool(tmp_path)]
    assert kinds[0] is Process
    assert Site in kinds
    assert errors_counted(tmp_path) == 4


@pytest.mark.parametrize("off", ["environment", "call", "file", "setting"])
def test_switches_stop_everything(run: Run, tmp_path: Path, off: str) -> None:
    """Each kill switch stops recording; functions work on."""
    environment = {"PRUNELLA_DISABLED": "1"} if off == "environment" else {}
    begin = ""
    if off == "call":
        begin = "import prunella; prunella.disable()"
    if off == "file":
        (tmp_path / ".prunella").mkdir()
        (tmp_path / ".prunella" / "disabled").touch()
    if off == "setting":
        (tmp_path / "pyproject.toml").write_text("[tool.prunella]\ndisabled = true\n")
    done = run(
        f"{FAILING}\n    {begin}\n    for n in range(20): work(n); attempt(n)\n    print(work(8))",
        **environment,
    )
    assert done.stdout == "8\n"
    assert not list(tmp_path.glob(".prunella/spool/*"))


def test_unusable_settings_cost_a_warning_only(tmp_path: Path) -> None:
    """A program whose configuration is broken runs, is warned once, and records with defaults."""
    (tmp_path / "pyproject.toml").write_text("[tool.prunella]\nsample_first = 'many'\n")
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(FAILING) + "for n in range(7): work(n)\nattempt(1)\n")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=surroundings(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.count("sample_first") == 1


def test_uncaught_and_logged_exceptions_are_recorded_by_opting_in(run: Run, tmp_path: Path) -> None:
    """What ends the program, a thread or a task unseen, or is logged, becomes an occurrence."""
    done = run(
        """
    import asyncio, logging, threading
    import prunella
    prunella.init(uncaught=True, logging=True)

    def in_thread(): {}["thread"]
    def logged(): [][9]
    async def task(): raise LookupError("task")
    async def main():
        asyncio.get_running_loop().call_soon(asyncio.ensure_future, task())
        await asyncio.sleep(0.05)
        import gc; gc.collect()

    thread = threading.Thread(target=in_thread)
    thread.start(); thread.join()
    try:
        logged()
    except IndexError:
        logging.exception("it failed")
    asyncio.run(main())

    @prunella.heal
    def seen(): raise OSError("seen")
    try:
        seen()
    except OSError:
        logging.exception("seen already")

    def last(): raise ValueError("at the end")
    last()
    """,
        check=False,
    )
    assert "ValueError: at the end" in done.stderr
    assert "KeyError: 'thread'" in done.stderr
    found = {o.site_id.partition(":")[2]: o for o in of(tmp_path, Occurrence)}
    assert found.keys() == {"in_thread", "logged", "task", "seen", "last"}
    assert all(o.ending is Ending.ERROR for o in found.values())
    assert not found["last"].complete
    assert errors_counted(tmp_path) == 5


def test_a_package_is_instrumented_without_edits(run: Run, tmp_path: Path) -> None:
    """Functions and methods of a package record, whether imported before, after or early-bound."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "early.py").write_text(
        "def early(x):\n    return 1 / x\n"
        "class Box:\n    @property\n    def half(self):\n        'A half.'\n        return 1 / 0\n"
    )
    (package / "late.py").write_text(
        textwrap.dedent(
            """
            from __future__ import annotations
            from functools import lru_cache, wraps

            def late(x): return 1 / x
            TABLE = {"late": late}

            class Cart:
                def __init__(self, x): self.x = x
                @property
                def total(self): return 1 / self.x
                @classmethod
                def make(cls, x): return cls(x)
                @staticmethod
                async def pay(x): return 1 / x
                def __repr__(self): return "Cart"

            @lru_cache
            def cached(x): return 1 / x
            """
        )
    )
    done = run(
        """
    import asyncio
    from shop.early import Box, early
    import prunella
    prunella.init(instrument=["shop"])
    from shop import late

    def attempt(function, *arguments):
        try:
            function(*arguments)
        except ZeroDivisionError:
            pass

    attempt(early, 0)
    attempt(lambda: Box().half)
    assert Box.half.__doc__ == "A half."
    attempt(late.late, 0)
    attempt(late.TABLE["late"], 0)
    attempt(lambda: late.Cart.make(0).total)
    attempt(asyncio.run, late.Cart.pay(0))
    attempt(late.cached, 0)
    print(late.cached.cache_info().misses, late.Cart(1), "__prunella_heal__" in vars(late))
    """,
    )
    assert done.stdout == "1 Cart False\n"
    failed = {o.site_id for o in of(tmp_path, Occurrence)}
    assert failed == {
        "shop.early:early",
        "shop.early:Box.half",
        "shop.late:late",
        "shop.late:Cart.total",
        "shop.late:Cart.pay",
        "shop.late:cached",
    }
    assert errors_counted(tmp_path) == 7
    site = next(s for s in of(tmp_path, Site) if s.site_id == "shop.late:cached")
    assert site.source == "@lru_cache\ndef cached(x): return 1 / x\n"
    assert site.file == "shop/late.py"


def test_replay_leaves_functions_alone_and_boundaries_answered(run: Run) -> None:
    """In a replay nothing is recorded, and boundary sites give the recorded answers."""
    done = run(
        """
    from prunella import heal
    from prunella.sdk.standin import UnansweredCall, set_answers

    @heal(boundary=True)
    def fetch(name): raise AssertionError("reached outside")

    @heal(boundary=True)
    async def fetch_later(name): raise AssertionError("reached outside")

    @heal
    def compute(name): return fetch(name) + 1

    try:
        compute("a")
    except UnansweredCall as error:
        print(error)
    set_answers(lambda site_id, arguments, keywords: {"__main__:fetch": 41}.get(site_id, arguments))
    print(compute("a"))
    import asyncio
    print(asyncio.run(fetch_later("b")), hasattr(compute, "__wrapped__"))
    """,
        PRUNELLA_REPLAY="1",
    )
    assert done.stdout.splitlines() == [
        "__main__:fetch reaches outside, and no answers were recorded for this call",
        "42",
        "('b',) False",
    ]


KILLED_RUNS = int(os.environ.get("PRUNELLA_KILLED_RUNS", "8"))


@pytest.mark.parametrize("number", range(KILLED_RUNS))
def test_kill_9_loses_no_error_that_was_seen(tmp_path: Path, number: int) -> None:
    """At whatever moment a program under load is killed, the errors it saw are in its spool."""
    script = tmp_path / "program.py"
    script.write_text(
        "from prunella.sdk.runtime import set_drain\nset_drain(None)\n"
        + textwrap.dedent(FAILING)
        + textwrap.dedent(
            """
            import mmap, os, sys
            seen = mmap.mmap(os.open("seen", os.O_RDWR), 8)
            n = 0
            while True:
                work(n)
                attempt(n)
                n += 1
                seen[:8] = n.to_bytes(8, "little")
            """
        )
    )
    (tmp_path / "seen").write_bytes(bytes(8))
    with subprocess.Popen(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=surroundings(tmp_path),
    ) as program:
        while (tmp_path / "seen").read_bytes() == bytes(8) and program.poll() is None:
            time.sleep(0.005)
        time.sleep(0.003 * (number % 50))
        program.send_signal(signal.SIGKILL)
        program.wait()
    seen = int.from_bytes((tmp_path / "seen").read_bytes(), "little")
    assert seen > 0
    counted = 0
    for path in (tmp_path / ".prunella" / "spool").glob("*.jsonl"):
        for line in read_lines(path.read_bytes()):
            if isinstance(line.record, Occurrence):
                counted += line.record.caused_by is None
            elif isinstance(line.record, Repeat):
                counted += line.record.count
            else:
                assert line.record is not None, line.problem
    assert seen <= counted <= seen + 1
