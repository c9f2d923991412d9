import io
import json

import pytest

from prunella.adapters.feed import switched_off
from prunella.adapters.sqlite_store import open_store
from prunella.cli.app import run
from prunella.cli.commands.fixes import STATES
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session
from prunella.model.ids import ProcessId
from prunella.model.records import Counts, FixCounts
from prunella.model.rollouts import RolloutState

RETRY = {
    "fix_id": "fix-abc123",
    "fix_type": "retry",
    "target": {"sites": ["weather:fetch"], "error_codes": ["TOOL.EXECUTION.TIMEOUT"]},
    "config": {"max_retries": 3, "initial_delay_ms": 1000},
}


class Project:
    """A project's folder, and the command line in it."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "pyproject.toml").write_text("")

    def write(self, document, name="fix.json"):
        path = self.folder / name
        path.write_text(json.dumps(document))
        return str(path)

    def run(self, *arguments):
        """Return exit code, standard output and standard error of ``prunella fixes``."""
        out, err = io.StringIO(), io.StringIO()
        where = () if "validate" in arguments else ("--root", str(self.folder))
        code = run(["fixes", *arguments, *where], Session(stdout=out, stderr=err))
        return code, out.getvalue(), err.getvalue()

    def json(self, *arguments):
        code, out, err = self.run(*arguments, "--json")
        assert code is ExitCode.DONE, err
        return json.loads(out)

    def feed(self):
        return json.loads((self.folder / ".prunella" / "fixes.json").read_text())["installations"]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_help_names_the_states_there_are():
    """What --state offers is exactly the states of a rollout."""
    assert tuple(STATES) == tuple(state.value for state in RolloutState)


def test_a_fix_goes_its_way_by_commands(project):
    """From a file to a canary, paused, resumed and rolled back: programs are told of each step."""
    added = project.json("add", project.write(RETRY), "--reason", "the API is slow")
    assert (added["state"], added["reason"]) == ("candidate", "the API is slow")
    assert project.json("approve", "fix-abc")["state"] == "testing"
    assert project.feed()[0]["document"]["fix_id"] == "fix-abc123"
    assert project.json("pause", "fix-abc123")["paused"]
    assert project.feed() == []
    project.json("resume", "fix-abc123")
    assert project.feed()[0]["allocation"]["epoch"] == 2
    assert project.json("rollback", "fix-abc123", "--reason", "no")["state"] == "rolled_back"
    assert project.feed() == []
    story = project.json("show", "fix-abc123")
    assert [entry["action"] for entry in story["history"]] == [
        "fix.proposed",
        "fix.approved",
        "rollout.paused",
        "rollout.resumed",
        "rollout.rolled_back",
    ]
    assert "@" in story["history"][0]["actor"]


def test_lists_leave_out_what_ended(project):
    """A list shows what acts or waits, and says how many others there are."""
    project.json("add", project.write(RETRY))
    assert [item["fix_id"] for item in project.json("list")["fixes"]] == ["fix-abc123"]
    project.json("remove", "fix-abc123")
    assert project.json("list") == {"fixes": [], "ended": 1}
    assert len(project.json("list", "--all")["fixes"]) == 1
    assert len(project.json("--state", "retired")["fixes"]) == 1
    _, out, _ = project.run("list")
    assert "1 ended fix: --all" in out


def test_an_ended_fix_comes_again_as_another_version(project):
    """A document whose fix has ended is its next version; one that acts or waits is refused."""
    file = project.write(RETRY)
    project.json("add", file)
    code, _, err = project.run("add", file)
    assert code is ExitCode.NEGATIVE
    assert "is there already" in err
    project.json("remove", "fix-abc123")
    assert project.json("add", file)["version"] == 2


def test_a_dry_run_keeps_nothing(project):
    """`add --dry-run` says what would be kept, and keeps it not."""
    assert project.json("add", project.write(RETRY), "--dry-run")["fix_id"] == "fix-abc123"
    assert project.json("list") == {"fixes": [], "ended": 0}


def test_a_fix_in_shadow_is_told_as_such(project):
    """A fix added in shadow reaches programs to log what it would do."""
    project.json("add", project.write(RETRY), "--shadow")
    assert project.feed()[0]["mode"] == "shadow"


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({**RETRY, "fix_type": "magic"}, "fix_type"),
        ({**RETRY, "konfig": {}}, "konfig"),
        ({**RETRY, "config": {"max_retries": -1}}, "config.max_retries"),
        ({"fix_id": "x", "fix_type": "retry"}, "config"),
        ([], "document"),
    ],
)
@pytest.mark.parametrize("command", ["add", "validate"])
def test_a_bad_document_is_refused_with_the_place(project, command, document, place):
    """What isn't valid ends with 2, names the key it stands at, and leaves no trace."""
    code, out, err = project.run(command, project.write(document))
    assert (code, out) == (ExitCode.USAGE, "")
    assert place in err
    assert not (project.folder / ".prunella" / "fixes.json").exists()


def test_what_is_no_json_is_refused(project):
    """A file that isn't JSON ends with 2 and says so."""
    path = project.folder / "fix.json"
    path.write_text("{not json")
    code, _, err = project.run("validate", str(path))
    assert code is ExitCode.USAGE
    assert "no JSON" in err


def test_validating_keeps_nothing(project):
    """A valid document is shown as it is understood, and isn't kept."""
    assert project.json("validate", project.write(RETRY))["fix_id"] == "fix-abc123"
    assert not (project.folder / ".prunella").exists()


def test_hostile_words_stay_words(project):
    """Whatever stands in a document can't move the cursor or colour the terminal."""
    hostile = {**RETRY, "description": "\x1b]0;owned\x07[bold]x[/bold]"}
    project.json("add", project.write(hostile), "--reason", "\x1b[31mred [bold]")
    for arguments in (("list",), ("show", "fix-abc123")):
        code, out, _ = project.run(*arguments)
        assert code is ExitCode.DONE
        assert "\x1b" not in out


def test_the_kill_switch_needs_no_store(project):
    """`off` and `on` make and remove one file; doctor and the exit code tell."""
    data = project.folder / ".prunella"
    data.mkdir()
    (data / "prunella.db").write_bytes(b"no database at all")
    assert project.json("off", "--reason", "too many")["off"] is True
    assert "too many" in (data / "fixes-off").read_text()
    assert project.json("off", "fix/a")["fix_id"] == "fix/a"
    assert switched_off(data) == [None, "fix/a"]
    assert project.json("on")["was_off"] is True
    assert project.json("on", "fix/a")["was_off"] is True
    assert project.run("on")[0] is ExitCode.NEGATIVE
    assert switched_off(data) == []


def test_a_fix_is_shown_with_what_programs_did_by_it(project):
    """`show` lists the processes that met it, with its counts and its latest words."""
    project.json("add", project.write(RETRY), "--shadow")
    counts = FixCounts(
        shadow=7,
        fault=1,
        would={"retry after TimeoutError": 7},
        latest={"fault": "ValueError: \x1b[31mno"},
    )
    record = Counts(
        process_id=ProcessId("proc_1"), sequence=1, sites={}, sdk={}, fixes={"fix-abc123": counts}
    )
    store = open_store(project.folder / ".prunella" / "prunella.db", create=True)
    store.ingest([record], spool_name="one.jsonl", end_offset=1)
    store.close()
    (process,) = project.json("show", "fix-abc123")["processes"]
    assert process["counts"]["shadow"] == 7
    _, out, _ = project.run("show", "fix-abc123")
    assert "would retry after TimeoutError: 7" in out
    assert "ValueError" in out
    assert "\x1b" not in out
