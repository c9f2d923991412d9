"""A server over a store with something of everything in it."""

import json
import os
import subprocess

import pytest
from starlette.testclient import TestClient

from builders import process, site
from prunella.server.app import create_app
from prunella.server.workspaces import EmbeddedWorkspace
from recorded import a_call, an_occurrence, some_counts

FIX = {
    "fix_id": "fix-prices",
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
