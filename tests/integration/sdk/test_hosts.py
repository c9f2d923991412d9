"""Programs of the kinds that services are: signals, worker processes, greenlets, threads, tasks."""

import signal
import textwrap
from collections import Counter
from pathlib import Path

from prunella.model.records import Call, Counts, Occurrence, Process

from .conftest import FAILING, Run, errors_counted, of

NESTED = """
    from prunella import carry, heal

    @heal
    def inner(number):
        return 1 / number

    @heal
    async def inner_later(number):
        return 1 / number
"""


def test_signal_handlers_are_left_alone(run: Run) -> None:
    """No handler, wakeup descriptor or hook of the program is changed, whatever is recorded."""
    done = run(
        f"""
    import faulthandler, signal, sys, threading, warnings

    def state():
        handlers = {{number: signal.getsignal(number) for number in signal.valid_signals()}}
        wakeup = signal.set_wakeup_fd(-1)
        hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning,
                 sys.gettrace(), sys.getprofile(), threading.gettrace(), faulthandler.is_enabled())
        return handlers, wakeup, hooks

    before = state()
    {FAILING.strip()}
    import prunella
    prunella.init()
    for number in range(50): work(number); attempt(number)
    prunella.flush()
    import time; time.sleep(0.05)
    assert state() == before
    prunella.init(uncaught=True, logging=True, instrument=["nothing_of_that_name"])
    attempt(1)
    assert state()[:2] == before[:2]
    print(before[0][signal.SIGTERM] is signal.SIG_DFL, before[0][signal.SIGINT])
    """
    )
    assert done.stdout.startswith("True <built-in function default_int_handler>")


def test_signals_end_a_program_as_before(run: Run, tmp_path: Path) -> None:
    """SIGTERM kills by its default, a handler of the program runs, Ctrl-C is `KeyboardInterrupt`."""
    done = run(
        f"{FAILING}\n    attempt(1)\n    import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        check=False,
    )
    assert done.returncode == -signal.SIGTERM
    done = run(
        f"""
    {FAILING.strip()}
    import os, signal, sys
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(7))

    @heal
    def wait(number):
        os.kill(os.getpid(), number)
        for _ in range(1000): pass

    try:
        wait(signal.SIGINT)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    wait(signal.SIGTERM)
    """,
        check=False,
    )
    assert (done.returncode, done.stdout) == (7, "interrupted\n")
    endings = [o.ending for o in of(tmp_path, Occurrence) if o.site_id == "__main__:wait"]
    assert endings == ["interrupted", "interrupted"]


def test_what_a_signal_handler_raises_reaches_the_program(run: Run, tmp_path: Path) -> None:
    """A time limit that a handler raises ends the work, also while a failure is being recorded.

    It is no fault of Prunella's, so recording isn't switched off by it.
    """
    done = run(
        f"""
    import signal
    {FAILING.strip()}

    class TimeLimit(Exception): pass

    raised = seen = 0

    def handler(number, frame):
        global raised
        raised += 1
        raise TimeLimit

    signal.signal(signal.SIGALRM, handler)
    attempt(0)
    def go_on(times):
        before = raised  # a loop of its own: Python 3.13 itself lets errors out of one in a `try`
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
        while raised == before:
            work([times]); attempt([times])

    for times in range(200):
        try:
            go_on(times)
        except TimeLimit:
            seen += 1
    from prunella.sdk.counters import counters, switched_off
    print(raised, seen, [name for name in counters if name.startswith("internal")], switched_off)
    """
    )
    assert done.stdout == "200 200 [] set()\n"


def test_descriptors_that_a_program_closes_are_not_written_to(run: Run, tmp_path: Path) -> None:
    """A daemon closes all descriptors: its own next files get no record, and none is lost."""
    done = run(
        f"""
    import os
    from pathlib import Path
    {FAILING.strip()}
    for number in range(5): attempt(number)
    os.closerange(3, 4096)
    files = [os.open(f"own{{number}}", os.O_RDWR | os.O_CREAT) for number in range(20)]
    for number in range(7): work(number); attempt(number)
    os.closerange(3, 4096)
    for number in range(7): attempt(number)
    print([each.stat().st_size for each in Path().glob("own*")] == [0] * 20)
    """
    )
    assert done.stdout == "True\n"
    assert errors_counted(tmp_path) == 19


