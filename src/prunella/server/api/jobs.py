"""Long work: asked for, watched, cancelled."""

from typing import Annotated, Any

from msgspec import Meta

from prunella.codec.plain import to_plain
from prunella.model.jobs import Job, JobKind, JobState
from prunella.server.access import Role
from prunella.server.api.incidents import Limit, Words
from prunella.server.api.operation import Asked, Body, Operation, Query
from prunella.wiring.jobs import Jobs

_AT = "/projects/{project}/jobs"


class JobFilter(Query, frozen=True, kw_only=True):
    """Which jobs."""

    subject: Words = ""
    kind: JobKind | None = None
    state: JobState | None = None
    limit: Limit = 50


class AskForJob(Body, frozen=True, kw_only=True):
    """What is to be done with what."""

    kind: JobKind
    subject: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=500,
            description="An incident's id or a beginning of it; to replay, a function.",
        ),
    ]
    force: Annotated[
        bool, Meta(description="Heal also where that was tried within the cooldown.")
    ] = False


def _ask(asked: Asked) -> Any:
    body: AskForJob = asked.body
    job = Jobs(asked.healer).ask(body.kind, body.subject, actor=asked.actor, force=body.force)
    return to_plain(job)


def _list(asked: Asked) -> Any:
    wanted: JobFilter = asked.query
    found = Jobs(asked.healer).list(
        subject=wanted.subject or None,
        kinds=None if wanted.kind is None else {wanted.kind},
        states=None if wanted.state is None else {wanted.state},
        limit=wanted.limit,
    )
    return {"items": to_plain(found)}


def _get(asked: Asked) -> Any:
    return to_plain(Jobs(asked.healer).get(asked.path["job"]))


def _cancel(asked: Asked) -> Any:
    return to_plain(Jobs(asked.healer).cancel(asked.path["job"]))


OPERATIONS = (
    Operation(
        method="POST",
        path=_AT,
        name="ask_for_job",
        summary="Ask for long work: diagnose, heal, publish, suggest, replay. "
        "The same that waits or runs is answered instead of a second one.",
        role=Role.OPERATOR,
        run=_ask,
        answer=Job,
        status=202,
        body=AskForJob,
    ),
    Operation(
        method="GET",
        path=_AT,
        name="list_jobs",
        summary="Jobs, the youngest first.",
        role=Role.VIEWER,
        run=_list,
        answer=list[Job],
        query=JobFilter,
    ),
    Operation(
        method="GET",
        path=f"{_AT}/{{job}}",
        name="get_job",
        summary="A job with what it does now, or what came of it.",
        role=Role.VIEWER,
        run=_get,
        answer=Job,
    ),
    Operation(
        method="POST",
        path=f"{_AT}/{{job}}/cancel",
        name="cancel_job",
        summary="End a job: at once where it waits, else at its next step.",
        role=Role.OPERATOR,
        run=_cancel,
        answer=Job,
        status=202,
    ),
)
