"""The straight way for what programs post all day, past the routes.

Routing and what is around it cost more than most posts do otherwise. What stands in front of all routes
(who asks, from where, how much) stands in front of this as well, and the same function answers.
"""

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from prunella.model.errors import PrunellaError
from prunella.server.ingest.spools import keep_spool
from prunella.server.problems import answer_of

#: As the route of `keep_spool` has it.
_POST = re.compile(r"/api/v1/projects/(?P<project>[^/]+)/spool/(?P<name>[^/]+)")


class Straight:
    """The ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = None
        if scope["type"] == "http" and scope["method"] == "POST":
            found = _POST.fullmatch(scope["path"])
        if found is None:
            await self._app(scope, receive, send)
            return
        request = Request({**scope, "path_params": found.groupdict()}, receive, send)
        try:
            answer = await keep_spool(request)
        except (HTTPException, PrunellaError) as error:
            answer = answer_of(error)
        await answer(scope, receive, send)
