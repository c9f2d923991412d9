"""The bot at work: real processes on one project, killed, stopped, and beside each other."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from acceptance.projects import problems
from doubles.alert_server import alert_server, black_hole
from prunella.adapters.sqlite_store import open_store
from prunella.model.clock import now
from prunella.model.errors import ConfigurationError, SandboxUnavailable
from prunella.wiring.bot import Bot, start_scheduler
from prunella.wiring.healer import Healer

#: A test command that says that it was reached, and waits until it may go on.
GATE = """
import pathlib, sys, time
pathlib.Path({started!r}).touch()
while not pathlib.Path({go!r}).exists():
    time.sleep(0.02)
"""
FIFTY = """
from ratings import average
for _ in range(25):
    try:
        average([])
    except ZeroDivisionError:
        pass
"""
_PATIENCE_S = 200


def start(project, *arguments, **environment):
    """Start a bot."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PRUNELLA_", "GIT_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "prunella.cli", "bot", "--json", *arguments],
        cwd=project.folder,
        env={**kept, **project.environment, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition):
    """Wait until something is so."""
    for _ in range(_PATIENCE_S * 20):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it didn't come so")


@pytest.fixture
def gated(recorded, tmp_path):
    """The project with tests that wait; gives it with the files ``started`` and ``go``."""
    started, go = tmp_path / "started", tmp_path / "go"
    gate = tmp_path / "gate.py"
    gate.write_text(GATE.format(started=str(started), go=str(go)))
    recorded.environment["PRUNELLA_TEST_COMMAND"] = f"python {gate}"
    return recorded, started, go


def claims(project):
    store = open_store(project.folder / ".prunella" / "prunella.db", create=False)
    try:
        return store, list(store.claims(since=now() - timedelta(hours=1)))
    finally:
        store.close()


def told(posted):
    return sorted(json.loads(body)["kind"] for _, _, body in posted.posts)


def test_two_bots_at_once_heal_and_tell_once(recorded):
    """Of two bots that start at the same moment one heals; each alert arrives once."""
    with alert_server() as posted:
        bots = [start(recorded, "--once", PRUNELLA_ALERT_WEBHOOK=posted.address) for _ in range(2)]
        ended = [bot.communicate(timeout=_PATIENCE_S) for bot in bots]
    assert [bot.returncode for bot in bots] == [0, 0], ended
    assert len(recorded.branches()) == 1
    assert [item.outcome for item in claims(recorded)[1]] == ["published"]
    assert told(posted) == ["new", "pull_request"]


def test_fifty_identical_errors_make_one_alert_and_one_pull_request(recorded):
    """However often something fails and the bot looks, there is one alert and one branch."""
    with alert_server() as posted:
        for _ in range(2):
            recorded.record(FIFTY)
            ended = recorded.run(
                "bot",
                "--once",
                "--json",
                PRUNELLA_ALERT_WEBHOOK=posted.address,
                PRUNELLA_COOLDOWN_MINUTES="0",
            )
            assert ended.code == 0, ended.err
    assert len(recorded.branches()) == 1
    assert told(posted) == ["new", "pull_request"]


