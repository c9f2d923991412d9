"""One look at one page: who looks, at which project; and how what goes wrong is said."""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from prunella.model.links import Links
from prunella.ports import Store
from prunella.server.access import Access, Role, access_of
from prunella.server.dashboard.rendering import SAID, said_cookie, show
from prunella.server.workspaces import Workspace, Workspaces, workspace_of
from prunella.wiring.healer import Healer

_TITLES = {
    400: "That can't be done so",
    401: "Log in first",
    403: "Not allowed",
    404: "Not found",
    405: "That can't be done so",
    409: "It can't be done now",
    413: "That is too much",
    422: "That can't be done so",
    429: "Too often",
    500: "Something is wrong here",
    503: "The store can't answer",
}
#: What to do, where the message doesn't say it.
_ADVICE = {
    401: "Your session has ended, or you have none here.",
    404: "Look at the address, or begin at the overview.",
    413: "Send less at once; a program has the API for it.",
    429: "Wait a minute and load the page again.",
    503: "Load the page again in a few seconds; “Doctor” says what the store lacks.",
}
#: A field of a form that is longer is refused before anything looks at it.
_MAX_FIELD_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request with the project that it is about."""

    request: Request
    workspace: Workspace
    access: Access
    #: What was sent with it; empty for a look.
    form: FormData

    @property
    def healer(self) -> Healer:
        return self.workspace.healer

    @property
    def store(self) -> Store:
        return self.workspace.healer.store

    @property
    def home(self) -> str:
        """Address of the project's pages, without a slash at its end."""
        return f"/p/{self.workspace.name}"

    def query(self, name: str, max_chars: int = 200) -> str:
        """Return a parameter of the address, ``""`` where there is none."""
        return self.request.query_params.get(name, "")[:max_chars]

    def field(self, name: str, max_chars: int = 500) -> str:
        """Return a text field of the form, stripped."""
        return field_of(self.form, name, max_chars)

    def show(self, template: str, *, status: int = 200, **data: Any) -> Response:
        """Return a page of the project."""
        return show(
            self.request,
            template,
            status=status,
            **frame(self.request, self.workspace.name),
            **data,
        )

    def done(self, said: str, to: str) -> Response:
        """Go on to the page `to` of the project, and say there what was done."""
        return gone_on(said, f"{self.home}{to}")

    def back(self, said: str, otherwise: str) -> Response:
        """Go back to the page of the project that the form stood on."""
        place = urlsplit(self.request.headers.get("referer", ""))
        here = place.path.removeprefix(self.home)
        within = place.path.startswith(f"{self.home}/") and place.netloc == self.request.url.netloc
        query = f"?{place.query}" if place.query else ""
        return self.done(said, f"{here}{query}" if within else otherwise)


def links_for(request: Request, project: str = "") -> Links:
    """Return the links that a page shows to copy: by the setting ``server_url``.

    Where that isn't set, by what the browser calls the server: it shows them to who sent that.
    """
    here = f"{request.url.scheme}://{request.url.netloc}"
    return Links(server=request.app.state.address or here, project=project)


def field_of(form: FormData, name: str, max_chars: int = 500) -> str:
    """Return a text field of a form, stripped; ``""`` where there is none."""
    found = form.get(name, "")
    return found.strip()[:max_chars] if isinstance(found, str) else ""


def gone_on(said: str, to: str) -> Response:
    """Go on to the path `to` of this server, and say there what was done."""
    response = RedirectResponse(to, status_code=303)
    response.set_cookie(SAID, said_cookie(said), max_age=30, httponly=True, samesite="lax")
    return response


def frame(request: Request, project: str) -> dict[str, Any]:
    """Return what the frame around every page of a project needs."""
    access = access_of(request)
    role = access.role(project)
    workspaces: Workspaces = request.app.state.workspaces
    return {
        "project": project,
        "projects": [name for name in workspaces.names() if access.role(name) is not None],
        "home": f"/p/{project}",
        "actor": access.actor,
        "csrf_token": access.csrf_token,
        "role": "" if role is None else role.name.lower(),
        "has_session": access.has_session,
        "may_act": role is not None and role >= Role.OPERATOR,
        "may_manage": role is Role.ADMIN,
        "manages_server": _manages_server(request, access),
    }


Answer = Callable[[Visit], Response]


def page_for(role: Role) -> Callable[[Answer], Callable[[Request], Response]]:
    """Return the decorator that makes the endpoint of a page that `role` may look at."""

    def decorate(answer: Answer) -> Callable[[Request], Response]:
        @functools.wraps(answer)
        def endpoint(request: Request) -> Response:
            return _answered(request, role, answer, FormData())

        return endpoint

    return decorate


def action_for(role: Role) -> Callable[[Answer], Callable[[Request], Awaitable[Response]]]:
    """Return the decorator of a form that `role` may send; the guard has seen to its token."""

    def decorate(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        @functools.wraps(answer)
        async def endpoint(request: Request) -> Response:
            form = await form_of(request)
            return await run_in_threadpool(_answered, request, role, answer, form)

        return endpoint

    return decorate


page, action = page_for(Role.VIEWER), action_for(Role.OPERATOR)


async def form_of(request: Request) -> FormData:
    """Return the fields of a form; raises `HTTPException` where it is none."""
    return await request.form(max_files=0, max_fields=1000, max_part_size=_MAX_FIELD_BYTES)


def _answered(request: Request, role: Role, answer: Answer, form: FormData) -> Response:
    workspace, access = workspace_of(request, role)
    return answer(Visit(request=request, workspace=workspace, access=access, form=form))


def problem(request: Request, status: int, why: str) -> Response:
    """Return a page that says what went wrong, and what to do about it."""
    project = request.path_params.get("project", "")
    known = bool(project) and access_of(request).role(project) is not None and status != 401
    return show(
        request,
        "problem.html",
        status=status,
        title=_TITLES.get(status, "That did not work"),
        why=why,
        advice=_ADVICE.get(status, ""),
        login=status == 401,
        **(frame(request, project) if known else frame_of_nobody(request)),
    )


def frame_of_nobody(request: Request) -> dict[str, Any]:
    """Return the frame of a page that belongs to no project."""
    access: Access | None = getattr(request.state, "access", None)
    return {
        "project": "",
        "projects": [],
        "home": "",
        "actor": access.actor if access else "",
        "csrf_token": access.csrf_token if access else "",
        "role": "",
        "has_session": access.has_session if access else False,
        "may_act": False,
        "may_manage": False,
        "manages_server": access is not None and _manages_server(request, access),
    }


def _manages_server(request: Request, access: Access) -> bool:
    """Say whether somebody may make users and projects: an admin of all, where people log in."""
    return request.app.state.directory is not None and access.roles.get("*") is Role.ADMIN