def test_calls_in_other_threads_and_tasks_belong_to_who_carried_them(
    run: Run, tmp_path: Path
) -> None:
    """`carry` makes calls in threads, executors and loops children of the call that is running."""
    run(
        NESTED
        + """
    import asyncio, contextvars, threading
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(2)

    @heal
    def by_executor(): return pool.submit(carry(inner), 1).result()

    @heal
    def by_thread():
        thread = threading.Thread(target=carry(inner), args=(2,))
        thread.start(); thread.join()

    @heal
    async def by_tasks():
        loop = asyncio.get_running_loop()
        await asyncio.gather(asyncio.create_task(inner_later(3)), asyncio.to_thread(inner, 4))
        await loop.run_in_executor(pool, carry(inner), 5)
        future = asyncio.run_coroutine_threadsafe(carry(inner_later)(6), other)
        await asyncio.wrap_future(future)

    @heal
    def alone(): pool.submit(inner, 7).result()

    @heal
    async def fails():
        await asyncio.get_running_loop().run_in_executor(pool, carry(inner), 0)

    other = asyncio.new_event_loop()
    thread = threading.Thread(target=other.run_forever)
    thread.start()
    for number in range(9):  # past the first calls of `inner`, which would be recorded anyway
        by_executor(); by_thread()
    asyncio.run(by_tasks())
    alone()
    try: asyncio.run(fails())
    except ZeroDivisionError: pass
    other.call_soon_threadsafe(other.stop)
    thread.join()
    other.close()
    pool.shutdown()
    """,
        PRUNELLA_SAMPLE_FIRST="100",
        PRUNELLA_SAMPLE_INTERVAL_MS="0",
    )
    calls = {call.call_id: call for call in of(tmp_path, Call)}
    failed = {o.call_id: o for o in of(tmp_path, Occurrence)}
    site_of = {key: item.site_id.partition(":")[2] for key, item in (calls | failed).items()}
    made = {
        (site_of.get(call.parent_id), call.inputs[2])
        for call in (calls | failed).values()
        if call.site_id.endswith(("inner", "inner_later"))
    }
    assert made == {
        ("by_executor", 1), ("by_thread", 2), ("by_tasks", 3), ("by_tasks", 4), ("by_tasks", 5),
        ("by_tasks", 6), (None, 7), ("fails", 0),
    }  # fmt: skip
    for call in calls.values():
        if call.parent_id is not None:
            assert call.trace_id == calls[call.parent_id].trace_id


def test_workers_forked_from_a_server_record(run: Run, tmp_path: Path) -> None:
    """Prefork, as gunicorn does it: the app is loaded and used, then workers are forked and ended."""
    run(
        FAILING
        + """
    import os, signal, sys, time, warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: forking beside a thread
    for number in range(10): work(number); attempt(number)
    time.sleep(0.05)

    def serve(ending):
        ready = False
        def stop(number, frame): sys.exit(0)
        signal.signal(signal.SIGTERM, stop)
        for number in range(25): work(number); attempt(number)
        os.write(writer, b"x")
        if ending == "os._exit": os._exit(0)
        while True: time.sleep(0.01)

    reader, writer = os.pipe()
    workers = []
    for ending in ("SIGTERM", "SIGTERM", "SIGKILL", "os._exit"):
        child = os.fork()
        if not child:
            serve(ending)
        workers.append((child, ending))
    for _ in workers: os.read(reader, 1)
    codes = []
    for child, ending in workers:
        if ending != "os._exit": os.kill(child, getattr(signal, ending))
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    attempt(11)
    assert codes == [0, 0, -9, 0], codes
    """
    )
    assert errors_counted(tmp_path) == 11 + 4 * 25
    processes = of(tmp_path, Process)
    assert len({item.process_id for item in processes}) == 5
    last = {item.process_id: item.sites["__main__:fail"]["errors"] for item in of(tmp_path, Counts)}
    # Who is killed or leaves by os._exit writes no last counters; its records are there.
    assert Counter(last.values()) >= Counter([11, 25, 25])
    files = list((tmp_path / ".prunella" / "spool").iterdir())
    assert len(files) == 5


def test_greenlets_work_as_ever(run: Run, tmp_path: Path) -> None:
    """Under gevent calls of different greenlets don't mix, and every failure is recorded."""
    for order in ("import prunella\n    PATCH", "PATCH\n    import prunella"):
        program = """
    ORDER
    from prunella import heal
    from prunella.sdk import background
    background.LOOK_S = background.DELAY_S = 0.02

    @heal
    def inner(number):
        gevent.sleep(0)
        return 1 / (number % 3)

    @heal
    def outer(number):
        gevent.sleep(0)
        return inner(number)

    @heal
    def spawning(number):
        return gevent.spawn(inner, number).get()

    def attempt(number):
        try:
            outer(number)
        except ZeroDivisionError:
            pass

    jobs = [gevent.spawn(attempt, number) for number in range(60)]
    gevent.joinall(jobs, raise_error=True)
    assert spawning(1) == 1
    gevent.sleep(0.1)  # the background thread is a greenlet now
    print("done")
    """
        patch = "import gevent.monkey; gevent.monkey.patch_all(); import gevent"
        text = textwrap.dedent(program).replace("ORDER", textwrap.dedent(order))
        done = run(text.replace("PATCH", patch).replace("\n    import", "\nimport"))
        assert done.stdout == "done\n"
    failed = of(tmp_path, Occurrence)
    assert errors_counted(tmp_path) == 2 * 20
    assert len({item.process_id for item in of(tmp_path, Process)}) == 2
    calls = {item.call_id: item for item in [*of(tmp_path, Call), *failed]}
    nested = [item for item in calls.values() if item.parent_id in calls]
    assert nested
    for item in nested:
        parent = calls[item.parent_id]
        assert parent.site_id in ("__main__:outer", "__main__:spawning")
        assert parent.inputs == item.inputs
