"""What a project tells of itself: metrics, alerts, decisions, cases, settings, health."""

from dataclasses import fields
from datetime import timedelta
from typing import Annotated, Any

from msgspec import Meta

from prunella.codec.plain import to_plain
from prunella.model.alerts import Mute
from prunella.model.audit import AuditEntry
from prunella.model.incidents import Case
from prunella.model.settings import Settings, shown
from prunella.pipeline.deliver import plain_told
from prunella.pipeline.metrics import Metrics
from prunella.pipeline.results import Finding
from prunella.server.access import Role
from prunella.server.api.incidents import Words
from prunella.server.api.operation import Asked, Body, Operation, Query
from prunella.wiring.alerts import MAX_MUTE
from prunella.wiring.doctor import examine

_AT = "/projects/{project}"


class Window(Query, frozen=True, kw_only=True):
    """How far back."""

    days: Annotated[int, Meta(ge=1, le=36_500)] | None = None


class AlertPage(Query, frozen=True, kw_only=True):
    """How many alerts of the last week."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 50


class AuditFilter(Query, frozen=True, kw_only=True):
    """Which decisions."""

    subject: Annotated[Words, Meta(description="The id of a rollout or incident.")] = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class MuteFor(Body, frozen=True, kw_only=True):
    """How long."""

    for_s: Annotated[int, Meta(ge=1, le=int(MAX_MUTE.total_seconds()))] = 2 * 3600


def _metrics(asked: Asked) -> Any:
    wanted: Window = asked.query
    within = None if wanted.days is None else timedelta(days=wanted.days)
    return to_plain(asked.healer.metrics(within=within))


def _alerts(asked: Asked) -> Any:
    told = asked.healer.alerts.list(limit=asked.query.limit)
    return {"items": [plain_told(item) for item in told]}


def _mutes(asked: Asked) -> Any:
    return {"items": to_plain(asked.healer.alerts.mutes())}


def _mute(asked: Asked) -> Any:
    duration = timedelta(seconds=asked.body.for_s)
    return to_plain(asked.healer.alerts.mute(asked.path["what"], duration, actor=asked.actor))


def _unmute(asked: Asked) -> Any:
    asked.healer.alerts.unmute(asked.path["what"])


def _audit(asked: Asked) -> Any:
    wanted: AuditFilter = asked.query
    found = asked.healer.store.audit(subject=wanted.subject or None, limit=wanted.limit)
    return {"items": to_plain(found)}


def _cases(asked: Asked) -> Any:
    return {"items": to_plain(asked.healer.store.cases())}


def _settings(asked: Asked) -> Any:
    loaded = asked.healer.loaded
    return {
        "items": [
            {
                "name": item.name,
                "value": shown(item.name, getattr(loaded.settings, item.name)),
                "origin": loaded.origins.get(item.name, "default"),
                "meaning": item.metadata["doc"],
            }
            for item in fields(Settings)
        ]
    }


def _doctor(asked: Asked) -> Any:
    return {"items": to_plain(examine(asked.healer))}


OPERATIONS = (
    Operation(
        method="GET",
        path=f"{_AT}/metrics",
        name="measure",
        summary="How well healing works.",
        role=Role.VIEWER,
        run=_metrics,
        answer=Metrics,
        query=Window,
    ),
    Operation(
        method="GET",
        path=f"{_AT}/alerts",
        name="list_alerts",
        summary="What people were told in the last week, oldest first, and whether it arrived.",
        role=Role.VIEWER,
        run=_alerts,
        answer=list[dict[str, Any]],
        query=AlertPage,
    ),
    Operation(
        method="GET",
        path=f"{_AT}/mutes",
        name="list_mutes",
        summary="Sites and error codes that nobody is told of for a while.",
        role=Role.VIEWER,
        run=_mutes,
        answer=list[Mute],
    ),
    Operation(
        method="PUT",
        path=f"{_AT}/mutes/{{what}}",
        name="mute",
        summary="Tell nobody of a site, or of an error code and all below it, for a while.",
        role=Role.OPERATOR,
        run=_mute,
        answer=Mute,
        body=MuteFor,
    ),
    Operation(
        method="DELETE",
        path=f"{_AT}/mutes/{{what}}",
        name="unmute",
        summary="End a mute.",
        role=Role.OPERATOR,
        run=_unmute,
        answer=None,
        status=204,
    ),
    Operation(
        method="GET",
        path=f"{_AT}/audit",
        name="list_decisions",
        summary="Who decided what, when and why: the latest decisions, oldest first.",
        role=Role.VIEWER,
        run=_audit,
        answer=list[AuditEntry],
        query=AuditFilter,
    ),
    Operation(
        method="GET",
        path=f"{_AT}/cases",
        name="list_cases",
        summary="Solved incidents: what was learned.",
        role=Role.VIEWER,
        run=_cases,
        answer=list[Case],
    ),
    Operation(
        method="GET",
        path=f"{_AT}/settings",
        name="list_settings",
        summary="Every setting in force, with where it came from; secrets aren't shown.",
        role=Role.VIEWER,
        run=_settings,
        answer=list[dict[str, Any]],
    ),
    Operation(
        method="GET",
        path=f"{_AT}/doctor",
        name="examine",
        summary="What works, what doesn't, and what to do about it.",
        role=Role.VIEWER,
        run=_doctor,
        answer=list[Finding],
    ),
)
