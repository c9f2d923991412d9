"""The dashboard: server-rendered pages for people."""

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route


def routes() -> list[BaseRoute]:
    """Return the dashboard's routes: ``/`` and all below ``/p/{project}`` and ``/static``."""
    return [Route("/", _home)]


def _home(request: Request) -> RedirectResponse:
    names = request.app.state.workspaces.names()
    return RedirectResponse(f"/p/{names[0]}/")
