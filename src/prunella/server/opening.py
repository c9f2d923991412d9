"""What a server or worker is put together from: the embedded store, or the teams' database."""

import os
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from starlette.applications import Starlette

from prunella.model.errors import ConfigurationError
from prunella.model.project import data_folder, find_root
from prunella.model.settings import load
from prunella.ports import Directory
from prunella.server.app import create_app, create_guarded_app
from prunella.server.provider import Provider
from prunella.server.workspaces import EmbeddedWorkspace, TeamWorkspaces, Workspaces, healers_of
from prunella.wiring.directory import open_directory
from prunella.wiring.fixes import user
from prunella.wiring.worker import OnRound, Worker


def open_workspaces(
    root: Path | None, database: str | None, *, auth: bool = False
) -> tuple[Workspaces, Directory | None]:
    """Open the projects, and who may do what with them: ``None`` where nobody has to log in.

    `database` is the address of the teams' database, by default that of the settings; an embedded
    store has none. Raises `StoreError`, `ConfigurationError`.
    """
    folder = (root or find_root(Path.cwd())).resolve()
    url = load(folder).settings.database if database is None else database
    if url:
        directory = open_directory(folder, url)
        return TeamWorkspaces(url, directory, root=data_folder(folder)), directory
    workspaces = EmbeddedWorkspace(folder)
    return workspaces, open_directory(folder) if auth else None


def worker_for(
    workspaces: Workspaces,
    *,
    threads: int = 2,
    every: timedelta | None = None,
    on_round: OnRound | None = None,
) -> Worker:
    """Return a worker for the projects, which isn't started yet."""
    return Worker(
        healers_of(workspaces),
        name=f"{user()}, process {os.getpid()}",
        threads=threads,
        every=every,
        on_round=on_round,
    )


def open_app(root: Path | None, database: str | None, *, auth: bool, host: str) -> Starlette:
    """Return the application of a server that is to listen on `host`.

    Raises `ConfigurationError` where that is not loopback and nobody would have to log in.
    """
    workspaces, directory = open_workspaces(root, database, auth=auth)
    worker = worker_for(workspaces)
    settings = load((root or find_root(Path.cwd())).resolve()).settings
    if directory is not None:
        provider = Provider(settings) if settings.oidc_issuer else None
        return create_guarded_app(
            workspaces,
            directory,
            provider=provider,
            work=lambda: worker,
            address=settings.server_url,
        )
    if not is_loopback(host):
        workspaces.close()
        raise ConfigurationError(
            f"no listening on {host}, which others can reach, without authentication: add --auth, "
            "and make a user first: prunella users add NAME --role admin"
        )
    return create_app(workspaces, actor=user(), work=lambda: worker, address=settings.server_url)


def is_loopback(host: str) -> bool:
    """Say whether an address to listen on is reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
