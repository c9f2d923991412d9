"""Incidents: found, told, ignored and opened again."""

from typing import Annotated, Any

from msgspec import Meta

from prunella.codec.plain import to_plain
from prunella.model.incidents import Incident, IncidentStatus
from prunella.model.records import Occurrence
from prunella.pipeline.results import plain_story
from prunella.ports import IncidentOrder, IncidentQuery
from prunella.server.access import Role
from prunella.server.api.operation import Asked, Body, Operation, Query

Limit = Annotated[int, Meta(ge=1, le=500, description="How many at most.")]
Offset = Annotated[int, Meta(ge=0, le=10**9, description="How many to leave out first.")]
Words = Annotated[str, Meta(max_length=500)]
Reason = Annotated[str, Meta(max_length=2_000, description="Why, for the audit log.")]

_AT = "/projects/{project}/incidents"


class IncidentFilter(Query, frozen=True, kw_only=True):
    """Which incidents."""

    status: IncidentStatus | None = None
    site: Annotated[Words, Meta(description="A site's id, or its module.")] = ""
    code: Annotated[Words, Meta(description="An error code, or its first parts: NET.DNS")] = ""
    release: Words = ""
    environment: Words = ""
    order: IncidentOrder = IncidentOrder.LAST_SEEN
    text: Annotated[Words, Meta(description="Words of the message, type, code or site.")] = ""
    limit: Limit = 50
    offset: Offset = 0


class OccurrencePage(Query, frozen=True, kw_only=True):
    """How many occurrences."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 10


class Why(Body, frozen=True, kw_only=True):
    """A reason."""

    reason: Reason = ""


def _list(asked: Asked) -> Any:
    wanted: IncidentFilter = asked.query
    page = asked.healer.store.find_incidents(
        IncidentQuery(
            text=wanted.text,
            statuses=() if wanted.status is None else (wanted.status,),
            error_code=wanted.code,
            site=wanted.site,
            release=wanted.release,
            environment=wanted.environment,
            order=wanted.order,
            limit=wanted.limit,
            offset=wanted.offset,
        )
    )
    return {"items": to_plain(page.items), "total": page.total}


def _tell(asked: Asked) -> Any:
    return plain_story(asked.healer.story(asked.path["incident"]))


def _occurrences(asked: Asked) -> Any:
    store = asked.healer.store
    incident = store.incident(asked.path["incident"])
    found = store.occurrences(incident.incident_id, limit=asked.query.limit)
    return {"items": to_plain(found)}


def _ignore(asked: Asked) -> Any:
    body: Why = asked.body
    return to_plain(
        asked.healer.ignore(asked.path["incident"], actor=asked.actor, reason=body.reason)
    )


def _reopen(asked: Asked) -> Any:
    body: Why = asked.body
    return to_plain(
        asked.healer.reopen(asked.path["incident"], actor=asked.actor, reason=body.reason)
    )


OPERATIONS = (
    Operation(
        method="GET",
        path=_AT,
        name="list_incidents",
        summary="Incidents, the one seen last first.",
        role=Role.VIEWER,
        run=_list,
        answer=list[Incident],
        query=IncidentFilter,
    ),
    Operation(
        method="GET",
        path=f"{_AT}/{{incident}}",
        name="tell_incident",
        summary="Everything that is kept about an incident: occurrences, diagnoses, candidates.",
        role=Role.VIEWER,
        run=_tell,
        answer=dict[str, Any],
    ),
    Operation(
        method="GET",
        path=f"{_AT}/{{incident}}/occurrences",
        name="list_occurrences",
        summary="Failures of an incident with full context, newest first.",
        role=Role.VIEWER,
        run=_occurrences,
        answer=list[Occurrence],
        query=OccurrencePage,
    ),
    Operation(
        method="POST",
        path=f"{_AT}/{{incident}}/ignore",
        name="ignore_incident",
        summary="Ignore an incident: it stays, and is never healed or alerted.",
        role=Role.OPERATOR,
        run=_ignore,
        answer=Incident,
        body=Why,
    ),
    Operation(
        method="POST",
        path=f"{_AT}/{{incident}}/reopen",
        name="reopen_incident",
        summary="Open an incident again that was ignored, mitigated or cured.",
        role=Role.OPERATOR,
        run=_reopen,
        answer=Incident,
        body=Why,
    ),
)
