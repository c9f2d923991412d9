"""Programs and servers that are killed at any moment: nothing is lost, nothing counted twice."""

import random
import time

from doubles.report_server import program, until
from prunella.adapters.sqlite_store import open_store

COUNTING = """
    import os, sys, time
    from prunella import heal

    @heal
    def fail(number):
        if number % 3:
            raise ValueError(f"bad {number}")
        raise KeyError("other")

    log = os.open(sys.argv[0] + f".{os.getpid()}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    print("ready", flush=True)
    number = 0
    while True:
        try:
            fail(number)
        except (ValueError, KeyError):
            os.write(log, b".")
        number += 1
        time.sleep(0.002)
"""

QUIET = """
    import sys
    from prunella import heal

    @heal
    def fine(number):
        return number

    fine(1)
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_kill_9_of_programs_and_server_loses_and_doubles_nothing(tmp_path, server):
    """Each failure that a program has seen is counted once on the server, whoever died in between."""
    chance = random.Random(8)
    here = tmp_path / "app"
    server.start()
    for round_number in range(3):
        running = [program(here, COUNTING, dsn=server.dsn) for _ in range(2)]
        for each in running:
            assert each.stdout.readline() == "ready\n"
        aim = logged(here) + chance.randrange(40, 200)
        until(lambda aim=aim: logged(here) >= aim, within_s=60, what="enough failures")
        if round_number < 2:
            server.kill()
        time.sleep(chance.uniform(0.0, 0.5))
        for each in running:
            each.kill()
            each.communicate()
        if round_number < 2:
            server.start()
            time.sleep(chance.uniform(0.0, 1.0))
    seen = logged(here)
    last = program(here, QUIET, dsn=server.dsn)
    assert last.stdout.readline() == "ready\n"
    spool = here / ".prunella" / "spool"
    until(
        lambda: list(spool.glob("*.jsonl")) == [newest(spool)],
        within_s=60,
        what="the end of all older files",
    )
    last.communicate("", timeout=30)
    store = open_store(server.root / ".prunella" / "prunella.db", create=False)
    until(lambda: not store.untriaged(limit=1), what="triage")
    counted = sum(incident.count for incident in store.incidents())
    store.close()
    assert seen <= counted <= seen + 6  # each of six may have died between failing and noting it
    assert seen > 100


def logged(folder):
    """Return how many failures the programs have seen."""
    return sum(path.stat().st_size for path in folder.glob("*.log"))


def newest(spool):
    """Return the file of the program that runs: the only one that stays."""
    return max(spool.glob("*.jsonl"), key=lambda path: path.name, default=None)
