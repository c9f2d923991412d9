"""From a recorded crash to a pull request on a code host, also when host, base or healer fail."""

import re
import subprocess
import sys
import textwrap
from datetime import timedelta

import pytest

from doubles.bare_repository import BareRepository
from doubles.code_host import TOKEN, Answered, running
from doubles.github import GitHubDouble
from doubles.openai_endpoint import answer_json, endpoint, good
from prunella.model.errors import CodeHostError, SandboxUnavailable
from prunella.model.incidents import CaseOutcome, IncidentStatus
from prunella.model.repair import PublicationState
from prunella.pipeline import publications
from prunella.pipeline.results import HealingOutcome
from prunella.wiring.bot import Bot
from prunella.wiring.healer import Healer

pytest.importorskip("github")

PROGRAM = textwrap.dedent(
    """
    from prunella import heal


    def best(values: list[float]) -> float:
        '''Return the highest value, 0.0 before the first one.'''
        if not values:
            return 0.0
        return max(values)


    @heal
    def average(values: list[float]) -> float:
        '''Return the mean of the values, 0.0 before the first one.'''
        return sum(values) / len(values)


    if __name__ == "__main__":
        for values in ([1], [2, 3], [4, 5], [6], [7, 7]):
            average(values)
        try:
            average([])
        except ZeroDivisionError:
            pass
    """
)
BETTER = """
@heal
def average(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
"""


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A crashed program whose repository lies on a GitHub as well."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[tool.prunella]\ncooldown_minutes = 0\n")
    (folder / "program.py").write_text(PROGRAM)
    (folder / ".gitignore").write_text(".prunella/\n__pycache__/\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    subprocess.run([sys.executable, "program.py"], cwd=folder, check=True)
    bare = BareRepository(tmp_path / "host.git")
    git(folder, "push", "--quiet", str(bare.path), "main")
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_REPO_NAME", "shop/backend")
    with running(GitHubDouble(bare)) as double:
        monkeypatch.setenv("PRUNELLA_CODE_HOST", "github")
        monkeypatch.setenv("PRUNELLA_CODE_HOST_URL", double.url)
        yield folder, double
        assert double.complaints == []


def opened(folder, model=None, **settings):
    healer = Healer(model, root=folder, **settings)
    healer.refresh()
    return healer


def attempt(healer):
    (incident,) = healer.incidents()
    try:
        return healer.heal(incident, create_pr=True)
    except SandboxUnavailable as error:
        pytest.skip(str(error))


def test_a_crash_becomes_a_pull_request(project):
    """What was proven stands as a pull request on the host, and no branch is made locally."""
    folder, double = project
    with opened(folder) as healer:
        healing = attempt(healer)
        again = attempt(healer)
    assert healing.outcome is HealingOutcome.PUBLISHED, healing.explanation
    (pull,) = double.pulls
    assert healing["pr_url"].endswith("/pull/1") == again["pr_url"].endswith("/pull/1")
    for part in ("division by zero", "fingerprint", "## Root cause", "```diff", "What was shown"):
        assert part in pull.body
    assert git(folder, "branch", "--list").split() == ["*", "main"]
    assert re.fullmatch(r"prunella/fix-average-\d{8}-\d{6}", pull.branch)


def test_a_colleagues_newer_change_survives(project):
    """Other functions of the file as the host has them are in the branch, byte by byte."""
    folder, double = project
    newer = "import math\n" + PROGRAM.replace("[7, 7]", "[7, 8]") + "\n\nPI = math.pi\n"
    double.repository.push("main", {"program.py": newer}, "newer")
    with opened(folder) as healer:
        healing = attempt(healer)
    assert healing.outcome is HealingOutcome.PUBLISHED, healing.explanation
    branch = double.pulls[0].branch
    patched = double.repository.show(branch, "program.py").decode()
    before, behind = newer.split("    return sum(values) / len(values)")
    assert patched.startswith(before[: before.index("def average")])
    assert patched.endswith(behind)
    assert "proven again" in double.pulls[0].body


def test_what_was_repaired_upstream_is_withdrawn(project):
    """Where the host's function doesn't fail any more, nothing is opened, and the reason is told."""
    folder, double = project
    repaired = PROGRAM.replace(
        "    return sum", "    if not values:\n        return 0.0\n    return sum"
    )
    double.repository.push("main", {"program.py": repaired}, "repaired")
    with opened(folder) as healer:
        healing = attempt(healer)
    assert healing.outcome is HealingOutcome.WITHDRAWN
    assert double.pulls == []
    assert double.repository.branches() == ["main"]
    assert "It was not published" in healing.explanation


def test_three_scans_with_a_failing_host_ask_the_model_once(project):
    """A code host that is down costs no second model call, and leaves no branch behind."""
    folder, double = project

    def reply(question):
        if "Answer as JSON" in question:
            return answer_json({"root_cause": "Empty.", "remedy": "Guard.", "confidence": 0.9})
        return good(f"```python\n{BETTER}```")

    double.fault = lambda asked, _number: (
        Answered(status=503, body={"message": "down"}) if asked.verb != "GET" else None
    )
    asked = []
    with endpoint(reply) as place:
        for _ in range(3):
            with opened(folder, "openai:gpt-4.1", model_base_url=place.openai_url) as healer:
                done = Bot(healer).round()
            if done.turns and "andbox" in done.turns[0].problem:
                pytest.skip(done.turns[0].problem)
            assert "GitHub answered 503" in done.turns[0].problem
            asked.append(len(place.requests))
        assert asked[0] > 0
        assert asked == [asked[0]] * 3
        assert double.repository.branches() == ["main"]
        double.restarted()
        with opened(folder, "openai:gpt-4.1", model_base_url=place.openai_url) as healer:
            Bot(healer).round()
        assert len(place.requests) == asked[0]
    (pull,) = double.open_pulls()
    assert sorted(double.repository.branches()) == ["main", pull.branch]


@pytest.mark.parametrize("last", ["/git/refs", "/pulls"])
def test_a_restart_in_the_middle_makes_no_duplicate(project, last):
    """A healer that dies behind the making of the branch, or of the pull request, is gone on from."""
    folder, double = project
    double.fault = dying_after(double, last)
    with opened(folder) as healer, pytest.raises(CodeHostError):
        attempt(healer)
    double.restarted()
    with opened(folder) as healer:
        attempt(healer)
    assert [pull.state for pull in double.pulls] == ["open"]
    assert sorted(double.repository.branches()) == ["main", double.pulls[0].branch]
    assert double.pulls[0].labels


def dying_after(double, path):
    dead = []

    def fault(asked, _number):
        if dead:
            return Answered(dropped=True)
        if asked.verb == "POST" and asked.path.endswith(path):
            dead.append(double.do(asked))
            return Answered(dropped=True)
        return None

    return fault


def test_merge_and_close_are_seen_and_learned_from(project):
    """What people did with a pull request becomes its case's outcome; a refused edit isn't offered again."""
    folder, double = project
    with opened(folder) as healer:
        attempt(healer)
        double.pulls[0].state = "closed"
        (seen,) = healer.sync()
        assert seen.state is PublicationState.CLOSED
        assert [case.outcome for case in healer.store.cases()] == [CaseOutcome.REFUSED]
        healing = attempt(healer)
        assert "closed its pull request" in healing.explanation
        assert len(double.pulls) == 1
        assert list(healer.sync()) == []


def test_a_pull_request_is_closed_when_its_incident_is_over(project):
    """One whose incident is ignored is closed with that reason."""
    folder, double = project
    with opened(folder) as healer:
        attempt(healer)
        (incident,) = healer.incidents()
        healer.store.set_status(
            incident.incident_id, IncidentStatus.IGNORED, ignored_by="a pattern"
        )
        (over,) = healer.sync()
    assert over.state is PublicationState.WITHDRAWN
    assert "is ignored: a pattern" in double.pulls[0].comments[0]
    assert double.repository.branches() == ["main"]


def test_what_was_begun_and_never_finished_is_cleared_away(project, monkeypatch):
    """A branch without a pull request that nobody comes back to is removed."""
    folder, double = project
    double.fault = dying_after(double, "/git/refs")
    with opened(folder) as healer:
        with pytest.raises(CodeHostError):
            attempt(healer)
        double.restarted()
        assert len(double.repository.branches()) == 2
        assert list(healer.sync()) == []
        monkeypatch.setattr(publications, "ORPHANED_AFTER", timedelta(0))
        (gone,) = healer.sync()
    assert gone.state is PublicationState.WITHDRAWN
    assert double.repository.branches() == ["main"]


def test_offline_touches_no_host(project):
    """Offline, a patch goes onto a local branch and nothing is sent."""
    folder, double = project
    with opened(folder, offline=True) as healer:
        healing = attempt(healer)
    assert healing.outcome is HealingOutcome.PUBLISHED
    assert double.asked == []


def test_each_round_sees_the_source_as_it_is_then(project):
    """A bot that runs for days heals the commit of today, not that of its start."""
    folder, _double = project
    with opened(folder) as healer:
        bot = Bot(healer, publish=False)
        first = healer.repository.commit
        git(folder, "commit", "--quiet", "--allow-empty", "--message", "second")
        bot.round()
        assert healer.repository.commit == git(folder, "rev-parse", "HEAD").strip() != first
