"""The API, tried with whatever its own description allows and with what it doesn't.

Seeded, so that a run can be repeated; each operation is tried a dozen times.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from msgspec.structs import fields
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from integration.server.conftest import fill
from prunella.model.directory import EVERYWHERE, Role
from prunella.server.api.operation import PREFIX
from prunella.server.api.table import OPERATIONS
from prunella.server.app import create_guarded_app
from prunella.server.people import People
from prunella.server.workspaces import EmbeddedWorkspace
from prunella.wiring.directory import open_directory

_TRIES = 6
_CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """The description of a server that has something of everything, and the headers to use it."""
    root = tmp_path_factory.mktemp("fuzzed")
    (root / "pyproject.toml").write_text("")
    workspaces, directory = EmbeddedWorkspace(root), open_directory(root)
    fill(workspaces.open("local").healer)
    people = People(directory, actor="the test")
    _, secret = people.add_credential("fuzzer", EVERYWHERE, Role.ADMIN, per_minute=10**9)
    app = create_guarded_app(workspaces, directory)
    described = schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", app)
    yield described, {"authorization": f"Bearer {secret}"}
    workspaces.close()
    directory.close()


@pytest.mark.parametrize(
    ("operation", "mode"),
    [
        pytest.param(each, mode, id=f"{each.name}-{mode.value}")
        for each in OPERATIONS
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        if mode is GenerationMode.POSITIVE or each.body or fields(each.query)
    ],
)
def test_nothing_makes_the_server_fail(api, operation, mode):
    """Whatever is sent, the answer is one that the description says, and never a fault of the server."""
    described, headers = api
    found = described[f"{PREFIX}{operation.path}"][operation.method]

    @given(case=found.as_strategy(generation_mode=mode))
    @settings(
        max_examples=1 if operation.name == "examine" else _TRIES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def tried(case):
        if "project" in case.path_parameters:
            case.path_parameters["project"] = "local"
        case.call_and_validate(headers=headers, checks=_CHECKS)

    tried()
