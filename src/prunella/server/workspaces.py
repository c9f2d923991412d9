"""The projects of a server, each with its own store and healer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from prunella.model.directory import LOCAL, Project
from prunella.model.errors import ConfigurationError
from prunella.ports import Directory
from prunella.server.access import Access, Role, require
from prunella.server.remembered import Remembered
from prunella.wiring.directory import prepare_project
from prunella.wiring.healer import Healer

#: A server sees so late that another has added or removed a project, in seconds.
_LOOK_S = 1.0


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

    def opened(self, name: str) -> Workspace | None:
        """Return what `open` would if that is known at once, without asking or waiting for anything."""
        ...

    def prepare(self, name: str) -> None:
        """Make a place for the records of a new project.

        Raises `ConfigurationError` where no projects can be added, `StoreError`.
        """
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

    def opened(self, name: str) -> Workspace | None:
        return self.open(name)

    def prepare(self, name: str) -> None:
        raise ConfigurationError(
            f"an embedded store has the one project {LOCAL}; a server with --database has several, "
            f"such as {name}"
        )

    def close(self) -> None:
        self._workspace.healer.close()


class TeamWorkspaces:
    """The projects of `directory`, each in a schema of its own of the `database`.

    `root` is the server's folder: a project whose source isn't here gets a folder below it.
    """

    def __init__(self, database: str, directory: Directory, *, root: Path) -> None:
        self._database, self._directory, self._root = database, directory, root
        self._open: dict[str, tuple[Project, Workspace]] = {}
        self._projects = Remembered(self._ask, believed_s=_LOOK_S, most=1)
        self._lock = RLock()

    def names(self) -> Sequence[str]:
        return tuple(self._known())

    def open(self, name: str) -> Workspace | None:
        project = self._known().get(name)
        if project is None:
            return None
        with self._lock:
            found = self._open.get(name)
            if found is not None and found[0] == project:
                return found[1]
            root = Path(project.root) if project.root else self._root / "projects" / name
            root.mkdir(parents=True, exist_ok=True)
            healer = Healer(root=root, database=self._database, project=name)
            _ = healer.store  # whether it can be opened is known now
            workspace = Workspace(name=name, healer=healer)
            self._open[name] = (project, workspace)
            return workspace

    def opened(self, name: str) -> Workspace | None:
        projects, found = self._projects.known(None), self._open.get(name)
        if projects is None or found is None:
            return None
        return found[1] if projects.get(name) == found[0] else None

    def prepare(self, name: str) -> None:
        prepare_project(self._database, name)
        self._projects.forget(None)

    def close(self) -> None:
        with self._lock:
            for _, workspace in self._open.values():
                workspace.healer.close()
            self._open.clear()

    def _known(self) -> dict[str, Project]:
        """Return the projects by name, as they were at most a moment ago."""
        return self._projects.get(None)

    def _ask(self, _key: None) -> dict[str, Project]:
        return {project.name: project for project in self._directory.projects()}


def workspace_of(request: HTTPConnection, role: Role) -> tuple[Workspace, Access]:
    """Return the workspace that the path parameter ``project`` names, and who asks.

    The only way from a request to a project's records; answers 404 or 403 as `require` does.
    """
    name = request.path_params["project"]
    access = require(request, name, role)
    return project_of(request, name), access


def opened_for(request: HTTPConnection, role: Role) -> Workspace | None:
    """Return what `workspace_of` would, if that is known at once; answers 404 or 403 as it does."""
    name = request.path_params["project"]
    require(request, name, role)
    workspaces: Workspaces = request.app.state.workspaces
    return workspaces.opened(name)


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
