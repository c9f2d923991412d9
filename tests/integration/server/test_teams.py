"""A server for teams: several projects in one PostgreSQL database, shared by servers and workers."""

import pytest
from starlette.testclient import TestClient

from integration.server.conftest import fill
from prunella.adapters.postgres_schema import drop, migrate
from prunella.adapters.postgres_store import database_of
from prunella.model.directory import EVERYWHERE, Role
from prunella.model.errors import StoreError
from prunella.model.jobs import JobKind, JobState
from prunella.server.app import create_guarded_app
from prunella.server.opening import worker_for
from prunella.server.people import People
from prunella.server.workspaces import TeamWorkspaces
from prunella.wiring.directory import (
    database_of_directory,
    open_directory,
    prepare_project,
)
from prunella.wiring.jobs import Jobs
from stores import server_url

NAMES = ("teamshop", "teambank")


@pytest.fixture
def database():
    """The address of a database with a directory and two projects."""
    url = server_url()
    migrate(database_of_directory(url))
    yield url
    drop(database_of_directory(url))
    for name in (*NAMES, "teamnew"):
        drop(database_of(url, name))


@pytest.fixture
def team(database, tmp_path):
    directory = open_directory(tmp_path, database)
    people = People(directory, actor="the test")
    for name in NAMES:
        people.add_project(name)
        prepare_project(database, name)
    found = TeamWorkspaces(database, directory, root=tmp_path)
    yield found, directory
    found.close()


def test_projects_share_a_database_and_no_record(team):
    """What one project has recorded is found in it alone."""
    workspaces, _ = team
    fill(workspaces.open("teamshop").healer)
    assert len(workspaces.open("teamshop").healer.incidents()) == 1
    assert workspaces.open("teambank").healer.incidents() == []
    assert workspaces.open("nothing") is None


def test_a_project_comes_and_goes_while_the_server_runs(team, monkeypatch):
    """An admin adds a project by the API, works with it, and removes it."""
    from prunella.server import workspaces as found

    monkeypatch.setattr(found, "_LOOK_S", 0.0)
    workspaces, directory = team
    _, secret = People(directory, actor="the test").add_credential("ci", EVERYWHERE, Role.ADMIN)
    client = TestClient(
        create_guarded_app(workspaces, directory),
        base_url="https://prunella.example",
        headers={"authorization": f"Bearer {secret}"},
    )
    at = "/api/v1/server/projects"
    assert client.get("/api/v1/projects").json()["items"] == ["teambank", "teamshop"]
    assert client.post(at, json={"name": "teamnew"}).status_code == 201
    assert client.get("/api/v1/projects/teamnew/incidents").json() == {"items": [], "total": 0}
    assert client.post(at, json={"name": "teamnew"}).status_code == 422
    assert client.delete(f"{at}/teamnew").status_code == 204
    assert client.get("/api/v1/projects/teamnew/incidents").status_code == 404


def test_a_worker_does_the_jobs_of_all_projects(team):
    """What is asked for in any project is done by whichever worker sees it first."""
    workspaces, _ = team
    asked = []
    for name in NAMES:
        healer = workspaces.open(name).healer
        fill(healer)
        incident = healer.incidents()[0].incident_id
        asked.append(Jobs(healer).ask(JobKind.SUGGEST, incident, actor="ana"))
    worker = worker_for(workspaces)
    assert worker.jobs.once() == 2
    for name, job in zip(NAMES, asked, strict=True):
        assert Jobs(workspaces.open(name).healer).get(job.job_id).state is JobState.DONE


def test_without_its_schema_the_directory_says_what_to_run(database, tmp_path):
    """A server whose database isn't prepared says which command prepares it."""
    drop(database_of_directory(database))
    with pytest.raises(StoreError, match="prunella database migrate"):
        open_directory(tmp_path, database)
    migrate(database_of_directory(database))
