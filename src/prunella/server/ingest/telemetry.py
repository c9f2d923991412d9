"""The routes that other libraries report to: OpenTelemetry's exporters and Sentry's clients."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from prunella.model.errors import RecordError
from prunella.model.records import Record
from prunella.server.access import Role, access_of, require
from prunella.server.ingest.bodies import read_body, unpack
from prunella.server.ingest.otlp import failures_in
from prunella.server.ingest.otlp_reading import read_logs, read_traces
from prunella.server.ingest.receiving import Receiving, receiving_of
from prunella.server.ingest.reported import Failed
from prunella.server.ingest.sentry import failure_in, read_envelope, read_event
from prunella.server.workspaces import Workspace, project_of

MAX_SENT_BYTES = 4 * 1024 * 1024
MAX_BYTES = 32 * 1024 * 1024
_PROTOBUF, _JSON = "application/x-protobuf", "application/json"

_log = logging.getLogger("prunella.server")


async def traces(request: Request) -> Response:
    """``POST /v1/traces`` of OTLP."""
    return await _otlp(request, read_traces, ExportTraceServiceResponse)


async def logs(request: Request) -> Response:
    """``POST /v1/logs`` of OTLP."""
    return await _otlp(request, read_logs, ExportLogsServiceResponse)


async def _otlp(request: Request, read: Callable[..., Any], answer: Callable[[], Any]) -> Response:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (_PROTOBUF, _JSON):
        raise HTTPException(415, f"Content-Type has to be {_PROTOBUF} or {_JSON}")

    def find(body: bytes) -> tuple[list[Failed], Counter[str]]:
        return failures_in(read(body, is_json=kind == _JSON)), Counter()

    await _take(request, find)
    if kind == _JSON:
        return JSONResponse({})
    return Response(answer().SerializeToString(), media_type=_PROTOBUF)


async def envelope(request: Request) -> Response:
    """``POST /api/{number}/envelope/`` of Sentry's clients."""

    def find(body: bytes) -> tuple[list[Failed], Counter[str]]:
        events, others = read_envelope(body)
        found = [failure_in(event) for event in events]
        others["event"] += found.count(None)
        return [failed for failed in found if failed is not None], others

    body = await _take(request, find)
    return JSONResponse({"id": _first_id(body)})


async def store(request: Request) -> Response:
    """``POST /api/{number}/store/``, of clients from before envelopes."""

    def find(body: bytes) -> tuple[list[Failed], Counter[str]]:
        failed = failure_in(read_event(body))
        return ([], Counter(event=1)) if failed is None else ([failed], Counter())

    body = await _take(request, find)
    return JSONResponse({"id": _first_id(body)})


def _first_id(body: bytes) -> str | None:
    """Return the id of the event, which the client expects back; it was read before."""
    try:
        found = json.loads(body.partition(b"\n")[0]).get("event_id")
    except (ValueError, AttributeError, RecursionError):
        return None
    return found if isinstance(found, str) and len(found) <= 36 else None


async def _take(
    request: Request, find: Callable[[bytes], tuple[list[Failed], Counter[str]]]
) -> bytes:
    """Keep the failures that `find` finds in a request's body; return the body, unpacked."""
    receiving = receiving_of(request)
    with receiving.admitted(request, max_bytes=MAX_SENT_BYTES):
        return await _take_in(request, receiving, find)


async def _take_in(
    request: Request,
    receiving: Receiving,
    find: Callable[[bytes], tuple[list[Failed], Counter[str]]],
) -> bytes:
    workspace = await receiving.work(_workspace, request)
    body = await read_body(request, max_bytes=MAX_SENT_BYTES)
    encoding = request.headers.get("content-encoding", "")

    def take() -> tuple[bytes, int]:
        content = unpack(body, encoding, max_bytes=MAX_BYTES)
        failures, others = find(content)
        receiving.count_passed_over(workspace.name, others)
        return content, _keep(receiving, workspace, failures)

    try:
        content, kept = await receiving.work(take)
    except RecordError as error:
        raise HTTPException(400, str(error)) from error
    if kept:
        receiving.settle_soon(workspace)
    return content


def _keep(receiving: Receiving, workspace: Workspace, failures: list[Failed]) -> int:
    programs = workspace.healer.programs

    def save(records: list[Record], events: list[str]) -> Collection[str]:
        return programs.keep_records(records, source="reported", events=events)

    return receiving.intake(workspace).keep(failures, save) if failures else 0


def _workspace(request: Request) -> Workspace:
    """Return the project that the key belongs to; without login, the only one there is."""
    access = access_of(request)
    mine = [name for name in access.roles if name != "*"]
    wanted = request.headers.get("x-prunella-project", "")
    names = mine or list(request.app.state.workspaces.names())
    if not wanted and len(names) != 1:
        raise HTTPException(400, "say by X-Prunella-Project which project is reported to")
    name = wanted or names[0]
    require(request, name, Role.REPORTER)
    return project_of(request, name)
