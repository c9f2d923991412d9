"""What the interpreter, asyncio and the standard library raise."""

import asyncio
import builtins
import concurrent.futures
import configparser
import dataclasses
import decimal
import fractions
import io
import json
import os
import pathlib
import queue
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import uuid
import weakref
import zoneinfo
from datetime import datetime
from multiprocessing.pool import ThreadPool

from taxonomy_corpus.cases import Case, cases

CASES: list[Case] = []


class Account:
    owner = None


@dataclasses.dataclass(frozen=True)
class Point:
    x: int


def two(a, b):
    return a, b


def endless(n):
    return endless(n + 1)


def run(coroutine):
    return asyncio.run(coroutine)


async def waits_too_long():
    async with asyncio.timeout(0.001):
        await asyncio.sleep(5)


async def waits_too_long_for_a_future():
    await asyncio.wait_for(asyncio.Event().wait(), 0.001)


async def is_cancelled():
    task = asyncio.create_task(asyncio.sleep(5))
    await asyncio.sleep(0)
    task.cancel()
    await task


async def group_of_tasks():
    async with asyncio.TaskGroup() as group:
        group.create_task(fails_to_look_up())


async def fails_to_look_up():
    return {}["missing"]


async def reads_less_than_it_needs():
    reader = asyncio.StreamReader()
    reader.feed_data(b"abc")
    reader.feed_eof()
    await reader.readexactly(10)


async def finds_no_end_of_line():
    reader = asyncio.StreamReader(limit=8)
    reader.feed_data(b"x" * 100)
    await reader.readuntil(b"\n")


async def sets_a_result_twice():
    future = asyncio.get_running_loop().create_future()
    future.set_result(1)
    future.set_result(2)


async def connects_to_a_closed_port():
    await asyncio.open_connection("127.0.0.1", closed_port())


async def runs_inside_a_loop():
    coroutine = asyncio.sleep(0)
    try:
        asyncio.run(coroutine)
    finally:
        coroutine.close()


async def breaks_a_barrier():
    barrier = asyncio.Barrier(2)
    await barrier.abort()
    await barrier.wait()


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def connect_nowhere():
    socket.create_connection(("127.0.0.1", closed_port()), timeout=2)


def resolve(name):
    return socket.getaddrinfo(name, 80)


def read_in_vain():
    left, right = socket.socketpair()
    with left, right:
        left.settimeout(0.01)
        left.recv(1)


def read_without_waiting():
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        left.recv(1)


def write_to_a_closed_pipe():
    reading, writing = os.pipe()
    os.close(reading)
    try:
        os.write(writing, b"x")
    finally:
        os.close(writing)


def listen_twice():
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        first.listen()
        second.bind(first.getsockname())


def listen_elsewhere():
    with socket.socket() as one:
        one.bind(("192.0.2.1", 0))


def in_a_folder(use):
    with tempfile.TemporaryDirectory() as folder:
        return use(pathlib.Path(folder))


def use_as_folder(folder):
    (folder / "file").touch()
    return (folder / "file" / "below").read_text()


def make_twice(folder):
    (folder / "a").mkdir()
    (folder / "a").mkdir()


def copy_on_itself(folder):
    (folder / "a").touch()
    shutil.copyfile(folder / "a", folder / "a")


