"""Fixes: kept, steered, and approved by signed links."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

from msgspec import Meta

from prunella.codec.plain import to_plain
from prunella.fixes import parse
from prunella.model.errors import TokenRefused
from prunella.model.rollouts import Rollout, RolloutState
from prunella.pipeline.looking import Look
from prunella.pipeline.rollouts import FixStory
from prunella.rollout.approval import NOT_OURS
from prunella.server.access import Role, access_of
from prunella.server.api.incidents import Reason, Why
from prunella.server.api.operation import Asked, Body, Operation, Query
from prunella.wiring.approvals import MAX_VALID, ApprovalLink, Approvals
from prunella.wiring.fixes import Fixes

_AT = "/projects/{project}/fixes"
_APPROVAL = "/projects/{project}/approvals/{token}"


class FixFilter(Query, frozen=True, kw_only=True):
    """Which fixes."""

    state: RolloutState | None = None


class AddFix(Body, frozen=True, kw_only=True):
    """A fix document, as `docs/reference/fixes.md` describes it."""

    document: dict[str, Any]
    reason: Reason = ""
    shadow: Annotated[bool, Meta(description="It logs what it would do, and does nothing.")] = False


class Document(Body, frozen=True, kw_only=True):
    """A fix document to look at."""

    document: dict[str, Any]


class MakeLink(Body, frozen=True, kw_only=True):
    """How long an approval link is valid."""

    expires_s: Annotated[int, Meta(ge=1, le=int(MAX_VALID.total_seconds()))] = 24 * 3600


def _list(asked: Asked) -> Any:
    wanted: FixFilter = asked.query
    states = None if wanted.state is None else {wanted.state}
    return {"items": to_plain(asked.healer.fixes.list(states=states))}


def _tell(asked: Asked) -> Any:
    return to_plain(asked.healer.fixes.story(asked.path["fix"]))


def _look(asked: Asked) -> Any:
    return to_plain(asked.healer.fixes.look(asked.path["fix"]))


def _add(asked: Asked) -> Any:
    body: AddFix = asked.body
    fixes = asked.healer.fixes_by(asked.actor)
    return to_plain(fixes.add(body.document, reason=body.reason, shadow=body.shadow))


def _validate(asked: Asked) -> Any:
    body: Document = asked.body
    return parse(body.document).document()


def _steps(step: Callable[..., Rollout]) -> Callable[[Asked], Any]:
    """Return what takes one of `Fixes`' steps."""

    def run(asked: Asked) -> Any:
        body: Why = asked.body
        fixes = asked.healer.fixes_by(asked.actor)
        return to_plain(step(fixes, asked.path["fix"], reason=body.reason))

    return run


def _link(asked: Asked) -> Any:
    body: MakeLink = asked.body
    made = asked.healer.approvals.link(
        asked.path["fix"], expires=timedelta(seconds=body.expires_s), actor=asked.actor
    )
    return to_plain(made)


def _show_approval(asked: Asked) -> Any:
    return to_plain(_approvals(asked).show(asked.path["token"]))


def _by_token(step: Callable[..., Rollout]) -> Callable[[Asked], Any]:
    """Return what answers an approval token, in the name of who has logged in."""

    def run(asked: Asked) -> Any:
        body: Why = asked.body
        access = access_of(asked.request)
        who = access.actor if access.roles else "whoever has the link"
        return to_plain(step(_approvals(asked), asked.path["token"], who=who, reason=body.reason))

    return run


def _approvals(asked: Asked) -> Approvals:
    """Return the project's; one that isn't there looks like a link of another."""
    if asked.workspace is None:
        raise TokenRefused(NOT_OURS)
    return asked.workspace.healer.approvals


def _step(name: str, step: Callable[..., Rollout], summary: str) -> Operation:
    return Operation(
        method="POST",
        path=f"{_AT}/{{fix}}/{name}",
        name=f"{name}_fix",
        summary=summary,
        role=Role.OPERATOR,
        run=_steps(step),
        answer=Rollout,
        body=Why,
    )


OPERATIONS = (
    Operation(
        method="GET",
        path=_AT,
        name="list_fixes",
        summary="Fixes with where each stands, the one that changed last first.",
        role=Role.VIEWER,
        run=_list,
        answer=list[Rollout],
        query=FixFilter,
    ),
    Operation(
        method="POST",
        path=_AT,
        name="add_fix",
        summary="Keep a fix document, waiting for approval; one of an id that ended is a new version.",
        role=Role.OPERATOR,
        run=_add,
        answer=Rollout,
        status=201,
        body=AddFix,
    ),
    Operation(
        method="POST",
        path=f"{_AT}/validate",
        name="validate_fix",
        summary="Check a fix document and return it as it would be kept; nothing is.",
        role=Role.VIEWER,
        run=_validate,
        answer=dict[str, Any],
        body=Document,
    ),
    Operation(
        method="GET",
        path=f"{_AT}/{{fix}}",
        name="tell_fix",
        summary="A fix with its history and what it did in each process.",
        role=Role.VIEWER,
        run=_tell,
        answer=FixStory,
    ),
    Operation(
        method="GET",
        path=f"{_AT}/{{fix}}/look",
        name="look_at_fix",
        summary="A fix with both arms' failures and what they say so far.",
        role=Role.VIEWER,
        run=_look,
        answer=Look,
    ),
    _step("approve", Fixes.approve, "Let a candidate act on the canary's share of the traffic."),
    _step("promote", Fixes.promote, "Let a fix act everywhere but on the holdback, at once."),
    _step("pause", Fixes.pause, "Stop a fix for now."),
    _step("resume", Fixes.resume, "Let a paused fix go on."),
    _step("rollback", Fixes.roll_back, "Take a fix back everywhere, for good."),
    _step("remove", Fixes.remove, "Retire a fix; its history stays."),
    Operation(
        method="POST",
        path=f"{_AT}/{{fix}}/approval-link",
        name="make_approval_link",
        summary="Make a token with which whoever has it may approve this fix, once.",
        role=Role.OPERATOR,
        run=_link,
        answer=ApprovalLink,
        status=201,
        body=MakeLink,
    ),
    Operation(
        method="GET",
        path=_APPROVAL,
        name="show_approval",
        summary="What an approval token would approve. The token is all that it takes.",
        role=None,
        run=_show_approval,
        answer=Rollout,
    ),
    Operation(
        method="POST",
        path=_APPROVAL,
        name="approve_by_token",
        summary="Approve what the token is for, once. The token is all that it takes.",
        role=None,
        run=_by_token(Approvals.redeem),
        answer=Rollout,
        body=Why,
    ),
    Operation(
        method="POST",
        path=f"{_APPROVAL}/decline",
        name="decline_by_token",
        summary="Retire what the token is for, so that it never acts. The token is all that it takes.",
        role=None,
        run=_by_token(Approvals.decline),
        answer=Rollout,
        body=Why,
    ),
)
