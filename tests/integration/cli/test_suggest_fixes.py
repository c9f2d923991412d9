"""Fixes that are proposed from what a program recorded."""

import io
import json
import subprocess
import sys

import pytest

from prunella.cli.app import run
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session
from prunella.wiring.healer import Healer

#: Fails every third call, works again at once; takes its time, so that durations mean something.
PROGRAM = """
import itertools, time
from prunella import heal, tool


@tool(idempotent=IDEMPOTENT)
def fetch(city):
    time.sleep(0.002)
    if next(count) % 3 == 0:
        raise TimeoutError("upstream")
    return city


count = itertools.count()
for number in range(60):
    try:
        fetch(f"city {number}")
    except TimeoutError:
        pass
    time.sleep(0.06)
"""


class Project:
    def __init__(self, folder, *, idempotent):
        self.folder = folder
        (folder / "pyproject.toml").write_text("[tool.prunella]\nsample_interval_ms = 1\n")
        (folder / "weather.py").write_text(PROGRAM.replace("IDEMPOTENT", str(idempotent)))
        subprocess.run([sys.executable, "weather.py"], cwd=folder, check=True, timeout=60)
        with Healer(root=folder) as healer:
            healer.refresh()
            (self.incident,) = healer.incidents()

    def suggest(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        words = ["fixes", "suggest", self.incident.incident_id, "--root", str(self.folder)]
        code = run([*words, *arguments], Session(stdout=out, stderr=err))
        assert code is ExitCode.DONE, err.getvalue()
        return out.getvalue()

    def retry(self, *arguments):
        found = json.loads(self.suggest("--json", *arguments))["suggestions"]
        return next(item for item in found if item["hypothesis"]["document"]["fix_type"] == "retry")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("weather"), idempotent=True)


def test_a_flaky_tool_gets_a_retry_that_waits_for_approval(project):
    """What the records show is proposed, tried on them, kept with its reasons, and acts nowhere yet."""
    assert project.incident.error_code == "TOOL.EXECUTION.TIMEOUT"
    dry = project.retry("--dry-run")
    assert dry["rollout"] is None
    found = project.retry()
    assert found["trial"]["outcome"] == "accepted"
    assert found["trial"]["caught"] == found["trial"]["failing"] > 0
    assert (found["gate"], found["rollout"]["state"]) == ("approval", "candidate")
    with Healer(root=project.folder) as healer:
        (entry,) = healer.store.audit(subject=project.incident.incident_id)
        assert (entry.actor, entry.action) == ("healer", "propose.approval")
        assert entry.evidence["caught"] == found["trial"]["caught"]
        again = healer.fixes.suggest(project.incident.incident_id)
        assert len(healer.fixes.list()) == 1
        assert again[0].rollout.sequence == 0
    assert "retry" in project.suggest()


def test_switched_on_it_starts_by_itself(tmp_path):
    """With auto_fix_enabled a fix that is sure enough starts its canary; one at a time."""
    project = Project(tmp_path, idempotent=True)
    with Healer(root=tmp_path, auto_fix_enabled=True) as healer:
        first = healer.fixes.suggest(project.incident.incident_id)[0]
    assert first.confidence > 0.8
    assert (first.gate.value, first.rollout.state.value) == ("start", "testing")
    assert first.rollout.ratio == 0.05


def test_what_may_not_be_repeated_is_only_suggested(tmp_path):
    """A retry of a site that nobody declared idempotent is told, with what it needs."""
    found = Project(tmp_path, idempotent=False).retry()
    assert (found["gate"], found["rollout"]) == ("suggest", None)
    assert "idempotent" in found["trial"]["needs"]