def open_too_many(folder):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (60, hard))
    files = []
    try:
        for number in range(100):
            files.append((folder / str(number)).open("w"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for file in files:
            file.close()


def change_while_iterating():
    names = {"a": 1}
    for name in names:
        names[name + name] = 2


def read_before_assigning():
    if not sys.argv:
        name = 1
    return name


def exhausts_a_queue():
    queue.Queue().get_nowait()


def overfills_a_queue():
    full = queue.Queue(maxsize=1)
    full.put_nowait(1)
    full.put_nowait(2)


def dead_reference():
    return weakref.proxy(Point(1)).x


def closed_read():
    file = io.BytesIO()
    file.close()
    return file.read()


def grow_a_shared_buffer():
    data = bytearray(b"abc")
    with memoryview(data):
        data.extend(b"d")


def lose_a_worker():
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        pool.submit(os._exit, 3).result()


def submit_after_the_end():
    pool = concurrent.futures.ThreadPoolExecutor(1)
    pool.shutdown()
    pool.submit(two, 1, 2)


def wait_for_a_thread():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        done = threading.Event()
        try:
            pool.submit(done.wait, 5).result(timeout=0.01)
        finally:
            done.set()


def wait_for_a_pool():
    done = threading.Event()
    with ThreadPool(1) as pool:
        try:
            pool.apply_async(done.wait, (5,)).get(timeout=0.01)
        finally:
            done.set()


def cancelled_future():
    future = concurrent.futures.Future()
    future.cancel()
    future.result()


def start_twice():
    thread = threading.Thread(target=two, args=(1, 2))
    thread.start()
    thread.join()
    thread.start()


def break_a_barrier():
    barrier = threading.Barrier(2)
    barrier.abort()
    barrier.wait()


def wraps_what_it_caught():
    try:
        connect_nowhere()
    except OSError as error:
        raise RuntimeError("the upstream did not answer") from error


def wraps_without_a_word():
    class UpstreamFailed(Exception):
        pass

    try:
        connect_nowhere()
    except OSError:
        raise UpstreamFailed("prices") from None


class Declined(Exception):
    pass


class OrderInvalid(ValueError):
    pass


class Overloaded(Exception):
    def __init__(self, message, status_code):
        super().__init__(message)
        self.status_code = status_code


def raises(error):
    raise error


def wraps_its_own():
    try:
        connect_nowhere()
    except OSError as error:
        raise Declined("no") from error


def next_of_nothing():
    return next(iter(()))


def generator_that_ends_early():
    def numbers():
        yield next_of_nothing()

    return list(numbers())


def no_memory():
    return bytearray(1 << 62)


cases(
    CASES, "CODE.TYPE.MISMATCH",
    add=lambda: 1 + "1", not_callable=lambda: Account.__name__(), unhashable=lambda: {[]: 1},
    order=lambda: sorted([1, "a"]), no_len=lambda: len(3), json_of_a_set=lambda: json.dumps({1}),
)  # fmt: skip
cases(
    CASES, "CODE.TYPE.ARGUMENTS",
    too_few=lambda: two(1), too_many=lambda: two(1, 2, 3), unknown_keyword=lambda: two(1, c=2),
    builtin=lambda: isinstance(1),
)  # fmt: skip
cases(
    CASES, "CODE.TYPE.NONE",
    attribute_of_none=lambda: Account.owner.name, item_of_none=lambda: Account.owner[0],
    iterate_none=lambda: list(Account.owner), none_plus_one=lambda: Account.owner + 1,
)  # fmt: skip
cases(
    CASES, "CODE.VALUE.CONVERSION",
    int_of_a_word=lambda: int("twelve"), float_of_a_word=lambda: float("1,5"),
    date=lambda: datetime.fromisoformat("yesterday"), uuid=lambda: uuid.UUID("x"),
    strptime=lambda: datetime.strptime("1.2.", "%Y-%m-%d"),
    decimal=lambda: decimal.Decimal("1,5"), fraction=lambda: fractions.Fraction("a/b"),
    bytes_of_hex=lambda: bytes.fromhex("zz"), ascii=lambda: "ä".encode("ascii"),
)  # fmt: skip
cases(
    CASES, "CODE.VALUE.INVALID",
    index=lambda: (1, 2).index(7), too_few_to_unpack=lambda: exec("a, b = [1]"),  # noqa: S102
    month=lambda: datetime(2026, 13, 1), own_value_error=lambda: raises(OrderInvalid("no lines")),
    mean_of_nothing=lambda: statistics.mean([]), negative=lambda: bytes(-1),
    unknown_zone=lambda: zoneinfo.ZoneInfo("Mars/Olympus"), remove=lambda: [1].remove(2),
)  # fmt: skip
cases(
    CASES, "CODE.KEY.MISSING",
    dict=lambda: {}["name"], environ=lambda: os.environ["PRUNELLA_NO_SUCH"], pop=lambda: {}.pop(1),
    set_remove=lambda: set().remove(1),
)  # fmt: skip
cases(
    CASES, "CODE.INDEX.OUT_OF_RANGE",
    list=lambda: [][0], string=lambda: ""[0], pop_list=lambda: [].pop(), tuple=lambda: ()[1],
)  # fmt: skip
cases(
    CASES, "CODE.ATTRIBUTE.MISSING",
    attribute=lambda: Account.name, module_attribute=lambda: json.parse, slots=lambda: (1).x,
)  # fmt: skip
cases(CASES, "CODE.NAME.UNDEFINED", name=lambda: undefined, unbound=read_before_assigning)  # noqa: F821
cases(
    CASES, "CODE.ARITHMETIC.ZERO",
    divide=lambda: 1 / 0, modulo=lambda: 1 % 0, decimal_zero=lambda: decimal.Decimal(1) / 0,
)  # fmt: skip
cases(
    CASES, "CODE.ARITHMETIC.OVERFLOW",
    float_power=lambda: 10.0**400, float_of_int=lambda: float(10**400),
    decimal_overflow=lambda: decimal.Decimal("1e999999") ** 9,
)  # fmt: skip
cases(
    CASES, "CODE.IMPORT.FAILED",
    module=lambda: __import__("no_such_module"), imported_name=lambda: exec("from json import nothing"),  # noqa: S102
)  # fmt: skip
cases(
    CASES, "CODE.SYNTAX.INVALID",
    source=lambda: compile("a b", "<test>", "exec"), pattern=lambda: re.compile("("),
    indentation=lambda: compile("if 1:\npass", "<test>", "exec"),
)  # fmt: skip
cases(
    CASES, "CODE.STATE.INVALID",
    frozen=lambda: setattr(Point(1), "x", 2), closed_file=closed_read,
    write_to_reader=lambda: io.BufferedReader(io.BytesIO()).write(b""), dead_reference=dead_reference,
    result_twice=lambda: run(sets_a_result_twice()), after_the_end=submit_after_the_end,
    buffer=grow_a_shared_buffer,
)  # fmt: skip
cases(
    CASES, "CODE.STATE.CONCURRENCY",
    dict_changed=change_while_iterating, loop_in_loop=lambda: run(runs_inside_a_loop()),
    started_twice=start_twice, barrier=break_a_barrier, lock=lambda: threading.Lock().release(),
    no_loop=asyncio.get_running_loop, async_barrier=lambda: run(breaks_a_barrier()),
    release_rlock=lambda: threading.RLock().release(),
)  # fmt: skip
cases(
    CASES, "CODE.STATE.QUEUE",
    empty=exhausts_a_queue, full=overfills_a_queue,
    async_empty=lambda: asyncio.Queue().get_nowait(),
)  # fmt: skip
cases(
    CASES, "CODE.ITERATION.EXHAUSTED",
    next=next_of_nothing, in_generator=generator_that_ends_early,
)  # fmt: skip
cases(CASES, "CODE.LOGIC.ASSERTION", assertion=lambda: exec("assert 1 == 2"))  # noqa: S102
cases(
    CASES, "CODE.LOGIC.NOT_IMPLEMENTED",
    not_implemented=lambda: raises(NotImplementedError("later")),
    of_the_library=lambda: asyncio.AbstractEventLoop().time(),
)  # fmt: skip
cases(CASES, "CODE.LOGIC.RECURSION", recursion=lambda: endless(0))
cases(
    CASES, "CODE.LOGIC.UNCLASSIFIED",
    own_class=lambda: raises(Declined("no")), plain=lambda: raises(Exception("something")),
    hidden_cause=wraps_without_a_word,
)  # fmt: skip
cases(
    CASES, "NET.CONNECTION.REFUSED",
    socket_refused=connect_nowhere, wrapped=wraps_what_it_caught, own_wrapped=wraps_its_own,
    stream_refused=lambda: run(connects_to_a_closed_port()),
)  # fmt: skip
cases(
    CASES, "NET.DNS.NOT_FOUND",
    gaierror=lambda: raises(socket.gaierror(socket.EAI_NONAME, "Name or service not known")),
    label_too_long=lambda: resolve("name.invalid"),
)  # fmt: skip
cases(CASES, "NET.IO.TIMEOUT", socket_timeout=read_in_vain)
cases(CASES, "NET.CONNECTION.RESET", broken_pipe=write_to_a_closed_pipe)
cases(CASES, "NET.ADDRESS.UNAVAILABLE", in_use=listen_twice, not_ours=listen_elsewhere)
cases(CASES, "NET.PROTOCOL.INCOMPLETE", stream_ended=lambda: run(reads_less_than_it_needs()))
cases(CASES, "NET.PROTOCOL.VIOLATION", no_end_of_line=lambda: run(finds_no_end_of_line()))
cases(CASES, "HTTP.SERVER.UNAVAILABLE", own_status=lambda: raises(Overloaded("busy", 503)))
cases(
    CASES, "SYS.TIME.DEADLINE",
    asyncio_timeout=lambda: run(waits_too_long()), thread_future=wait_for_a_thread,
    wait_for=lambda: run(waits_too_long_for_a_future()), pool_get=wait_for_a_pool,
)  # fmt: skip
cases(
    CASES, "SYS.CALL.CANCELLED",
    cancelled=lambda: run(is_cancelled()), cancelled_future=cancelled_future,
)  # fmt: skip
cases(
    CASES, "SYS.CALL.INTERRUPTED",
    exit=lambda: sys.exit(2), interrupt=lambda: raises(KeyboardInterrupt()),
)  # fmt: skip
cases(CASES, "CODE.KEY.MISSING", task_group=lambda: run(group_of_tasks()))
cases(
    CASES, "SYS.FILE.NOT_FOUND",
    open=lambda: builtins.open("/no/such/file"), listdir=lambda: os.listdir("/no/such"),  # noqa: PTH208
    program=lambda: subprocess.run(["/no/such/program"], check=True),
)  # fmt: skip
cases(CASES, "SYS.FILE.EXISTS", mkdir=lambda: in_a_folder(make_twice),
      same_file=lambda: in_a_folder(copy_on_itself))  # fmt: skip
cases(
    CASES, "SYS.FILE.WRONG_KIND",
    read_a_folder=lambda: in_a_folder(lambda folder: folder.read_text()),
    not_a_folder=lambda: in_a_folder(use_as_folder),
)  # fmt: skip
cases(
    CASES, "SYS.FILE.ACCESS_DENIED",
    write_to_proc=lambda: os.kill(1, 0) if os.getuid() else raises(PermissionError(13, "no")),
    read_only=lambda: raises(OSError(30, "Read-only file system")),
)  # fmt: skip
cases(CASES, "SYS.FILE.TOO_MANY_OPEN", too_many_files=lambda: in_a_folder(open_too_many))
cases(CASES, "SYS.DISK.FULL", full_device=lambda: pathlib.Path("/dev/full").write_text("x" * 9_999))
cases(CASES, "SYS.MEMORY.EXHAUSTED", memory=no_memory)
cases(
    CASES, "SYS.PROCESS.FAILED",
    check=lambda: subprocess.run([sys.executable, "-c", "raise SystemExit(3)"], check=True),
    output=lambda: subprocess.check_output([sys.executable, "-c", "raise SystemExit(4)"]),
)  # fmt: skip
cases(
    CASES, "SYS.PROCESS.TIMEOUT",
    slow=lambda: subprocess.run(["/bin/sleep", "5"], timeout=0.01, check=False),
)  # fmt: skip
cases(CASES, "SYS.PROCESS.NOT_FOUND", kill=lambda: os.kill(2**22 - 3, 0),
      wait=lambda: os.waitpid(2**22 - 3, 0))  # fmt: skip
cases(CASES, "SYS.PROCESS.LOST", worker=lose_a_worker)
cases(CASES, "SYS.RESOURCE.BUSY", non_blocking=read_without_waiting)
cases(
    CASES, "SYS.CONFIG.MISSING",
    section=lambda: configparser.ConfigParser().get("a", "b"),
    option=lambda: configparser.ConfigParser().get("DEFAULT", "b"),
)  # fmt: skip
