"""Settings, tests, interpreter, permissions and the language model misbehave."""

import os
import shutil
import sqlite3
import subprocess

import pytest

from acceptance.projects import RATINGS, problems, refused
from doubles.openai_endpoint import chatter, endpoint, refused_key, rubbish, slow

STORE = ".prunella/prunella.db"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({".prunellaignore": "path:\n"}, (".prunellaignore:1", "path:")),
        ({".vtwignore": "Not Found!\n"}, (".vtwignore:1", "Not Found!")),
        ({".prunella_errors.json": "{"}, (".prunella_errors.json", "JSON")),
        ({".prunella_errors.json": '{"E": 3}'}, (".prunella_errors.json", "'E'", "3")),
        ({"pyproject.toml": "[tool.prunella\n"}, ("pyproject.toml", "TOML")),
        ({"pyproject.toml": "[tool.prunella]\nlokback = 1\n"}, ("lokback", "lookback_minutes")),
        ({"pyproject.toml": "[tool.prunella]\nreplay_calls = 'x'\n"}, ("replay_calls", "'x'")),
    ],
    ids=lambda value: "" if isinstance(value, tuple) else next(iter(value)),
)
def test_a_malformed_file_of_the_project(recorded, files, words):
    """The file, the place and the value are named; doctor says the same and ends with 1 or 2."""
    recorded.write(files)
    message = refused(recorded, "heal", "average", code=2)
    for word in words:
        assert word in message
    ended = recorded.run("doctor", "--json")
    assert ended.code in (1, 2)
    assert words[0] in ended.out


def test_doctor_looks_at_the_rest_where_the_settings_are_unreadable(recorded):
    """File and line are named without a traceback, the other areas are looked at, and it ends with 2."""
    recorded.write({"pyproject.toml": "[tool.prunella]\nsandbox = \n"})
    ended = recorded.run("doctor", "--json")
    assert ended.code == 2
    assert "pyproject.toml" in ended.err
    assert "line 2" in ended.err
    assert "Traceback" not in ended.err
    areas = {item["area"] for item in ended.document["findings"]}
    assert {"configuration", "store", "spool", "sandbox", "git"} <= areas
    assert "configuration" in problems(ended)


def test_an_unusable_variable(recorded):
    """The variable and its value are named."""
    message = refused(recorded, "heal", "average", code=2, PRUNELLA_LOOKBACK_MINUTES="soon")
    assert "PRUNELLA_LOOKBACK_MINUTES" in message
    assert "'soon'" in message
    message = refused(recorded, "doctor", code=2, PRUNELLA_SANDBOX="chroot")
    assert "'chroot'" in message


def attempt_of(project, *arguments, code=0, **environment):
    """Run heal on `average` and return the attempt."""
    ended = project.run("heal", "average", "--force", "--json", *arguments, **environment)
    assert ended.code == code, (ended.out, ended.err)
    return ended.document["healings"][0]


def check_by_tests(attempt):
    """Return what the check ``tests`` of the best proposal found."""
    checks = attempt["proposals"][0]["verdict"]["checks"]
    return next(item for item in checks if item["name"] == "tests")


def test_tests_that_hang(recorded):
    """They are ended when their time is over, and show nothing."""
    recorded.environment["PRUNELLA_TEST_COMMAND"] = "python -c 'import time; time.sleep(600)'"
    check = check_by_tests(attempt_of(recorded, PRUNELLA_TEST_TIMEOUT_S="0.5"))
    assert check["outcome"] == "not_shown"
    assert "in time" in check["detail"]


def test_tests_that_fail_before(recorded):
    """They don't count against the patch, and prove nothing for it."""
    recorded.environment["PRUNELLA_TEST_COMMAND"] = "python -c 'raise SystemExit(3)'"
    check = check_by_tests(attempt_of(recorded))
    assert check["outcome"] == "not_shown"
    assert "exit code 3" in check["detail"]


def test_a_test_command_that_is_none(recorded):
    """It is named by heal and by doctor."""
    recorded.environment["PRUNELLA_TEST_COMMAND"] = "no-such-runner --all"
    check = check_by_tests(attempt_of(recorded))
    assert check["outcome"] == "not_shown"
    assert "no-such-runner" in check["detail"]
    assert "tests" in problems(recorded.run("doctor", "--json"))
    unbalanced = {"PRUNELLA_TEST_COMMAND": "pytest 'tests"}
    assert "pytest 'tests" in refused(recorded, "heal", "average", "--force", code=2, **unbalanced)


