"""Routes from the table of operations."""

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from prunella.server.access import access_of, require, require_everywhere
from prunella.server.api.openapi import describe
from prunella.server.api.operation import PREFIX, Asked, Operation
from prunella.server.api.reading import read_body, read_path, read_query
from prunella.server.api.table import OPERATIONS
from prunella.server.problems import json_response
from prunella.server.workspaces import project_of

Endpoint = Callable[[Request], Awaitable[Response]]


def routes() -> list[BaseRoute]:
    """Return the API's routes, all below ``/api/v1``."""
    found: list[BaseRoute] = [
        Route(f"{PREFIX}/openapi.json", _description, name="openapi"),
    ]
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    # A path with fewer parameters goes first: fixes/validate is no fix called validate.
    for path in sorted(by_path, key=lambda each: (each.count("{"), each)):
        methods = by_path[path]
        found.append(Route(f"{PREFIX}{path}", _endpoint(methods), methods=list(methods)))
    return found


def _endpoint(methods: dict[str, Operation]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await _answer(request, methods[method])

    return endpoint


async def _answer(request: Request, operation: Operation) -> Response:
    path = read_path(request)
    # Who may, before what they send is read.
    access, project = None, path.get("project")
    if operation.role is not None:
        access = (
            require_everywhere(request, operation.role)
            if project is None
            else require(request, project, operation.role)
        )
    query, body = read_query(request, operation), await read_body(request, operation)

    def run() -> object:
        workspace = None if project is None else project_of(request, project)
        return operation.run(
            Asked(
                request=request,
                path=path,
                query=query,
                body=body,
                access=access,
                workspace=workspace,
            )
        )

    answer = await run_in_threadpool(run)
    if operation.answer is None:
        return Response(status_code=operation.status)
    return json_response(answer, operation.status)


async def _description(request: Request) -> Response:
    access_of(request)
    return json_response(describe(OPERATIONS))
