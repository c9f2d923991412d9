"""Forms for whoever comes, logged in or not: each brings a token that belongs to that browser."""

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from prunella.server.access import access_of
from prunella.server.dashboard.rendering import show
from prunella.server.dashboard.visits import frame_of_nobody
from prunella.server.door import LOGIN_COOKIE, is_secure
from prunella.server.sessions import csrf_token

_VALID_S = 3600


def show_form(request: Request, template: str, *, status: int = 200, **data: Any) -> Response:
    """Return a page with a form; who has no session gets a cookie that the form's token belongs to."""
    frame, access = frame_of_nobody(request), access_of(request)
    if access.has_session or access.roles:
        return show(request, template, status=status, **data, **frame)
    secret = request.cookies.get(LOGIN_COOKIE, "")[:200] or secrets.token_urlsafe(24)
    answer = show(
        request, template, status=status, **data, **frame | {"csrf_token": csrf_token(secret)}
    )
    answer.set_cookie(
        LOGIN_COOKIE,
        secret,
        max_age=_VALID_S,
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )
    return answer
