"""Routes from the table of operations, and the same operations for the forms of pages."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, get_origin

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from prunella.server.access import Access, access_of, require, require_everywhere
from prunella.server.api.openapi import describe
from prunella.server.api.operation import PREFIX, Asked, Operation
from prunella.server.api.reading import read_body, read_fields, read_path, read_query
from prunella.server.api.table import OPERATIONS
from prunella.server.problems import json_response
from prunella.server.workspaces import project_of

Endpoint = Callable[[Request], Awaitable[Response]]
_BY_NAME: Mapping[str, Operation] = {each.name: each for each in OPERATIONS}


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
    access = _admitted(request, operation, path)  # who may, before what they send is read
    query, body = read_query(request, operation), await read_body(request, operation)

    def run() -> object:
        return _run(request, operation, access, path=path, query=query, body=body)

    answer = await run_in_threadpool(run)
    if operation.answer is None:
        return Response(status_code=operation.status)
    return json_response(answer, operation.status)


def perform(
    request: Request,
    name: str,
    fields: Mapping[str, Any] | None = None,
    /,
    **path: str,
) -> Any:
    """Run the operation `name` for a page, as the API would, and return what its type says.

    The same role is needed, the same types bound the `fields` of its body, and the same audit entry
    is kept. To be called in a thread. Raises `HTTPException`, `PrunellaError`.
    """
    operation = _BY_NAME[name]
    access = _admitted(request, operation, path)
    body = None if operation.body is None else read_fields(fields or {}, operation)
    answer: Any = _run(request, operation, access, path=path, query=operation.query(), body=body)
    if operation.answer is None:
        return None
    plain = answer["items"] if get_origin(operation.answer) is list else answer
    return msgspec.convert(plain, operation.answer)


def _admitted(request: Request, operation: Operation, path: Mapping[str, str]) -> Access | None:
    if operation.role is None:
        return None
    if "project" in path:
        return require(request, path["project"], operation.role)
    return require_everywhere(request, operation.role)


def _run(
    request: Request,
    operation: Operation,
    access: Access | None,
    *,
    path: Mapping[str, str],
    query: Any,
    body: Any,
) -> object:
    workspace = None
    if "project" in path and access is not None:
        workspace = project_of(request, path["project"])
    elif "project" in path:  # nobody learns whether it is there
        workspace = request.app.state.workspaces.open(path["project"])
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


async def _description(request: Request) -> Response:
    access_of(request)
    return json_response(describe(OPERATIONS))