def test_the_recorded_interpreter_is_gone(recorded):
    """Its path is named, and the setting that names another."""
    recorded.run("incidents", "--json")
    with sqlite3.connect(recorded.folder / STORE) as db:
        db.execute("UPDATE process SET body = replace(body, '/bin/python', '/bin/gone')")
    db.close()
    for command in ("heal", "replay"):
        message = refused(recorded, command, "average", code=3)
        assert "/bin/gone" in message
        assert "setting python" in message


def test_a_dry_run_writes_nothing(recorded):
    """Neither a row of the store nor a branch, also with a model, which isn't asked."""
    recorded.run("incidents", "--json")
    before = dump(recorded)
    with endpoint(rubbish()) as model:
        recorded.environment |= {
            "PRUNELLA_MODEL": "openai:gpt-4.1",
            "PRUNELLA_MODEL_BASE_URL": model.openai_url,
        }
        attempt = attempt_of(recorded, "--dry-run")
        assert model.requests == []
    assert attempt["outcome"] == "proven"
    assert attempt["questions"]
    assert dump(recorded) == before
    assert recorded.branches() == []
    assert not (recorded.folder / ".prunella" / "pull-requests").exists()


def dump(project):
    """Return everything in the store, as text."""
    db = sqlite3.connect(project.folder / STORE)
    try:
        return list(db.iterdump())
    finally:
        db.close()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (rubbish(), "openai:gpt-4.1"),
        (chatter(20_000), "openai:gpt-4.1"),
        (refused_key(), "401"),
        (slow(2.0), "0.5 s"),
    ],
    ids=["rubbish", "chatter", "refused key", "slow"],
)
def test_a_model_that_is_no_use(recorded, script, words):
    """The rules' patch stands, and what the model did is said."""
    with endpoint(script) as model:
        attempt = attempt_of(
            recorded,
            PRUNELLA_MODEL="openai:gpt-4.1",
            PRUNELLA_MODEL_BASE_URL=model.openai_url,
            PRUNELLA_MODEL_TIMEOUT_S="0.5" if "s" in words.split() else "20",
        )
        assert model.requests
    assert attempt["outcome"] == "proven"
    assert words in attempt["note"]


def test_a_model_that_cannot_be_asked(recorded):
    """No key, nobody listening, a name that is none: the rules' patch stands, and it is said."""
    for model, url, words in (
        ("openai:gpt-4.1", "", "OPENAI_API_KEY"),
        ("openai:gpt-4.1", "http://127.0.0.1:9/v1", "reach"),
    ):
        attempt = attempt_of(recorded, "--model", model, PRUNELLA_MODEL_BASE_URL=url)
        assert attempt["outcome"] == "proven"
        assert words in attempt["note"]
    ended = recorded.run("doctor", "--json", PRUNELLA_MODEL="openai:gpt-4.1")
    assert "model" in problems(ended)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_a_read_only_project(recorded):
    """What can't be written is named; nothing ends in a traceback."""
    recorded.run("incidents", "--json")
    for folder, _, names in os.walk(recorded.folder):
        for name in [*names, "."]:
            path = os.path.join(folder, name)  # noqa: PTH118 - os.walk gives text
            os.chmod(path, os.stat(path).st_mode & ~0o222)  # noqa: PTH101, PTH116
    # Root writes everywhere, unless it gives that up.
    bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if os.geteuid() == 0 and subprocess.run([*bound, "true"], check=False).returncode == 0:
        recorded.prefix = bound
    ended = recorded.run("incidents", "--json")
    assert ended.code in (0, 3)
    if ended.code:
        assert STORE in ended.message
    assert recorded.run("doctor", "--json").code == 1
    ended = recorded.run("heal", "average", "--pr", "--json")
    assert ended.code == 3
    assert ".prunella" in ended.message


def test_a_pull_request_text_that_cannot_be_written(recorded):
    """No branch is made without it."""
    recorded.run("incidents", "--json")
    (recorded.folder / ".prunella" / "pull-requests").write_text("in the way")
    message = refused(recorded, "heal", "average", "--pr", code=3)
    assert "pull-requests" in message
    assert recorded.branches() == []
    assert (recorded.folder / "ratings.py").read_text() == RATINGS
