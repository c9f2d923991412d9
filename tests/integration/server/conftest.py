"""Servers over a store with something of everything in it, and one with nothing."""

import json
import os
import subprocess

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from builders import process, site
from prunella.model.errors import ConfigurationError
from prunella.server import passwords
from prunella.server.app import create_app, create_guarded_app
from prunella.server.people import People
from prunella.server.workspaces import EmbeddedWorkspace, Workspace
from prunella.wiring.directory import open_directory
from prunella.wiring.healer import Healer
from recorded import a_call, an_occurrence, some_counts

FIX = {
    "fix_id": "fix-averages",
    "fix_type": "retry",
    "target": {"sites": ["shop.prices:average"]},
    "config": {"max_retries": 2},
}


def fill(healer):
    """Record a site with calls, an incident, and a fix that waits."""
    records = [process(), site(), a_call(), an_occurrence(), some_counts()]
    healer.store.ingest(records, spool_name="s", end_offset=1)
    healer.refresh()
    healer.fixes.add(FIX, reason="it helped before")


@pytest.fixture
def project(tmp_path):
    """A project in a git repository of its own, so that nothing of this one is looked at."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, env=kept)
    (tmp_path / "pyproject.toml").write_text("[tool.prunella]\n")
    return tmp_path


@pytest.fixture
def workspaces(project):
    found = EmbeddedWorkspace(project)
    fill(found.open("local").healer)
    yield found
    found.close()


@pytest.fixture
def client(workspaces):
    app = create_app(workspaces, actor="ana@host")
    return TestClient(app, base_url="http://127.0.0.1:8787")


def sent(answer):
    """Return the JSON of an answer."""
    return json.loads(answer.text)


class SeveralWorkspaces:
    """Projects in folders of their own, as a server for teams has them."""

    def __init__(self, folder, names):
        self._open = {}
        for name in names:
            root = folder / name
            root.mkdir()
            (root / "pyproject.toml").write_text("")
            healer = Healer(root=root)
            healer.make_store()
            self._open[name] = Workspace(name=name, healer=healer)

    def names(self):
        return tuple(self._open)

    def open(self, name):
        return self._open.get(name)

    opened = open

    def prepare(self, name):
        raise ConfigurationError(f"no place for {name}")

    def close(self):
        for workspace in self._open.values():
            workspace.healer.close()


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch):
    """Hashing is meant to take long; here it need not."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", cheap)
    passwords._nobodys.cache_clear()


@pytest.fixture
def directory(tmp_path):
    found = open_directory(tmp_path)
    people = People(found, actor="the test")
    people.add_project("shop")
    people.add_project("bank")
    yield found
    found.close()


@pytest.fixture
def people(directory):
    return People(directory, actor="the test")


@pytest.fixture
def several(tmp_path):
    folder = tmp_path / "projects"
    folder.mkdir()
    found = SeveralWorkspaces(folder, ["shop", "bank"])
    fill(found.open("shop").healer)
    yield found
    found.close()


@pytest.fixture
def guarded(several, directory):
    """A server that wants people to log in."""
    return create_guarded_app(several, directory)


@pytest.fixture
def browser(guarded):
    """Return a new browser, which keeps cookies and follows nothing by itself."""

    def open_browser(base_url="https://prunella.example"):
        return TestClient(guarded, base_url=base_url, follow_redirects=False)

    return open_browser
