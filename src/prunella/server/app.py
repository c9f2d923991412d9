"""Puts the server together: the guard in front, then ingest, the REST API and the dashboard."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from prunella.model.errors import PrunellaError
from prunella.ports import Directory
from prunella.server import api, dashboard, ingest
from prunella.server.dashboard.visits import problem as problem_page
from prunella.server.door import FOR_PROGRAMS, Door
from prunella.server.gate import Gate, LoopbackGate, Refusal
from prunella.server.guard import Guard
from prunella.server.login import Login
from prunella.server.problems import answer_of, problem
from prunella.server.provided_login import BEGIN, ProvidedLogin
from prunella.server.provider import Provider
from prunella.server.workspaces import Workspaces

_FAULT = "This is a fault in Prunella itself; the server's log says more. Please report it."
_KEPT_HEADERS = frozenset({"allow", "location", "retry-after", "www-authenticate"})


def create_app(
    workspaces: Workspaces,
    *,
    actor: str = "",
    gate: Gate | None = None,
    more: Sequence[BaseRoute] = (),
    directory: Directory | None = None,
    work: Callable[[], AbstractContextManager[object]] = nullcontext,
    address: str = "",
) -> Starlette:
    """Return the application that serves `workspaces`.

    `gate` finds out who asks; without one whoever reaches it over loopback may do everything, as
    `actor`. `more` are further routes, `directory` is where the API manages people and
    keys. `work` is what goes on beside it while it runs: jobs, triage. `address` is where people
    reach it, if that is known.
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
        # Ingest first: what is asked most often is found at once.
        routes=[*ingest.routes(), *more, *api.routes(), *dashboard.routes()],
        middleware=[
            Middleware(Guard, gate=gate or LoopbackGate(actor), refuse=_refused),
            Middleware(ingest.Straight),
        ],
        exception_handlers={
            HTTPException: _on_error,
            PrunellaError: _on_error,
            Exception: _on_error,
        },
        lifespan=lifespan,
    )
    app.state.workspaces, app.state.directory = workspaces, directory
    app.state.address = address.rstrip("/")
    return app


async def _on_error(request: Request, error: Exception) -> Response:
    """Answer what stopped a route: programs by a problem document, people by a page."""
    answer = answer_of(error)
    if not _is_for_people(request):
        return answer
    why = error.detail if isinstance(error, HTTPException) else str(error)
    is_fault = answer.status_code == 500
    why = _FAULT if is_fault else why
    page = await run_in_threadpool(problem_page, request, answer.status_code, why)
    page.headers.update({k: v for k, v in answer.headers.items() if k in _KEPT_HEADERS})
    return page


def _refused(request: Request, refusal: Refusal) -> Response:
    """Answer whom the guard turns away, in the same two ways."""
    if not _is_for_people(request):
        return problem(refusal.status, refusal.message, headers=dict(refusal.headers))
    page = problem_page(request, refusal.status, refusal.message)
    page.headers.update(refusal.headers)
    return page


def _is_for_people(request: Request) -> bool:
    """Say whether a page answers: not where programs ask, nor whoever asks for JSON alone."""
    if FOR_PROGRAMS.fullmatch(request.scope["path"]):
        return False
    wanted = request.headers.get("accept", "").lower()
    return "application/json" not in wanted or "text/html" in wanted


def create_guarded_app(
    workspaces: Workspaces,
    directory: Directory,
    *,
    provider: Provider | None = None,
    work: Callable[[], AbstractContextManager[object]] = nullcontext,
    address: str = "",
) -> Starlette:
    """Return the application for people of `directory`, who log in, and for its keys and tokens.

    With `provider` people may log in by that, too. `address` is as in `create_app`.
    """
    door = Door(directory)
    login = Login(directory, door, provider="" if provider is None else BEGIN).routes()
    if provider is not None:
        login += ProvidedLogin(directory, provider).routes()
    return create_app(
        workspaces,
        gate=door,
        more=login,
        directory=directory,
        work=lambda: _closing(work(), door, directory),
        address=address,
    )


@contextmanager
def _closing(
    work: AbstractContextManager[object], door: Door, directory: Directory
) -> Iterator[None]:
    try:
        with work:
            yield
    finally:
        door.close()
        directory.close()
