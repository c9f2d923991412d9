"""Takes in what clients of Sentry send: the failures in their envelopes.

Events with an exception become occurrences, with frames, local variables, release and environment.
Sessions, transactions, attachments and the like are accepted, so that the client is content, and
counted as passed over.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from prunella.model.errors import RecordError
from prunella.model.records import ExceptionInfo, Frame
from prunella.server.ingest.reported import Failed, Reporter, moment
from prunella.server.ingest.stacktraces import bases_of, frame_of

#: Items of one envelope.
MAX_ITEMS = 1_000
_MAX_FRAMES = 64
_MAX_CAUSES = 6
#: Innermost frames of the project whose local variables are kept, as the SDK does.
_FRAMES_WITH_LOCALS = 8


def read_envelope(body: bytes) -> tuple[list[Mapping[str, Any]], Counter[str]]:
    """Return the events of an envelope, and how many items of other kinds it has.

    Raises `RecordError` where it is none.
    """
    _, at = _header(body, 0)
    events: list[Mapping[str, Any]] = []
    others: Counter[str] = Counter()
    for _ in range(MAX_ITEMS):
        while body[at : at + 1] == b"\n":
            at += 1
        if at >= len(body):
            return events, others
        header, at = _header(body, at)
        length = header.get("length")
        end = body.find(b"\n", at) if type(length) is not int else at + length
        if type(length) is int and not 0 <= length <= len(body) - at:
            raise RecordError("an item of the envelope is longer than the envelope")
        payload = body[at:] if end < 0 else body[at:end]
        at = len(body) if end < 0 else end + 1
        kind = header.get("type")
        if kind == "event":
            events.append(read_event(payload))
        else:
            others[kind[:30] if isinstance(kind, str) else "?"] += 1
    raise RecordError(f"an envelope has at most {MAX_ITEMS:,} items")


def _header(body: bytes, at: int) -> tuple[Mapping[str, Any], int]:
    end = body.find(b"\n", at)
    end = len(body) if end < 0 else end
    return _object(body[at:end], "a header of the envelope"), end + 1


def read_event(payload: bytes) -> Mapping[str, Any]:
    """Return an event; raises `RecordError` where it is none."""
    return _object(payload, "an event")


def _object(text: bytes, what: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RecordError(f"{what} is no JSON object")
    return found


def failure_in(event: Mapping[str, Any]) -> Failed | None:
    """Return the failure that an event reports; ``None`` where it has no exception."""
    values = _part(event, "exception").get("values", event.get("exception"))
    found = [each for each in values if isinstance(each, dict)] if type(values) is list else []
    if not found:
        return None
    chain = _chain(found)
    exception, local_values = _exceptions(chain)
    frame = _culprit(exception.frames)
    transaction = _text(event, "transaction") or "unknown"
    return Failed(
        event_id=f"sentry/{_text(event, 'event_id') or uuid4().hex}",
        at=_moment(event.get("timestamp")),
        reporter=_reporter(event),
        module=frame.module if frame else _text(event, "logger") or "unknown",
        name=frame.qualname if frame else transaction,
        exception=exception,
        local_values=local_values,
        inputs={name: event[name] for name in ("extra", "tags") if event.get(name)},
        trace_id=_text(_part(_part(event, "contexts"), "trace"), "trace_id"),
    )


def _chain(values: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return an exception and what it came of, the last one raised first.

    Clients give the first cause first. Members of groups say whose they are; of those the first
    counts, as in the SDK.
    """
    by_id: dict[int, Mapping[str, Any]] = {}
    for each in values:
        number = _part(each, "mechanism").get("exception_id")
        if type(number) is not int or number in by_id:
            return list(reversed(values))[:_MAX_CAUSES]
        by_id[number] = each
    chain = [values[-1]]
    while len(chain) < _MAX_CAUSES:
        above = _part(chain[-1], "mechanism").get("exception_id")
        below = [number for number, each in by_id.items() if _parent(each) == above != number]
        if not below:
            break
        chain.append(by_id[min(below)])
    return chain


