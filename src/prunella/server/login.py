"""Logging in and out in a browser, and setting a password by invitation."""

from asyncio import Semaphore
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from prunella.model.clock import now
from prunella.model.directory import Person
from prunella.model.errors import ConfigurationError
from prunella.ports import Directory
from prunella.server.access import access_of
from prunella.server.dashboard.forms import show_form
from prunella.server.door import COOKIE, LOGIN_COOKIE, SECURE_COOKIE, Door, is_secure, session_of
from prunella.server.passwords import LEAST_CHARS
from prunella.server.people import People, digest_of
from prunella.server.sessions import OLDEST, LoginRefused, Sessions

#: Passwords that are checked at once; each takes tens of megabytes and a good part of a second.
_LOGINS_AT_ONCE = 4


class Login:
    """The routes of logging in, for the people of `directory`."""

    def __init__(self, directory: Directory, door: Door, *, provider: str = "") -> None:
        self._directory, self._door = directory, door
        self._sessions = Sessions(directory)
        self._at_once = Semaphore(_LOGINS_AT_ONCE)
        #: Where a login by OpenID Connect begins; "" without.
        self._provider = provider

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/login", self._form, methods=["GET"]),
            Route("/login", self._log_in, methods=["POST"]),
            Route("/logout", self._log_out, methods=["POST"]),
            Route("/invitation/{secret}", self._invited, methods=["GET"]),
            Route("/invitation/{secret}", self._set_password, methods=["POST"]),
        ]

    async def _form(self, request: Request) -> Response:
        to = local_path(request.query_params.get("next", ""))
        if access_of(request).has_session:
            return RedirectResponse(to, 303)
        return self._page(request, to=to)

    async def _log_in(self, request: Request) -> Response:
        form = await request.form(max_files=0, max_fields=20)
        name, password = str(form.get("name", "")), str(form.get("password", ""))
        to = local_path(str(form.get("next", "")))
        try:
            # A few at a time, so that the threads that answer everything else aren't all taken.
            async with self._at_once:
                secret = await run_in_threadpool(
                    self._sessions.log_in, name, password, place=place_of(request)
                )
        except LoginRefused as error:
            return self._page(request, to=to, name=name, message=str(error), status=error.status)
        if old := session_of(request):  # a new login is a new session
            await run_in_threadpool(self._directory.end_session, digest_of(old))
        return begun(request, secret, to)

    async def _log_out(self, request: Request) -> Response:
        secret, access = session_of(request), access_of(request)
        if secret:
            await run_in_threadpool(self._sessions.end, secret, actor=access.actor)
            self._door.forget(secret)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, path="/")
        answer.delete_cookie(SECURE_COOKIE, path="/", secure=True)
        return answer

    async def _invited(self, request: Request) -> Response:
        person = await run_in_threadpool(self._person_invited, request)
        return self._page(request, template="invitation.html", name=person.name)

    async def _set_password(self, request: Request) -> Response:
        person = await run_in_threadpool(self._person_invited, request)
        form = await request.form(max_files=0, max_fields=20)
        password, again = str(form.get("password", "")), str(form.get("again", ""))
        if password != again or len(password) < LEAST_CHARS:
            message = (
                "the two don't match"
                if password != again
                else f"a password needs at least {LEAST_CHARS} characters"
            )
            return self._page(
                request,
                template="invitation.html",
                name=person.name,
                message=message,
                status=422,
            )
        secret = await run_in_threadpool(self._begin, request, person, password)
        return begun(request, secret, "/")

    def _person_invited(self, request: Request) -> Person:
        digest = digest_of(request.path_params["secret"])
        found = self._directory.invitation(digest, at=now())
        person = None if found is None else self._directory.person(found.person)
        if person is None:
            raise HTTPException(404, "the invitation was used or has expired; ask for another one")
        return person

    def _begin(self, request: Request, person: Person, password: str) -> str:
        """Set the password, use the invitation up, and log in."""
        digest = digest_of(request.path_params["secret"])
        if self._directory.take_invitation(digest, at=now()) is None:
            raise HTTPException(404, "the invitation was used or has expired; ask for another one")
        try:
            People(self._directory, actor=person.name).set_password(person.name, password)
        except ConfigurationError as error:
            raise HTTPException(422, str(error)) from error
        return self._sessions.begin(person, place=place_of(request))

    def _page(
        self,
        request: Request,
        *,
        template: str = "login.html",
        to: str = "/",
        name: str = "",
        message: str = "",
        status: int = 200,
    ) -> Response:
        """Return a form, with the cookie that its token belongs to."""
        return show_form(
            request,
            template,
            status=status,
            message=message,
            next=to,
            name=name[:100],
            oidc=self._provider and f"{self._provider}?next={quote(to, safe='')}",
        )


def begun(request: Request, secret: str, to: str) -> Response:
    """Return the answer that begins a session in the browser, and leads on."""
    answer = RedirectResponse(to, 303)
    secure = is_secure(request)
    answer.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        secret,
        max_age=int(OLDEST.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=secure,
        path="/",
    )
    answer.delete_cookie(LOGIN_COOKIE)
    return answer


def local_path(to: str) -> str:
    """Return a path of this server to go on to; whatever leads elsewhere is ``/``."""
    parts = urlsplit(to) if len(to) <= 2_000 else None
    is_ours = (
        parts is not None
        and not parts.scheme
        and not parts.netloc
        and to.startswith("/")
        and not to.startswith(("//", "/\\"))
        and to.isprintable()
        and "\\" not in to
    )
    return to if is_ours else "/"


def place_of(request: Request) -> str:
    """Return the address of who asks."""
    return request.client.host if request.client else ""
