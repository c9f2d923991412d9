"""Who may do what, as pages: keys and tokens of a project; users, projects, tokens of the server.

Everything is done by the API's own operations, so that roles, bounds and audit entries are theirs.
What is made once (a key, a token, an invitation) is shown by the answer to the form itself: no later
page, and no cookie, has it.
"""

import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from prunella.model.clock import now
from prunella.model.directory import BYTES_PER_DAY, PER_MINUTE
from prunella.server.access import Role, require_everywhere
from prunella.server.api import perform
from prunella.server.dashboard.rendering import show
from prunella.server.dashboard.visits import (
    Visit,
    action_for,
    field_of,
    form_of,
    frame_of_nobody,
    gone_on,
    links_for,
    page_for,
)

_MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What is shown this once."""

    title: str
    #: Labels and texts to copy.
    lines: tuple[tuple[str, str], ...]


# --- a project


@page_for(Role.ADMIN)
def show_access(visit: Visit) -> Response:
    return _access(visit)


def _access(visit: Visit, made: Made | None = None) -> Response:
    people_log_in = visit.request.app.state.directory is not None
    name = visit.workspace.name

    def those(operation: str) -> Any:
        return perform(visit.request, operation, project=name) if people_log_in else []

    return visit.show(
        "access.html",
        people_log_in=people_log_in,
        keys=those("list_keys"),
        tokens=those("list_tokens"),
        made=made,
        per_minute=PER_MINUTE,
        mb_per_day=BYTES_PER_DAY // _MB,
    )


@action_for(Role.ADMIN)
def make_key(visit: Visit) -> Response:
    fields: dict[str, Any] = {"name": visit.field("name")}
    if per_minute := visit.field("per_minute"):
        fields["per_minute"] = per_minute
    if mb := visit.field("mb_per_day"):
        fields["bytes_per_day"] = f"{mb}000000"
    new = perform(visit.request, "make_key", fields, project=visit.workspace.name)
    dsn = links_for(visit.request, visit.workspace.name).dsn(new.secret)
    lines = (("Key", new.secret), ("For the program's environment", f"PRUNELLA_DSN={dsn}"))
    return _access(visit, Made(title=f"The key {new.credential.name} is made", lines=lines))


@action_for(Role.ADMIN)
def end_key(visit: Visit) -> Response:
    key = visit.request.path_params["key"]
    perform(visit.request, "end_key", project=visit.workspace.name, key=key)
    return visit.done(
        "The key has ended: within seconds, what is sent with it is refused.", _ACCESS
    )


@action_for(Role.ADMIN)
def make_token(visit: Visit) -> Response:
    fields = _token_fields(visit.form)
    return _access(
        visit, _token(perform(visit.request, "make_token", fields, project=visit.workspace.name))
    )


@action_for(Role.ADMIN)
def end_token(visit: Visit) -> Response:
    token_id = visit.request.path_params["token_id"]
    perform(visit.request, "end_token", project=visit.workspace.name, token_id=token_id)
    return visit.done("The token has ended: within seconds, it lets nobody in.", _ACCESS)


_ACCESS = "/access"


def _token_fields(form: FormData) -> dict[str, Any]:
    fields: dict[str, Any] = {name: field_of(form, name) for name in ("name", "role")}
    days = field_of(form, "days")
    if days:
        valid = timedelta(days=min(int(days), 36_500) if days.isdecimal() else 0)
        fields["expires_at"] = now() + valid
    return fields


def _token(new: Any) -> Made:
    return Made(title=f"The token {new.credential.name} is made", lines=(("Token", new.secret),))


# --- the server


def _of_server(
    answer: Callable[[Request, FormData], Response],
) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of a page or form about the server, which is for its admins."""

    @functools.wraps(answer)
    async def endpoint(request: Request) -> Response:
        require_everywhere(request, Role.ADMIN)
        form = FormData() if request.method in {"GET", "HEAD"} else await form_of(request)
        return await run_in_threadpool(answer, request, form)

    return endpoint


def _shown(request: Request, tab: str, *, made: Made | None = None, **data: Any) -> Response:
    frame = frame_of_nobody(request)
    return show(request, f"server_{tab}.html", tab=tab, made=made, **data, **frame)


@_of_server
def show_server(_request: Request, _form: FormData) -> Response:
    return RedirectResponse("/server/users", 303)


@_of_server
def show_users(request: Request, _form: FormData) -> Response:
    return _users(request)


def _users(request: Request, made: Made | None = None) -> Response:
    names = [(item.name, item.name) for item in perform(request, "list_all_projects")]
    users = perform(request, "list_users")
    return _shown(request, "users", users=users, names=names, made=made)


@_of_server
def add_user(request: Request, form: FormData) -> Response:
    name = field_of(form, "name")
    invited = perform(request, "add_user", {"name": name, "roles": _roles(form)})
    return _users(request, _invitation(request, name, invited.path))


@_of_server
def set_roles(request: Request, form: FormData) -> Response:
    user = request.path_params["user"]
    perform(request, "set_roles", {"roles": _roles(form)}, user=user)
    return gone_on(f"{user} has other roles now.", "/server/users")


@_of_server
def invite_user(request: Request, _form: FormData) -> Response:
    user = request.path_params["user"]
    return _users(
        request, _invitation(request, user, perform(request, "invite_user", user=user).path)
    )


@_of_server
def remove_user(request: Request, _form: FormData) -> Response:
    user = request.path_params["user"]
    perform(request, "remove_user", user=user)
    return gone_on(f"{user} can't log in any more.", "/server/users")


def _roles(form: FormData) -> Mapping[str, str]:
    """Return project to role, from two lists of fields; what has no project or no role is left out."""
    projects, roles = form.getlist("project"), form.getlist("role")
    pairs = zip(projects, roles, strict=False)
    return {str(project): str(role) for project, role in pairs if project and role}


def _invitation(request: Request, name: str, path: str) -> Made:
    link = links_for(request).server + path
    title = f"{name} sets a password at this link, once and within three days"
    return Made(title=title, lines=(("Invitation", link),))


@_of_server
def show_projects(request: Request, _form: FormData) -> Response:
    return _shown(request, "projects", all_projects=perform(request, "list_all_projects"))


@_of_server
def add_project(request: Request, form: FormData) -> Response:
    fields = {name: field_of(form, name, 1_000) for name in ("name", "root")}
    name = perform(request, "add_project", fields).name
    return gone_on(
        f"The project {name} is there: make a key for its programs.", f"/p/{name}/access"
    )


@_of_server
def remove_project(request: Request, _form: FormData) -> Response:
    name = request.path_params["name"]
    perform(request, "remove_project", name=name)
    return gone_on(f"{name} is forgotten; its records stay in the database.", "/server/projects")


@_of_server
def show_tokens(request: Request, _form: FormData) -> Response:
    return _tokens(request)


def _tokens(request: Request, made: Made | None = None) -> Response:
    return _shown(request, "tokens", tokens=perform(request, "list_server_tokens"), made=made)


@_of_server
def make_server_token(request: Request, form: FormData) -> Response:
    return _tokens(request, _token(perform(request, "make_server_token", _token_fields(form))))


@_of_server
def end_server_token(request: Request, _form: FormData) -> Response:
    perform(request, "end_server_token", token_id=request.path_params["token_id"])
    return gone_on("The token has ended: within seconds, it lets nobody in.", "/server/tokens")


@_of_server
def show_decisions(request: Request, _form: FormData) -> Response:
    entries = list(reversed(perform(request, "list_server_decisions")))
    return _shown(request, "audit", entries=entries)
