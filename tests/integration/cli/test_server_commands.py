"""The commands that say who may do what on a server, and those that serve and work."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from integration.server.conftest import fill
from prunella.cli.app import run
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session
from prunella.model.clock import now
from prunella.model.jobs import JobKind, JobState
from prunella.server.opening import is_loopback
from prunella.wiring.healer import Healer
from prunella.wiring.jobs import Jobs

_PATIENCE_S = 90
WORK_AND_DIE = """
import sys, time
from datetime import timedelta
from prunella.wiring.healer import Healer
from prunella.wiring.jobs import JobRunner

def hang(healer, job):
    print("at work", flush=True)
    time.sleep(600)

healer = Healer(root=sys.argv[1])
JobRunner(lambda: [healer], worker="doomed", work=hang, lease=timedelta(seconds=2)).once()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pyproject.toml").write_text("")
    return tmp_path


@pytest.fixture
def command(folder):
    """Return what runs a command line, and answers its exit code, output and errors."""

    def run_command(*arguments):
        out, err = io.StringIO(), io.StringIO()
        code = run([*arguments, "--root", str(folder)], Session(stdout=out, stderr=err))
        return code, out.getvalue(), err.getvalue()

    return run_command


@pytest.fixture
def answer(command):
    """Return what runs a command line and answers its JSON."""

    def run_command(*arguments):
        code, out, err = command(*arguments, "--json")
        assert code is ExitCode.DONE, err
        return json.loads(out)

    return run_command


def wait_for(condition):
    for _ in range(_PATIENCE_S * 20):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it didn't come so")


def test_users_come_change_and_go(command, answer):
    """The first user is made here, by invitation; roles change; the last admin stays."""
    assert "prunella users add NAME --role admin" in command("users")[1]
    added = answer("users", "add", "ana", "--role", "admin")
    assert added["invitation"].startswith("/invitation/")
    assert added["user"]["roles"] == {"*": "admin"}
    answer("users", "add", "ben", "--role", "local=viewer", "--invite")
    changed = answer("users", "roles", "ben", "--role", "local=operator")
    assert changed["user"]["roles"] == {"local": "operator"}
    assert answer("users", "password", "ben", "--invite")["invitation"]
    assert [user["name"] for user in answer("users")["users"]] == ["ana", "ben"]
    assert "local=operator" in command("users")[1]
    answer("users", "remove", "ben")
    code, _, err = command("users", "remove", "ana")
    assert (code, "only admin" in err) == (ExitCode.USAGE, True)
    code, _, err = command("users", "add", "eve", "--role", "queen")
    assert (code, "queen" in err) == (ExitCode.USAGE, True)


def test_keys_and_tokens_are_shown_once(command, answer, folder):
    """The secret is printed when it is made, and never again: the file has its digest alone."""
    code, secret, _ = command("keys", "add", "web")
    assert (code, secret[:4], secret.count("\n")) == (ExitCode.DONE, "prk_", 1)
    made = answer("tokens", "add", "ci", "--role", "operator", "--expires", "90d")
    assert made["token"]["role"] == "operator"
    (key,) = answer("keys")["keys"]
    listed = command("keys")[1] + command("tokens")[1]
    assert key["credential_id"] in listed
    kept = b"".join(path.read_bytes() for path in (folder / ".prunella").iterdir())
    for each in (secret.strip(), made["secret"]):
        assert each not in listed
        assert each.encode() not in kept
    answer("keys", "remove", key["credential_id"])
    assert answer("keys")["keys"] == []
    assert command("keys", "remove", key["credential_id"])[0] is ExitCode.USAGE
    assert command("tokens", "remove", "tok_none")[0] is ExitCode.USAGE
    assert command("keys", "add", "web", "--project", "nothing")[0] is ExitCode.USAGE


def test_an_embedded_store_has_its_one_project(command, answer):
    """Projects are for servers on a database; without one the command says so."""
    assert [project["name"] for project in answer("projects")["projects"]] == ["local"]
    code, _, err = command("projects", "add", "shop")
    assert (code, "--database" in err) == (ExitCode.USAGE, True)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "prunella.example"])  # noqa: S104
def test_nothing_is_served_to_others_without_a_login(command, host):
    """Beyond loopback the server doesn't start, and says what to do."""
    code, _, err = command("serve", "--host", host)
    assert code is ExitCode.USAGE
    assert "--auth" in err


def test_loopback_is_this_machine_alone():
    """Addresses that only this machine reaches, whatever they are called."""
    assert all(map(is_loopback, ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "10.0.0.1", "localhost.example"]))  # noqa: S104


def started(folder, *arguments):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PRUNELLA_")}
    return subprocess.Popen(
        [sys.executable, *arguments, str(folder)],
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def healer(folder):
    with Healer(root=folder) as found:
        found.make_store()
        fill(found)
        yield found


def test_a_worker_does_what_is_asked_until_it_is_stopped(folder, healer):
    """`prunella worker` takes jobs of the project, and ends cleanly on SIGTERM."""
    asked = Jobs(healer).ask(JobKind.SUGGEST, healer.incidents()[0].incident_id, actor="ana")
    worker = started(folder, "-m", "prunella.cli", "worker", "--jobs-only", "--root")
    try:
        wait_for(lambda: Jobs(healer).get(asked.job_id).state.is_over)
        worker.send_signal(signal.SIGTERM)
        said = worker.communicate(timeout=_PATIENCE_S)[0]
    finally:
        worker.kill()
    assert (worker.returncode, said) == (0, "")
    assert Jobs(healer).get(asked.job_id).state is JobState.DONE


def test_a_killed_workers_job_is_done_by_another(folder, healer):
    """After kill -9 in the middle of a job, the lease ends and the next worker does it."""
    asked = Jobs(healer).ask(JobKind.SUGGEST, healer.incidents()[0].incident_id, actor="ana")
    doomed = started(folder, "-c", WORK_AND_DIE)
    assert doomed.stdout.readline() == "at work\n"
    doomed.kill()
    doomed.communicate()
    left = Jobs(healer).get(asked.job_id)
    assert (left.state, left.worker, left.attempt) == (JobState.RUNNING, "doomed", 1)
    wait_for(lambda: now() > left.lease_until)
    worker = started(folder, "-m", "prunella.cli", "worker", "--jobs-only", "--root")
    try:
        wait_for(lambda: Jobs(healer).get(asked.job_id).state.is_over)
    finally:
        worker.terminate()
        worker.communicate(timeout=_PATIENCE_S)
    done = Jobs(healer).get(asked.job_id)
    assert (done.state, done.attempt) == (JobState.DONE, 2)
