"""Puts the server together: the guard in front, then ingest, the REST API and the dashboard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from prunella.server import api, dashboard, ingest
from prunella.server.access import Access, Role
from prunella.server.workspaces import Workspaces


def create_app(workspaces: Workspaces, *, actor: str) -> Starlette:
    """Return the application that serves `workspaces` to whoever reaches it, as `actor`."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        workspaces.close()

    app = Starlette(
        routes=[*api.routes(), *ingest.routes(), *dashboard.routes()],
        middleware=[Middleware(_Guard, actor=actor)],
        lifespan=lifespan,
    )
    app.state.workspaces = workspaces
    return app


class _Guard:
    """Finds out who asks before any route is reached."""

    def __init__(self, app: ASGIApp, *, actor: str) -> None:
        self._app = app
        self._access = Access(actor=actor, roles={"*": Role.ADMIN})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            scope.setdefault("state", {})["access"] = self._access
        await self._app(scope, receive, send)
