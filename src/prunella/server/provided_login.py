"""Logging in by a provider: there and back in a browser, and who comes back becomes a person."""

import hmac
import re
from dataclasses import asdict, replace
from hashlib import sha256
from json import dumps, loads
from urllib.parse import quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from prunella.model.clock import now
from prunella.model.directory import Person
from prunella.ports import Directory
from prunella.server.door import is_secure
from prunella.server.login import begun, local_path, place_of
from prunella.server.people import note
from prunella.server.provider import Identity, NotIdentified, Provider, Question
from prunella.server.sessions import Sessions

BEGIN = "/oidc/login"
_COOKIE = "prunella_oidc"
_QUESTION_S = 600
_MOST_CHARS = 4_000


class ProvidedLogin:
    """The routes of logging in by `provider`."""

    def __init__(self, directory: Directory, provider: Provider) -> None:
        self._directory, self._provider = directory, provider
        self._sessions = Sessions(directory)

    def routes(self) -> list[BaseRoute]:
        return [
            Route(BEGIN, self._go, methods=["GET"]),
            Route("/oidc/callback", self._come_back, methods=["GET"]),
        ]

    async def _go(self, request: Request) -> Response:
        question = Question.new()
        try:
            address = await run_in_threadpool(self._provider.address, question)
        except NotIdentified as error:
            raise HTTPException(502, str(error)) from error
        kept = {**asdict(question), "to": local_path(request.query_params.get("next", ""))}
        answer = RedirectResponse(address, 303)
        answer.set_cookie(
            _COOKIE,
            quote(dumps(kept), safe=""),
            max_age=_QUESTION_S,
            httponly=True,
            samesite="lax",
            secure=is_secure(request),
            path="/oidc",
        )
        return answer

    async def _come_back(self, request: Request) -> Response:
        question, to = _kept(request)
        given = request.query_params
        if not question.state or not hmac.compare_digest(
            given.get("state", "").encode(), question.state.encode()
        ):
            raise HTTPException(403, "this login wasn't begun in this browser; begin it again")
        if "error" in given or not given.get("code"):
            raise HTTPException(403, f"the provider says: {given.get('error', 'nothing')[:100]}")
        try:
            identity = await run_in_threadpool(
                self._provider.identify, given["code"][:_MOST_CHARS], question
            )
        except NotIdentified as error:
            await run_in_threadpool(self._note_failure, str(error), place_of(request))
            raise HTTPException(403, str(error)) from error
        secret = await run_in_threadpool(self._begin, identity, place_of(request))
        answer = begun(request, secret, to)
        answer.delete_cookie(_COOKIE, path="/oidc")
        return answer

    def _begin(self, identity: Identity, place: str) -> str:
        """Keep who came, with the roles that the provider gives now, and begin a session."""
        known = self._directory.person_of(identity.subject)
        if known is None:
            known = Person(
                name=self._free_name(identity),
                roles=identity.roles,
                made_at=now(),
                made_by="the provider",
                subject=identity.subject,
                is_provided=True,
            )
            note(self._directory, actor=known.name, action="user.added", subject=known.name)
        self._directory.save_person(replace(known, roles=identity.roles))
        return self._sessions.begin(known, place=place)

    def _free_name(self, identity: Identity) -> str:
        """Return a name that nobody has, so that nobody is taken for somebody else."""
        name = re.sub(r"[^a-z0-9._@+-]", "-", identity.name.lower())[:80].lstrip("._@+-") or "user"
        if self._directory.person(name) is None:
            return name
        return f"{name}-{sha256(identity.subject.encode()).hexdigest()[:8]}"

    def _note_failure(self, why: str, place: str) -> None:
        note(
            self._directory,
            actor="nobody",
            action="login.failed",
            subject="the provider",
            evidence={"from": place[:100], "why": why[:300]},
        )


def _kept(request: Request) -> tuple[Question, str]:
    """Return what was asked, as the browser's cookie has it."""
    try:
        kept = loads(unquote(request.cookies.get(_COOKIE, "")[:_MOST_CHARS]))
        question = Question(
            state=str(kept["state"]), nonce=str(kept["nonce"]), verifier=str(kept["verifier"])
        )
        return question, local_path(str(kept["to"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise HTTPException(
            403, "this login wasn't begun in this browser, or too long ago; begin it again"
        ) from None
