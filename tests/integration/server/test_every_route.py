"""Every route of the server, tried by everybody whom it isn't for.

The routes are taken from the application itself, so that a new one is tried without being listed.
"""

import re

import pytest
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from prunella.model.directory import EVERYWHERE, Role
from prunella.model.jobs import JobKind
from prunella.server.api.operation import PREFIX
from prunella.server.api.table import OPERATIONS
from prunella.server.app import create_guarded_app
from prunella.wiring.jobs import Jobs

#: Answered to anybody, and why that is right.
PUBLIC = {
    f"{PREFIX}/openapi.json",  # says what the source says
    f"{PREFIX}/projects/{{project}}/approvals/{{token}}",  # the token is all that it takes
    f"{PREFIX}/projects/{{project}}/approvals/{{token}}/decline",
    "/approve/{project}/{token}",
    "/login",
    "/logout",
    "/invitation/{secret}",
    "/oidc/login",
    "/oidc/callback",
}
#: Leads to a project that is theirs, whoever asks, and says nothing else.
FOR_ALL_WHO_LOG_IN = {"/"}
BY_PLACE = {(each.method, f"{PREFIX}{each.path}"): each for each in OPERATIONS}


@pytest.fixture
def ids(several, people):
    """Names that mean something in the project ``shop`` alone."""
    healer = several.open("shop").healer
    key, _ = people.add_credential("web", "shop", Role.REPORTER)
    token, _ = people.add_credential("ci", "shop", Role.VIEWER)
    incident = healer.incidents()[0].incident_id
    job = Jobs(healer).ask(JobKind.DIAGNOSE, incident, actor="ana")
    return {
        "project": "shop",
        "incident": incident,
        "incident_id": incident,
        "job": job.job_id,
        "job_id": job.job_id,
        "site": "shop.prices:average",
        "site_id": "shop.prices:average",
        "call": "call_1",
        "call_id": "call_1",
        "fix": "fix-averages",
        "fix_id": "fix-averages",
        "what": "NET",
        "verb": "approve",
        "name": "shop",
        "user": "ana",
        "key": key.credential_id,
        "token_id": token.credential_id,
        "token": "forged",
        "secret": "forged",
        "number": "1",
        "rest": "nothing",
    }


@pytest.fixture
def app(several, directory):
    return create_guarded_app(several, directory)


@pytest.fixture
def as_(app, people):
    """Return a client that has a role in a project, or none anywhere."""

    def client(project="", role=Role.VIEWER):
        headers = {}
        if project:
            _, secret = people.add_credential("test", project, role)
            headers = {"authorization": f"Bearer {secret}"}
        return TestClient(
            app,
            base_url="https://prunella.example",
            headers=headers,
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    return client


@pytest.fixture
def everything(app, ids):
    """Every ``(method, pattern, path)`` of the application."""
    found = []
    for route in app.routes:
        assert isinstance(route, Route) or (isinstance(route, Mount) and route.path == "/static")
        if isinstance(route, Route):
            path = re.sub(r":\w+}", "}", route.path).format(**ids)
            methods = sorted((route.methods or set()) - {"HEAD"})
            found += [(method, route.path, path) for method in methods]
    assert {(method, pattern) for method, pattern, _ in found} >= set(BY_PLACE)
    return found


def send(client, method, path):
    """Send a request that would be read if it came that far."""
    sent = {"json": {}} if method in {"POST", "PUT"} else {}
    return client.request(method, path, **sent)


def is_for_programs(pattern):
    return pattern.startswith(("/api/", "/v1/"))


def needed(method, pattern):
    """Return the role that a route needs; of what isn't in the table, the least that it may be."""
    operation = BY_PLACE.get((method, pattern))
    if operation is not None:
        return operation.role
    if is_for_programs(pattern):
        return Role.REPORTER
    return Role.VIEWER if method == "GET" else Role.OPERATOR


def test_nobody_gets_anything_without_a_login(as_, everything):
    """Whoever has no session, key or token is told to log in, at every route but the public ones."""
    client = as_()
    for method, pattern, path in everything:
        if pattern in PUBLIC:
            continue
        answer = send(client, method, path)
        if answer.status_code == 303:
            assert (method, answer.headers["location"][:7]) == ("GET", "/login?"), path
            assert not is_for_programs(pattern)
        else:
            assert answer.status_code == 401, (method, path, answer.text)


def test_a_project_of_others_is_not_there(as_, everything):
    """An admin of one project finds nothing at any route of another, and can't tell that it is."""
    client = as_("bank", Role.ADMIN)
    for method, pattern, path in everything:
        if pattern in PUBLIC | FOR_ALL_WHO_LOG_IN:
            continue
        answer = send(client, method, path)
        if "{project}" in pattern:
            assert answer.status_code == 404, (method, path, answer.text)
            unknown = send(client, method, path.replace("/shop", "/none", 1))
            assert unknown.status_code == 404
            assert answer.text.replace("shop", "none") == unknown.text.replace("shop", "none")
        elif needed(method, pattern) > Role.REPORTER:
            assert answer.status_code == 403, (method, path, answer.text)


def test_names_of_another_project_name_nothing(as_, everything, ids):
    """Ids of one project are unknown at every route of another, and its lists don't have them."""
    client = as_("bank", Role.ADMIN)
    named = ("incident", "job", "call", "site", "fix", "what", "key", "token_id")
    secrets = {ids[name] for name in (*named, "incident_id")} - {"NET"}
    for method, pattern, path in everything:
        if pattern in PUBLIC or not pattern.startswith(f"{PREFIX}/projects/{{project}}"):
            continue
        if pattern.endswith("/events"):  # streams don't end
            continue
        answer = send(client, method, path.replace("/projects/shop", "/projects/bank", 1))
        names_something = any(f"{{{name}}}" in pattern for name in named) and method != "PUT"
        if (method, pattern) in BY_PLACE and (names_something or "/golden" in pattern):
            assert answer.status_code == 404, (method, path, answer.text)
        elif answer.is_success:
            assert not [each for each in secrets if each in answer.text], (method, path)


def test_a_role_that_is_too_low_is_refused(as_, everything):
    """Each role may do what its routes say and nothing that needs a higher one."""
    for role in (Role.REPORTER, Role.VIEWER, Role.OPERATOR):
        client = as_("shop", role)
        for method, pattern, path in everything:
            if pattern in PUBLIC | FOR_ALL_WHO_LOG_IN:
                continue
            least = needed(method, pattern)
            if least > role or ("{project}" not in pattern and least > Role.REPORTER):
                answer = send(client, method, path)
                assert answer.status_code == 403, (role, method, path, answer.text)


def test_a_role_that_is_high_enough_gets_through(as_, everything):
    """Nobody who may is turned away: what is answered is about the request, not about who asks."""
    client = as_(EVERYWHERE, Role.ADMIN)
    for method, pattern, path in everything:
        if pattern in PUBLIC or pattern.endswith("/events"):  # streams don't end
            continue
        answer = send(client, method, path)
        assert answer.status_code not in {401, 403}, (method, path, answer.text)
        assert answer.status_code < 500, (method, path, answer.text)


def test_keys_only_report(as_, everything):
    """A project key opens what programs report to, and nothing that a person would look at."""
    client = as_("shop", Role.REPORTER)
    for method, pattern, path in everything:
        if pattern in PUBLIC | FOR_ALL_WHO_LOG_IN or pattern.endswith("/events"):
            continue
        may = needed(method, pattern) is Role.REPORTER
        answer = send(client, method, path)
        assert (answer.status_code != 403) == may, (method, path, answer.text)