def test_a_killed_bot_is_replaced(gated):
    """What a bot was at when it was killed is healed by another after the lease; nothing is left double."""
    project, started, go = gated
    with alert_server() as posted:
        bot = start(project, "--once", PRUNELLA_ALERT_WEBHOOK=posted.address)
        wait_for(started.exists)
        bot.kill()
        bot.communicate(timeout=_PATIENCE_S)
        go.touch()
        early = project.run("bot", "--once", "--json", PRUNELLA_ALERT_WEBHOOK=posted.address)
        assert early.document["tried"] == []
        assert project.branches() == []
        store, (claim,) = claims(project)
        store.keep_claim(replace(claim, lease_until=now()))  # as if it had run out
        late = project.run("bot", "--once", "--json", PRUNELLA_ALERT_WEBHOOK=posted.address)
        assert [item["outcome"] for item in late.document["tried"]] == ["published"]
    assert len(project.branches()) == 1
    assert told(posted) == ["new", "pull_request"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_bot_finishes_what_is_under_way(gated, number):
    """After SIGTERM or Ctrl-C the incident at hand is healed, and the bot ends with 0."""
    project, started, go = gated
    bot = start(project, "--every", "1s")
    wait_for(started.exists)
    bot.send_signal(number)
    go.touch()
    out, err = bot.communicate(timeout=_PATIENCE_S)
    assert bot.returncode == 0, err
    (line,) = [json.loads(item) for item in out.splitlines()]
    assert [item["outcome"] for item in line["tried"]] == ["published"]
    assert len(project.branches()) == 1


def test_a_dry_run_heals_nothing(recorded):
    """It says what is due, and changes and tells nothing."""
    with alert_server() as posted:
        ended = recorded.run("bot", "--dry-run", "--json", PRUNELLA_ALERT_WEBHOOK=posted.address)
    assert len(ended.document["due"]) == 1
    assert recorded.branches() == []
    assert posted.posts == []
    assert claims(recorded)[1] == []


def test_flags_that_mean_nothing_are_refused(recorded):
    """A time that is none, and a model that is none, end with 2."""
    for arguments in (["--every", "0s"], ["--every", "soon"], ["--every", "8d"]):
        assert recorded.run("bot", *arguments, "--json").code == 2
    assert recorded.run("bot", "--once", "--root", "/no/such/folder", "--json").code == 2


def test_a_dead_webhook_stops_nobody(recorded):
    """The program never talks to it; the bot heals, says nothing false, and tries again later."""
    with black_hole() as address:
        recorded.environment["PRUNELLA_ALERT_WEBHOOK"] = address
        recorded.record(FIFTY)
        ended = recorded.run("bot", "--once", "--json")
        assert [item["outcome"] for item in ended.document["tried"]] == ["published"]
        listed = recorded.run("alerts", "--json").document["alerts"]
    assert len(listed) == 2
    assert {item["standing"] for item in listed} <= {"waiting", "decided"}
    assert "could not be reached" in listed[0]["deliveries"][0]["reason"]
    with alert_server() as posted:
        sent = recorded.run("alerts", "send", "--json", PRUNELLA_ALERT_WEBHOOK=posted.address)
        assert sent.document["sent"] == 2
        assert told(posted) == ["new", "pull_request"]


def test_a_program_never_talks_to_the_webhook(recorded):
    """Alerts are the healer's: a program that fails makes no connection at all."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        recorded.environment["PRUNELLA_ALERT_WEBHOOK"] = (
            f"http://127.0.0.1:{server.getsockname()[1]}"
        )
        recorded.record(FIFTY)
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_program_has_no_code_that_could_tell_anybody(recorded):
    """Nothing that sends alerts is even imported where functions fail and are recorded."""
    recorded.environment["PRUNELLA_ALERT_URLS"] = "json://127.0.0.1:1/t0ken"
    recorded.environment["PRUNELLA_ALERT_WEBHOOK"] = "http://127.0.0.1:1"
    ended = recorded.python("-c", f"{FIFTY}\nimport sys\nprint(*sys.modules)")
    loaded = set(ended.out.split())
    assert "prunella.sdk.recording" in loaded
    assert not {name for name in loaded if "notifier" in name or name.startswith("apprise")}
    assert not {
        "prunella.adapters.webhook",
        "prunella.pipeline.alerts",
        "prunella.pipeline.deliver",
        "prunella.wiring.alerts",
    }.intersection(loaded)


def test_a_scheduler_heals_from_within_a_program(recorded):
    """`start_scheduler` heals what fails from a thread, until it is stopped."""
    with start_scheduler(0.02, root=recorded.folder, sandbox="none") as scheduler:
        assert scheduler.is_running
        wait_for(recorded.branches)
    assert not scheduler.is_running
    assert len(recorded.branches()) == 1
    with pytest.raises(ConfigurationError, match="above 0"):
        start_scheduler(0, root=recorded.folder)


def test_errors_of_the_healer_are_incidents_of_their_own(recorded, monkeypatch):
    """What stops a round is counted and told once, shown by doctor, never healed, and closed by success."""
    heal = Healer.heal
    errors = [SandboxUnavailable("no sandbox here"), ValueError("a fault of ours")]

    def broken(self, incident, **options):
        raise errors[0]

    with Healer(root=recorded.folder, sandbox="none", cooldown_minutes=0) as healer:
        bot = Bot(healer)
        monkeypatch.setattr(Healer, "heal", broken)
        for _ in range(3):
            with pytest.raises(SandboxUnavailable):
                bot.round()
        errors.reverse()
        (turn,) = bot.round().turns
        assert "fault in Prunella itself" in turn.problem
        own = [item for item in healer.incidents() if item.site_id == "prunella:healer"]
        assert sorted((item.count, item.status.value) for item in own) == [(1, "open"), (3, "open")]
        assert all(item.site_id != "prunella:healer" for item in healer.pending())
        kinds = [(item.alert.kind.value, item.alert.sites[0]) for item in healer.alerts.list()]
        assert kinds.count(("new", "prunella:healer")) == 2
        ended = recorded.run("doctor", "--json")
        assert problems(ended).count("healer") == 2
        refused = recorded.run("heal", own[0].incident_id, "--json")
        assert "an error of the healer itself" in refused.err
        monkeypatch.setattr(Healer, "heal", heal)
        assert [item.healing["outcome"] for item in bot.round().turns] == ["published"]
    assert "healer" not in problems(recorded.run("doctor", "--json"))
