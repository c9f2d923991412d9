"""The page behind an approval link: what is asked, and two buttons.

Whoever has the link may answer, as the API has it. Looking changes nothing, because programs that
scan mails and preview links look, too; what is answered is sent as a form.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from prunella.model.errors import ConfigurationError, PrunellaError, StepRefused, TokenRefused
from prunella.model.incidents import Incident
from prunella.model.rollouts import Rollout
from prunella.rollout.approval import NOT_OURS
from prunella.server.access import Role, access_of
from prunella.server.api import perform
from prunella.server.dashboard.forms import show_form
from prunella.server.dashboard.managing import Made
from prunella.server.dashboard.views.fixes import target_of
from prunella.server.dashboard.visits import Visit, action, field_of, form_of, links_for
from prunella.server.workspaces import Workspace
from prunella.wiring.approvals import Question

_ANSWERS = {
    "approve": ("approve_by_token", "is approved: its canary begins"),
    "decline": ("decline_by_token", "is declined: it never acts"),
}


def show_question(request: Request) -> Response:
    """Show what a link asks for, or why it can't be answered any more."""
    return _question(request)


async def answer_question(request: Request) -> Response:
    """Approve or decline, and say what was done."""
    form = await form_of(request)
    return await run_in_threadpool(
        _answered, request, field_of(form, "answer"), field_of(form, "reason", 300)
    )


def _answered(request: Request, answer: str, reason: str) -> Response:
    if answer not in _ANSWERS:
        raise ConfigurationError(f"there is no answer {answer[:80]!r}: approve or decline")
    operation, said = _ANSWERS[answer]
    path = {name: str(request.path_params[name]) for name in ("project", "token")}
    try:
        after: Rollout = perform(request, operation, {"reason": reason}, **path)
    except TokenRefused as error:
        return _shown(request, 403, refused=str(error))
    except StepRefused as error:
        return _question(request, trouble=str(error))
    return _shown(request, 200, done=f"{after.fix_id} {said}.", rollout=after)


def _question(request: Request, trouble: str = "") -> Response:
    workspace = request.app.state.workspaces.open(request.path_params["project"])
    try:
        if workspace is None:
            raise TokenRefused(NOT_OURS)
        question = workspace.healer.approvals.ask(request.path_params["token"])
    except TokenRefused as error:
        return _shown(request, 403, refused=str(error))
    return _shown(
        request,
        409 if trouble else 200,
        question=question,
        rollout=question.rollout,
        incident=_incident(workspace, question),
        trouble=trouble,
    )


def _incident(workspace: Workspace, question: Question) -> Incident | None:
    if question.rollout.incident_id is None:
        return None
    try:
        return workspace.healer.store.incident(question.rollout.incident_id)
    except PrunellaError:  # it was forgotten; the fix may be wanted all the same
        return None


def _shown(
    request: Request,
    status: int,
    *,
    question: Question | None = None,
    rollout: Rollout | None = None,
    incident: Incident | None = None,
    refused: str = "",
    trouble: str = "",
    done: str = "",
) -> Response:
    access, name = access_of(request), request.path_params["project"]
    role = access.role(name)
    return show_form(
        request,
        "approval.html",
        status=status,
        question=question,
        rollout=rollout,
        incident=incident,
        refused=refused,
        trouble=trouble,
        done=done,
        asked_project=name,
        may_look=role is not None and role >= Role.VIEWER,
        may_log_in=not access.roles and not access.has_session,
        target_of=target_of,
    )


@action
def make_link(visit: Visit) -> Response:
    """Make a link for the fix, and show it."""
    made = visit.healer.approvals.link(
        visit.request.path_params["fix_id"], actor=visit.access.actor
    )
    link = links_for(visit.request, visit.workspace.name).approval(made.token)
    return visit.show(
        "approval_link.html",
        link=made,
        made=Made(
            title=f"Whoever has this link may approve or decline {made.fix_id}, once",
            lines=(("Approval link", link),),
        ),
    )
