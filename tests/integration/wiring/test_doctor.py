"""``prunella doctor`` asks the code host, and waits for it no longer than it says."""

import subprocess

import pytest

from doubles.alert_server import black_hole
from doubles.bare_repository import BareRepository
from doubles.code_host import TOKEN, Answered, running
from doubles.github import GitHubDouble
from prunella.pipeline.results import FindingLevel
from prunella.wiring import doctor
from prunella.wiring.healer import Healer

pytest.importorskip("github")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository whose settings name a GitHub."""
    folder = tmp_path / "project"
    folder.mkdir()
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", "-C", str(folder), *identity, *command], check=True)
    monkeypatch.setenv("PRUNELLA_CODE_HOST", "github")
    monkeypatch.setenv("GITHUB_REPO_NAME", "shop/backend")
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    return folder


@pytest.fixture
def double(tmp_path, monkeypatch):
    host = GitHubDouble(BareRepository(tmp_path / "host.git", files={"README.md": "# Shop"}))
    with running(host) as double:
        monkeypatch.setenv("PRUNELLA_CODE_HOST_URL", double.url)
        yield double


def found(root, **settings):
    with Healer(root=root, **settings) as healer:
        (finding,) = [item for item in doctor.examine(healer) if item.area == "code_host"]
    return finding


def test_a_host_that_can_be_published_to_is_fine(root, double):
    """Where the token may push, doctor names branch and commit, and has changed nothing."""
    finding = found(root)
    assert finding.level is FindingLevel.OK
    assert f"main at {double.repository.head('main')[:12]}" in finding.statement
    assert {asked.verb for asked in double.asked} == {"GET"}


def test_what_would_stop_a_pull_request_is_a_problem(root, double, monkeypatch):
    """A token without the right, a wrong one and a wrong repository are told apart before it matters."""
    double.may_push = False
    assert "may not push there" in found(root).statement
    monkeypatch.setenv("GITHUB_REPO_NAME", "shop/nothing")
    assert "Check that shop/nothing is right" in found(root).statement
    double.fault = lambda *_: Answered(status=401, body={"message": "Bad credentials"})
    finding = found(root)
    assert "Check the token in GITHUB_TOKEN" in finding.statement
    assert finding.level is FindingLevel.PROBLEM


def test_a_host_that_never_answers_does_not_hold_doctor_up(root, monkeypatch):
    """The wait for a host ends at its limit, as a problem like any other."""
    monkeypatch.setattr(doctor, "_HOST_S", 1)
    with black_hole() as address:
        monkeypatch.setenv("PRUNELLA_CODE_HOST_URL", address)
        finding = found(root)
    assert finding.level is FindingLevel.PROBLEM
    assert "did not answer in time" in finding.statement


def test_offline_no_host_is_asked(root, double):
    """Offline, doctor says where patches go and sends nothing."""
    finding = found(root, offline=True)
    assert finding.level is FindingLevel.OK
    assert "offline is set" in finding.statement
    assert double.asked == []
