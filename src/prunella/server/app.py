"""Puts the server together: the guard in front, then ingest, the REST API and the dashboard."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from prunella.model.errors import PrunellaError
from prunella.server import api, dashboard, ingest
from prunella.server.gate import Gate, LoopbackGate
from prunella.server.guard import Guard
from prunella.server.problems import answer_of
from prunella.server.workspaces import Workspaces


def create_app(
    workspaces: Workspaces,
    *,
    actor: str = "",
    gate: Gate | None = None,
    work: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Starlette:
    """Return the application that serves `workspaces`.

    `gate` finds out who asks; without one whoever reaches it over loopback may do everything, as
    `actor`. `work` is what goes on beside it while it runs: jobs, triage.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        working = work()
        await run_in_threadpool(working.__enter__)
        try:
            yield
        finally:
            await run_in_threadpool(working.__exit__, None, None, None)
            workspaces.close()

    app = Starlette(
        routes=[*api.routes(), *ingest.routes(), *dashboard.routes()],
        middleware=[Middleware(Guard, gate=gate or LoopbackGate(actor))],
        exception_handlers={
            HTTPException: _on_error,
            PrunellaError: _on_error,
            Exception: _on_error,
        },
        lifespan=lifespan,
    )
    app.state.workspaces = workspaces
    return app


async def _on_error(_request: Request, error: Exception) -> Response:
    return answer_of(error)