def _parent(value: Mapping[str, Any]) -> Any:
    return _part(value, "mechanism").get("parent_id")


def _exceptions(
    chain: Sequence[Mapping[str, Any]],
) -> tuple[ExceptionInfo, dict[int, Mapping[str, Any]]]:
    """Return the chain as one exception with its causes, and the local variables of its frames."""
    info: ExceptionInfo | None = None
    local_values: dict[int, Mapping[str, Any]] = {}
    relation = ""
    for value in reversed(chain):
        frames, local_values = _frames(_part(value, "stacktrace").get("frames"))
        path = f"{_text(value, 'module') or _home(value)}:{_text(value, 'type') or 'Error'}"
        info = ExceptionInfo(
            type=path,
            mro=bases_of(path),
            message=_text(value, "value"),
            frames=frames,
            cause=info,
            relation=relation or None if info else None,
        )
        source = _text(_part(value, "mechanism"), "source")
        relation = {"__cause__": "cause", "__context__": "context"}.get(source, "context")
    if info is None:
        raise RecordError("an event without an exception")
    return info, local_values


def _home(value: Mapping[str, Any]) -> str:
    """Return the module of a class that comes without one: clients leave it out of builtins'."""
    name = _text(value, "type")
    return "builtins" if bases_of(f"builtins:{name}")[0] == f"builtins:{name}" else "?"


def _frames(found: Any) -> tuple[tuple[Frame, ...], dict[int, Mapping[str, Any]]]:
    items = [each for each in found if isinstance(each, dict)] if type(found) is list else []
    frames: list[Frame] = []
    local_values: dict[int, Mapping[str, Any]] = {}
    for at, item in enumerate(items[-_MAX_FRAMES:]):
        line = item.get("lineno")
        frame = frame_of(
            _text(item, "filename") or _text(item, "abs_path") or "<unknown>",
            line if type(line) is int and 0 < line < 2**31 else 1,
            _text(item, "function") or "<unknown>",
            module=_text(item, "module"),
        )
        in_app = item.get("in_app")
        if type(in_app) is bool:
            frame = _placed(frame, in_app)
        frames.append(frame)
        values = item.get("vars")
        if frame.in_project and isinstance(values, dict):
            local_values[at] = values
    kept = sorted(local_values)[-_FRAMES_WITH_LOCALS:]
    return tuple(frames), {at: local_values[at] for at in kept}


def _placed(frame: Frame, in_app: bool) -> Frame:
    return Frame(
        file=frame.file,
        module=frame.module,
        qualname=frame.qualname,
        first_line=frame.first_line,
        line=frame.line,
        in_project=in_app,
    )


def _culprit(frames: Sequence[Frame]) -> Frame | None:
    """Return the frame of the project in which it failed, or the innermost of all."""
    own = [frame for frame in frames if frame.in_project]
    return (own or list(frames) or [None])[-1]  # type: ignore[list-item]  # one of both is there


def _reporter(event: Mapping[str, Any]) -> Reporter:
    runtime = _part(_part(event, "contexts"), "runtime")
    argv = _part(event, "extra").get("sys.argv")
    service = argv[0] if type(argv) is list and argv and isinstance(argv[0], str) else ""
    return Reporter(
        service=service,
        hostname=_text(event, "server_name"),
        python_version=_text(runtime, "version"),
        release=_text(event, "release"),
        environment=_text(event, "environment"),
    )


def _moment(value: Any) -> datetime:
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return moment(0)
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return moment(found.timestamp() * 1e6)
    return moment(value * 1e6) if type(value) in (int, float) and abs(value) < 1e10 else moment(0)


def _part(owner: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = owner.get(name)
    return found if isinstance(found, dict) else {}


def _text(owner: Mapping[str, Any], name: str) -> str:
    found = owner.get(name)
    return found[:10_000] if isinstance(found, str) else ""
