"""What an operation of the API is: one row of the table that routes and description are made from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request

from prunella.server.access import Access, Role
from prunella.server.workspaces import Workspace, Workspaces
from prunella.wiring.healer import Healer

#: Where all operations are.
PREFIX = "/api/v1"


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters behind the question mark; unknown ones are refused."""


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON object that is sent; unknown keys are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, read and checked."""

    request: Request
    #: Parameters of the path.
    path: Mapping[str, str]
    #: As the operation's `Operation.query` and `Operation.body` say.
    query: Any
    body: Any
    #: Who asks; ``None`` where the operation is anybody's.
    access: Access | None
    #: The project's; ``None`` for what belongs to no project.
    workspace: Workspace | None

    @property
    def healer(self) -> Healer:
        """The healer of the project."""
        if self.workspace is None:
            raise LookupError(f"{self.request.url.path} belongs to no project")
        return self.workspace.healer

    @property
    def actor(self) -> str:
        """Who asks, for the audit log."""
        if self.access is None:
            raise LookupError(f"{self.request.url.path} is anybody's")
        return self.access.actor

    @property
    def workspaces(self) -> Workspaces:
        found: Workspaces = self.request.app.state.workspaces
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that the API does."""

    method: str
    #: Below `PREFIX`; with ``{project}`` it is of a project.
    path: str
    name: str
    summary: str
    #: What it needs in the project, or everywhere where it belongs to none; ``None``: anybody may.
    role: Role | None
    run: Callable[[Asked], Any]
    #: Type of what it answers; ``None`` where it answers nothing.
    answer: Any
    status: int = 200
    query: type[Query] = Query
    body: type[Body] | None = None

    @property
    def is_of_project(self) -> bool:
        return "{project}" in self.path

    @property
    def tag(self) -> str:
        """What it is about: the first word of its path."""
        words = self.path.removeprefix("/projects/{project}").strip("/").split("/")
        return words[0] or "projects"
