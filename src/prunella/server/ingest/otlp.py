"""Takes in what OpenTelemetry exports over HTTP, and finds the failures in it.

A failure is an exception that a span has recorded as an event, one in the attributes of a log record,
and a span of the GenAI conventions that ended in an error. Everything else is accepted and passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any
from uuid import uuid4

from prunella.model.records import ExceptionInfo, SiteKind
from prunella.server.ingest.otlp_reading import MAX_ITEMS, Event, Span
from prunella.server.ingest.reported import Failed, Reporter, moment
from prunella.server.ingest.stacktraces import Block, bases_of, class_path, read_traceback

_GENAI = {
    "execute_tool": SiteKind.TOOL,
    "invoke_agent": SiteKind.AGENT,
    "create_agent": SiteKind.AGENT,
    "invoke_workflow": SiteKind.AGENT,
}
#: Attributes that say where something failed, not with what.
_PLACES = ("exception.", "code.", "thread.", "telemetry.", "otel.")


def failures_in(spans: Iterator[Span]) -> list[Failed]:
    """Return the failures in the spans or log records of one request."""
    found: list[tuple[Span, Failed]] = []
    for span in islice(spans, MAX_ITEMS):
        exceptions = [event for event in span.events if "exception.type" in event.attributes]
        for number, event in enumerate(exceptions):
            found.append((span, _of_event(span, event, number)))
        if not exceptions and span.is_error and "gen_ai.operation.name" in span.attributes:
            found.append((span, _of_genai(span)))
    return _without_echoes(found)


def _without_echoes(found: list[tuple[Span, Failed]]) -> list[Failed]:
    """Note of failures that passed through several spans, in which they began."""
    by_parent: dict[str, list[Failed]] = {}
    for span, failed in found:
        if span.parent_id:
            by_parent.setdefault(span.trace_id + span.parent_id, []).append(failed)
    return [
        _echo(failed, by_parent.get(span.trace_id + span.span_id, ())) for span, failed in found
    ]


def _echo(failed: Failed, inner: Sequence[Failed]) -> Failed:
    for each in inner:
        if (each.exception.type, each.exception.message) == (
            failed.exception.type,
            failed.exception.message,
        ):
            return replace(failed, caused_by=each.event_id)
    return failed


def _of_event(span: Span, event: Event, number: int) -> Failed:
    reporter = _reporter(span.resource)
    exception = _exception(event.attributes, reporter.folder)
    module, name = _place(span, event, exception)
    identity = f"{span.trace_id}/{span.span_id}" if span.span_id else reporter.process_id
    if not (span.span_id or event.at_ns):  # nothing tells it from others: it counts each time
        identity = uuid4().hex
    return Failed(
        event_id=f"otlp/{identity}/{event.at_ns}/{number}/{exception.type}",
        at=moment((event.at_ns or span.ended_ns) / 1000),
        reporter=reporter,
        module=module,
        name=name,
        kind=_kind(span.attributes),
        exception=exception,
        inputs=_inputs({**span.attributes, **event.attributes}),
        trace_id=span.trace_id,
    )


def _of_genai(span: Span) -> Failed:
    reporter = _reporter(span.resource)
    said = _text(span.attributes, "error.type") or "Error"
    path = class_path(said) if not said.isdigit() else "?:StatusError"
    attributes = {"status": said} if said.isdigit() else {}
    module, name = _place(span, None, None)
    return Failed(
        event_id=f"otlp/{span.trace_id}/{span.span_id}/{span.ended_ns}",
        at=moment(span.ended_ns / 1000),
        reporter=reporter,
        module=module,
        name=name,
        kind=_kind(span.attributes),
        exception=ExceptionInfo(
            type=path, mro=bases_of(path), message=span.message or said, attributes=attributes
        ),
        inputs=_inputs(span.attributes),
        trace_id=span.trace_id,
    )


def _exception(attributes: Mapping[str, Any], folder: str) -> ExceptionInfo:
    blocks = read_traceback(_text(attributes, "exception.stacktrace"), folder=folder)
    last = blocks[-1]
    path = class_path(_text(attributes, "exception.type") or last.type or "Error")
    cause: ExceptionInfo | None = None
    for block in blocks[:-1]:
        cause = _of_block(block, cause)
    return ExceptionInfo(
        type=path,
        mro=bases_of(path),
        message=_text(attributes, "exception.message") or last.message,
        frames=last.frames,
        cause=cause,
        relation=last.relation or None,
    )


def _of_block(block: Block, cause: ExceptionInfo | None) -> ExceptionInfo:
    path = class_path(block.type or "Error")
    return ExceptionInfo(
        type=path,
        mro=bases_of(path),
        message=block.message,
        frames=block.frames,
        cause=cause,
        relation=block.relation or None,
    )


def _place(span: Span, event: Event | None, exception: ExceptionInfo | None) -> tuple[str, str]:
    """Return module and name of the function that failed, as well as it can be told."""
    attributes = {**(event.attributes if event else {}), **span.attributes}
    function = _text(attributes, "code.function.name") or _text(attributes, "code.function")
    namespace = _text(attributes, "code.namespace")
    if function:
        if not namespace and "." in function:
            namespace, _, function = function.rpartition(".")
        return namespace or _service(span), function
    if not span.name and exception is not None:  # a log record
        frames = [frame for frame in exception.frames if frame.in_project]
        if frames:
            return frames[-1].module, frames[-1].qualname
    return _service(span), span.name or (event.name if event else "") or "log"


def _service(span: Span) -> str:
    return _text(span.resource, "service.name") or "unknown_service"


def _kind(attributes: Mapping[str, Any]) -> SiteKind:
    operation = attributes.get("gen_ai.operation.name")
    if operation is None:
        return SiteKind.FUNCTION
    return _GENAI.get(str(operation), SiteKind.LLM)


def _inputs(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if not name.startswith(_PLACES)}


def _reporter(resource: Mapping[str, Any]) -> Reporter:
    pid = resource.get("process.pid")
    return Reporter(
        service=_text(resource, "service.name"),
        instance=_text(resource, "service.instance.id"),
        hostname=_text(resource, "host.name"),
        pid=pid if type(pid) is int and 0 <= pid < 2**31 else 0,
        python_version=_text(resource, "process.runtime.version"),
        executable=_text(resource, "process.executable.path"),
        folder=_text(resource, "process.working_directory"),
        release=_text(resource, "service.version"),
        environment=_text(resource, "deployment.environment.name")
        or _text(resource, "deployment.environment"),
    )


def _text(attributes: Mapping[str, Any], name: str) -> str:
    found = attributes.get(name)
    return found[:200_000] if isinstance(found, str) else ""
