"""Programs that report to a real server."""

from doubles.report_server import program, until
from prunella.adapters.sqlite_store import open_store
from prunella.sdk.reporting_state import read_state
from prunella.wiring.healer import Healer

FAILING = """
    import sys
    from prunella import heal

    @heal
    def fail(number):
        return 1 / 0

    def attempt(number):
        try:
            fail(number)
        except ZeroDivisionError:
            pass
"""


def incidents(server):
    store = open_store(server.root / ".prunella" / "prunella.db", create=True)
    try:
        return list(store.incidents())
    finally:
        store.close()


def test_a_failure_becomes_an_incident_on_the_server(tmp_path, server):
    """A program that fails and ends is an incident on the server, and nothing stays behind."""
    server.start()
    here = tmp_path / "app"
    running = program(here, FAILING + "\n    for n in range(10): attempt(n)\n", dsn=server.dsn)
    _, errors = running.communicate(timeout=30)
    assert (running.returncode, errors) == (0, "")
    (incident,) = until(lambda: incidents(server), what="an incident")
    assert incident.site_id == "__main__:fail"
    until(lambda: incidents(server)[0].count == 10, what="all ten")
    assert list((here / ".prunella" / "spool").iterdir()) == []
    assert not (here / ".prunella" / "prunella.db").exists()
    state = read_state(here / ".prunella")
    assert state is not None
    assert (state.problem, state.place) == ("", server.dsn)


def test_what_was_recorded_while_the_server_was_away_arrives(tmp_path, server):
    """A program loses nothing while no server is there, and neither does one that was killed."""
    here = tmp_path / "app"
    killed = program(
        here,
        FAILING + "\n    for n in range(5): attempt(n)\n    print(1, flush=True)\n"
        "    sys.stdin.read()\n",
        dsn=server.dsn,
    )
    assert killed.stdout.readline() == "1\n"
    killed.kill()
    killed.communicate()
    server.start()
    alive = program(
        here,
        FAILING + "\n    attempt(1)\n    print(1, flush=True)\n    sys.stdin.read()\n",
        dsn=server.dsn,
    )
    assert alive.stdout.readline() == "1\n"
    until(lambda: sum(i.count for i in incidents(server)) == 6, what="both programs' failures")
    server.kill()
    alive.communicate("", timeout=30)
    server.start()


def test_a_kill_switch_on_the_server_reaches_programs(tmp_path, server):
    """What is switched off on the server is off in programs elsewhere, until it is on again; theirs stay."""
    server.start()
    here = tmp_path / "app"
    running = program(
        here,
        FAILING + "\n    attempt(1)\n    print(1, flush=True)\n    sys.stdin.read()\n",
        dsn=server.dsn,
    )
    running.stdout.readline()
    until(lambda: incidents(server), what="the first report")
    folder = here / ".prunella"
    for name in ("fixes-off", "fixes-off-fix-a", "disabled"):
        switch = server.root / ".prunella" / name
        switch.write_text("by hand\n")
        until((folder / name).exists, what=f"{name} there")
        switch.unlink()
        until(lambda name=name: not (folder / name).exists(), what=f"{name} gone")
    (folder / "fixes-off").write_text("by hand, here\n")
    (server.root / ".prunella" / "fixes-off-fix-b").write_text("x")
    until((folder / "fixes-off-fix-b").exists)
    assert (folder / "fixes-off").exists(), "a person's own switch is theirs"
    running.communicate("", timeout=20)


DOCUMENT = {"fix_id": "fix-retry", "fix_type": "retry", "config": {"max_retries": 2}}


def test_a_fix_that_is_approved_on_the_server_acts_in_programs(tmp_path, server):
    """An approved fix is in the program's folder in a moment, and gone after a rollback."""
    server.start()
    here = tmp_path / "app"
    running = program(
        here,
        FAILING + "\n    attempt(1)\n    print(1, flush=True)\n    sys.stdin.read()\n",
        dsn=server.dsn,
    )
    running.stdout.readline()
    until(lambda: incidents(server), what="the first report")
    feed = here / ".prunella" / "fixes.json"
    with Healer(root=server.root) as healer:
        healer.fixes.add(DOCUMENT)
        healer.fixes.approve("fix-retry")
        until(lambda: feed.exists() and b"fix-retry" in feed.read_bytes(), what="the fix")
        healer.fixes.roll_back("fix-retry")
        until(lambda: b"fix-retry" not in feed.read_bytes(), what="its rollback")
    running.communicate("", timeout=20)
