"""What programs identify themselves with: keys of projects, tokens of a project or of the server."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from prunella.model.directory import BYTES_PER_DAY, EVERYWHERE, PER_MINUTE, Role
from prunella.server.api.operation import Asked, Body, Operation
from prunella.server.api.people import Name, RoleName, people_of
from prunella.server.people import plain_credential

_PROJECT = "/projects/{project}"


class KnownCredential(msgspec.Struct, frozen=True, kw_only=True):
    """A key or token, without its secret."""

    credential_id: str
    name: str
    project: str
    role: str
    made_at: datetime
    made_by: str
    expires_at: datetime | None
    ended_at: datetime | None
    per_minute: int
    bytes_per_day: int


class NewCredential(msgspec.Struct, frozen=True, kw_only=True):
    """A key or token with its secret, which is shown this once."""

    credential: KnownCredential
    secret: str


class MakeKey(Body, frozen=True, kw_only=True):
    """A project key, for programs that report."""

    name: Name
    per_minute: Annotated[int, Meta(ge=1, le=10**9)] = PER_MINUTE
    bytes_per_day: Annotated[int, Meta(ge=1, le=10**15)] = BYTES_PER_DAY


class MakeToken(Body, frozen=True, kw_only=True):
    """An API token, for programs that look or steer."""

    name: Name
    role: RoleName = "viewer"
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None


def _project(asked: Asked) -> str:
    return asked.path.get("project", EVERYWHERE)


def _credentials(asked: Asked, *, keys: bool) -> Any:
    found = people_of(asked).credentials(keys=keys, project=_project(asked))
    return {"items": [plain_credential(item) for item in found]}


def _make_key(asked: Asked) -> Any:
    body: MakeKey = asked.body
    credential, secret = people_of(asked).add_credential(
        body.name,
        _project(asked),
        Role.REPORTER,
        per_minute=body.per_minute,
        bytes_per_day=body.bytes_per_day,
    )
    return {"credential": plain_credential(credential), "secret": secret}


def _end_key(asked: Asked) -> Any:
    people_of(asked).end_credential(asked.path["key"], keys=True, project=_project(asked))


def _make_token(asked: Asked) -> Any:
    body: MakeToken = asked.body
    credential, secret = people_of(asked).add_credential(
        body.name,
        _project(asked),
        Role[body.role.upper()],
        expires_at=body.expires_at,
    )
    return {"credential": plain_credential(credential), "secret": secret}


def _end_token(asked: Asked) -> Any:
    people_of(asked).end_credential(asked.path["token_id"], keys=False, project=_project(asked))


OPERATIONS = (
    Operation(
        method="GET",
        path=f"{_PROJECT}/keys",
        name="list_keys",
        summary="Keys with which programs report to the project; ended ones aren't shown.",
        role=Role.ADMIN,
        run=partial(_credentials, keys=True),
        answer=list[KnownCredential],
    ),
    Operation(
        method="POST",
        path=f"{_PROJECT}/keys",
        name="make_key",
        summary="Make a key with which programs report; its secret is shown this once.",
        role=Role.ADMIN,
        run=_make_key,
        answer=NewCredential,
        status=201,
        body=MakeKey,
    ),
    Operation(
        method="DELETE",
        path=f"{_PROJECT}/keys/{{key}}",
        name="end_key",
        summary="End a key: what is sent with it is refused.",
        role=Role.ADMIN,
        run=_end_key,
        answer=None,
        status=204,
    ),
    Operation(
        method="GET",
        path=f"{_PROJECT}/tokens",
        name="list_tokens",
        summary="API tokens of the project; ended ones aren't shown.",
        role=Role.ADMIN,
        run=partial(_credentials, keys=False),
        answer=list[KnownCredential],
    ),
    Operation(
        method="POST",
        path=f"{_PROJECT}/tokens",
        name="make_token",
        summary="Make an API token of the project; its secret is shown this once.",
        role=Role.ADMIN,
        run=_make_token,
        answer=NewCredential,
        status=201,
        body=MakeToken,
    ),
    Operation(
        method="DELETE",
        path=f"{_PROJECT}/tokens/{{token_id}}",
        name="end_token",
        summary="End an API token.",
        role=Role.ADMIN,
        run=_end_token,
        answer=None,
        status=204,
    ),
    Operation(
        method="GET",
        path="/server/tokens",
        name="list_server_tokens",
        summary="API tokens of the whole server; ended ones aren't shown.",
        role=Role.ADMIN,
        run=partial(_credentials, keys=False),
        answer=list[KnownCredential],
    ),
    Operation(
        method="POST",
        path="/server/tokens",
        name="make_server_token",
        summary="Make an API token of the whole server; its secret is shown this once.",
        role=Role.ADMIN,
        run=_make_token,
        answer=NewCredential,
        status=201,
        body=MakeToken,
    ),
    Operation(
        method="DELETE",
        path="/server/tokens/{token_id}",
        name="end_server_token",
        summary="End an API token of the whole server.",
        role=Role.ADMIN,
        run=_end_token,
        answer=None,
        status=204,
    ),
)
