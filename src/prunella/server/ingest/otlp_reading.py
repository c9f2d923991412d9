"""Spans and log records of OTLP, from protobuf or its JSON, as far as failures need them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # it has no stubs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from prunella.model.errors import RecordError

#: ``STATUS_CODE_ERROR``
_ERROR = 2
#: Spans or log records of one request.
MAX_ITEMS = 50_000
_MAX_NESTING = 8

Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at a moment: an event of a span, or a log record."""

    name: str
    at_ns: int
    attributes: Attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span, or what a log record stands in."""

    resource: Attributes
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    ended_ns: int
    is_error: bool
    message: str
    attributes: Attributes
    events: Sequence[Event]


def read_traces(body: bytes, *, is_json: bool) -> Iterator[Span]:
    """Yield the spans of a request; raises `RecordError` where it is none."""
    if is_json:
        return _json_spans(_json(body))
    return _proto_spans(_proto(ExportTraceServiceRequest(), body))


def read_logs(body: bytes, *, is_json: bool) -> Iterator[Span]:
    """Yield the log records of a request, each as the one event of a span without a name."""
    if is_json:
        return _json_logs(_json(body))
    return _proto_logs(_proto(ExportLogsServiceRequest(), body))


# --- protobuf -----------------------------------------------------------------------------------


def _proto(message: Any, body: bytes) -> Any:
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise RecordError("the body is no OTLP request in protobuf") from error
    return message


def _proto_spans(request: Any) -> Iterator[Span]:
    for group in request.resource_spans:
        resource = _proto_attributes(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Span(
                    resource=resource,
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    ended_ns=span.end_time_unix_nano,
                    is_error=span.status.code == _ERROR,
                    message=span.status.message,
                    attributes=_proto_attributes(span.attributes),
                    events=[
                        Event(
                            name=event.name,
                            at_ns=event.time_unix_nano,
                            attributes=_proto_attributes(event.attributes),
                        )
                        for event in span.events
                    ],
                )


def _proto_logs(request: Any) -> Iterator[Span]:
    for group in request.resource_logs:
        resource = _proto_attributes(group.resource.attributes)
        for scope in group.scope_logs:
            for log in scope.log_records:
                attributes = _proto_attributes(log.attributes)
                at_ns = log.time_unix_nano or log.observed_time_unix_nano
                yield _log_span(
                    resource,
                    log.trace_id.hex(),
                    log.span_id.hex(),
                    Event(name=scope.scope.name, at_ns=at_ns, attributes=attributes),
                )


def _proto_attributes(pairs: Any) -> Attributes:
    return {pair.key: _proto_value(pair.value, _MAX_NESTING) for pair in pairs}


def _proto_value(value: Any, left: int) -> Any:
    kind = value.WhichOneof("value")
    if kind is None or left <= 0:
        return None
    if kind == "array_value":
        return [_proto_value(item, left - 1) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {p.key: _proto_value(p.value, left - 1) for p in value.kvlist_value.values}
    return getattr(value, kind)


# --- JSON ---------------------------------------------------------------------------------------


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RecordError("the body is no OTLP request in JSON") from error


def _json_spans(request: Any) -> Iterator[Span]:
    for group in _objects(request, "resourceSpans"):
        resource = _json_attributes(_object(group, "resource"))
        for scope in _objects(group, "scopeSpans"):
            for span in _objects(scope, "spans"):
                status = _object(span, "status")
                yield Span(
                    resource=resource,
                    name=_text(span, "name"),
                    trace_id=_text(span, "traceId").lower(),
                    span_id=_text(span, "spanId").lower(),
                    parent_id=_text(span, "parentSpanId").lower(),
                    ended_ns=_number(span, "endTimeUnixNano"),
                    is_error=status.get("code") in (_ERROR, "STATUS_CODE_ERROR"),
                    message=_text(status, "message"),
                    attributes=_json_attributes(span),
                    events=[
                        Event(
                            name=_text(event, "name"),
                            at_ns=_number(event, "timeUnixNano"),
                            attributes=_json_attributes(event),
                        )
                        for event in _objects(span, "events")
                    ],
                )


def _json_logs(request: Any) -> Iterator[Span]:
    for group in _objects(request, "resourceLogs"):
        resource = _json_attributes(_object(group, "resource"))
        for scope in _objects(group, "scopeLogs"):
            name = _text(_object(scope, "scope"), "name")
            for log in _objects(scope, "logRecords"):
                at_ns = _number(log, "timeUnixNano") or _number(log, "observedTimeUnixNano")
                yield _log_span(
                    resource,
                    _text(log, "traceId").lower(),
                    _text(log, "spanId").lower(),
                    Event(name=name, at_ns=at_ns, attributes=_json_attributes(log)),
                )


def _log_span(resource: Attributes, trace_id: str, span_id: str, event: Event) -> Span:
    return Span(
        resource=resource,
        name="",
        trace_id=trace_id,
        span_id=span_id,
        parent_id="",
        ended_ns=event.at_ns,
        is_error=False,
        message="",
        attributes={},
        events=[event],
    )


def _json_attributes(owner: Mapping[str, Any]) -> Attributes:
    return {
        _text(pair, "key"): _json_value(pair.get("value"), _MAX_NESTING)
        for pair in _objects(owner, "attributes")
    }


def _json_value(value: Any, left: int) -> Any:
    if not isinstance(value, dict) or left <= 0:
        return None
    for name in ("stringValue", "boolValue", "doubleValue", "bytesValue"):
        if name in value:
            return value[name]
    if "intValue" in value:
        return _number(value, "intValue")
    if "arrayValue" in value:
        return [_json_value(item, left - 1) for item in _objects(value["arrayValue"], "values")]
    if "kvlistValue" in value:
        return {
            _text(pair, "key"): _json_value(pair.get("value"), left - 1)
            for pair in _objects(value["kvlistValue"], "values")
        }
    return None


def _object(owner: Any, name: str) -> dict[str, Any]:
    found = owner.get(name) if isinstance(owner, dict) else None
    return found if isinstance(found, dict) else {}


def _objects(owner: Any, name: str) -> list[dict[str, Any]]:
    found = owner.get(name) if isinstance(owner, dict) else None
    items = found if isinstance(found, list) else []
    return [item for item in items if isinstance(item, dict)]


def _text(owner: Mapping[str, Any], name: str) -> str:
    found = owner.get(name)
    return found if isinstance(found, str) else ""


def _number(owner: Mapping[str, Any], name: str) -> int:
    found = owner.get(name)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 20:
        return int(found)
    return found if type(found) is int and abs(found) < 2**63 else 0
