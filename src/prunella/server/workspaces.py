"""The projects of a server, each with its own store and healer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from prunella.server.access import Access, Role, require
from prunella.wiring.healer import Healer

#: The project of an embedded store.
LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One project, opened."""

    name: str
    healer: Healer


class Workspaces(Protocol):
    """Where workspaces come from. Safe to use from several threads."""

    def names(self) -> Sequence[str]: ...

    def open(self, name: str) -> Workspace | None:
        """Return the workspace of a project, ``None`` where there is none; raises `StoreError`."""
        ...

    def close(self) -> None: ...


class EmbeddedWorkspace:
    """The one project at `root`, with its embedded store."""

    def __init__(self, root: Path | None = None) -> None:
        healer = Healer(root=root)
        healer.make_store()  # whoever opens a dashboard first sees an empty one
        self._workspace = Workspace(name=LOCAL, healer=healer)

    def names(self) -> Sequence[str]:
        return (LOCAL,)

    def open(self, name: str) -> Workspace | None:
        return self._workspace if name == LOCAL else None

    def close(self) -> None:
        self._workspace.healer.close()


def workspace_of(request: HTTPConnection, role: Role) -> tuple[Workspace, Access]:
    """Return the workspace that the path parameter ``project`` names, and who asks.

    The only way from a request to a project's records; answers 404 or 403 as `require` does.
    """
    name = request.path_params["project"]
    access = require(request, name, role)
    return project_of(request, name), access


def project_of(request: HTTPConnection, name: str) -> Workspace:
    """Return the workspace of a project, whoever asks; 404 where there is none."""
    workspaces: Workspaces = request.app.state.workspaces
    found = workspaces.open(name)
    if found is None:
        raise HTTPException(404, f"there is no project {name}")
    return found


def healers_of(workspaces: Workspaces) -> Callable[[], Iterator[Healer]]:
    """Return what gives the healers of all projects, as a worker wants them."""

    def healers() -> Iterator[Healer]:
        for name in workspaces.names():
            workspace = workspaces.open(name)
            if workspace is not None:
                yield workspace.healer

    return healers
