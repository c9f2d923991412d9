"""The REST API: what the commands can do, for programs."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from prunella.codec.plain import to_plain
from prunella.server.access import Role
from prunella.server.workspaces import workspace_of


def routes() -> list[BaseRoute]:
    """Return the API's routes, all below ``/api/v1``."""
    return [Route("/api/v1/projects/{project}/incidents", _incidents)]


def _incidents(request: Request) -> JSONResponse:
    workspace, _ = workspace_of(request, Role.VIEWER)
    return JSONResponse(to_plain(workspace.healer.incidents()))
