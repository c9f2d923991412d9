"""The OpenAPI 3.1 description, from the table of operations and the types in it."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, get_origin

import msgspec

from prunella._version import __version__
from prunella.server.api.operation import PREFIX, Operation

_REF = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"\{(\w+)\}")

#: What the parameters of paths mean.
PATH_PARAMETERS: Mapping[str, str] = {
    "project": "Name of the project; `local` is that of an embedded store.",
    "incident": "Id of an incident, or a beginning of it.",
    "job": "Id of a job.",
    "site": "Id of a function under @heal, or the last part of it.",
    "call": "Id of a recorded call, or a beginning of it.",
    "fix": "Id of a fix or of its rollout, or a beginning of it.",
    "token": "An approval token.",
    "what": "A site, or an error code.",
    "name": "Name of a project.",
    "user": "Name of a user.",
    "key": "Id of a project key.",
    "token_id": "Id of an API token.",
}

_PROBLEM = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {
                "type": {"type": "string"},
                "message": {"type": "string"},
                "path": {"type": "string", "description": "Where in the body or query."},
            },
        }
    },
}

#: What a status says.
MEANINGS = {
    400: "The request can't be read.",
    401: "Nobody is logged in, or the token isn't valid.",
    403: "The role is too low, the token of an approval isn't good, or the request is forged.",
    404: "There is no such thing, or it isn't yours.",
    409: "It can't be done from where things stand, or several have that name.",
    413: "The body is too large.",
    415: "The body isn't JSON.",
    422: "A value is wrong; `error.path` says which.",
    429: "Too many requests; `Retry-After` says when to try again.",
    503: "The store can't answer now.",
}


@cache
def describe(operations: Sequence[Operation]) -> Mapping[str, Any]:
    """Return the OpenAPI document of the operations."""
    types = _types(operations)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip(map(repr, types), schemas, strict=True))
    bodies = [operation.body for operation in operations if operation.body is not None]
    _, sent = msgspec.json.schema_components(bodies, ref_template=_REF)
    components = {
        name: schema if name in sent else _or_null(schema) for name, schema in components.items()
    }
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        item = paths.setdefault(f"{PREFIX}{operation.path}", {})
        item[operation.method.lower()] = _operation(operation, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Prunella",
            "version": __version__,
            "description": "Failures that were recorded, and how they heal.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": _PROBLEM},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "prunella_session"},
            },
        },
    }


def _or_null(schema: Any) -> Any:
    """Return the schema of an answer, whose numbers are null where they have no bound: JSON has no infinity."""
    if isinstance(schema, Mapping):
        numbers = {"type": ["number", "null"]} if schema.get("type") == "number" else {}
        return {key: _or_null(value) for key, value in schema.items()} | numbers
    return [_or_null(item) for item in schema] if isinstance(schema, list) else schema


def errors_of(operation: Operation) -> tuple[int, ...]:
    """Return the statuses that an operation may fail with."""
    found = {404, 422, 429, 503}
    if operation.role is not None:
        found |= {401, 403}
    if operation.role is None:
        found |= {403, 409}
    if operation.method != "GET":
        found |= {403, 409}
    if "{" in operation.path.replace("{project}", ""):
        found.add(409)
    if any(field.name == "site" for field in msgspec.structs.fields(operation.query)):
        found.add(409)
    if operation.body is not None:
        found |= {400, 413, 415}
    return tuple(sorted(found))


def _types(operations: Sequence[Operation]) -> list[Any]:
    """Return every type once; aliases of containers aren't hashable by identity, so by their text."""
    found: dict[str, Any] = {}
    for operation in operations:
        for kind in (operation.answer, operation.body):
            if kind is not None:
                found.setdefault(repr(kind), kind)
    return list(found.values())


def _operation(operation: Operation, by_type: Mapping[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"Needs the role {operation.role.name.lower()}."
        if operation.role is not None
        else "Needs no login.",
        "tags": [operation.tag],
        "parameters": [*_in_path(operation), *_in_query(operation)],
        "responses": _responses(operation, by_type),
        "x-role": None if operation.role is None else operation.role.name.lower(),
        "security": [] if operation.role is None else [{"token": []}, {"session": []}],
    }
    if operation.body is not None:
        required = any(field.required for field in msgspec.structs.fields(operation.body))
        described["requestBody"] = {
            "required": required,
            "content": {"application/json": {"schema": by_type[repr(operation.body)]}},
        }
    return described


def _in_path(operation: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PATH_PARAMETERS[name],
            "schema": {"type": "string", "minLength": 1},
        }
        for name in _PARAMETER.findall(operation.path)
    ]


def _in_query(operation: Operation) -> list[dict[str, Any]]:
    _, components = msgspec.json.schema_components([operation.query], ref_template=_REF)
    properties = components[operation.query.__name__]["properties"]
    found = []
    for name, each in properties.items():
        inline = _inlined(each, components)
        described = {"name": name, "in": "query", "required": False, "schema": inline}
        if "description" in inline:
            described["description"] = inline.pop("description")
        found.append(described)
    return found


def _inlined(schema: Any, components: Mapping[str, Any]) -> Any:
    """Return a parameter's schema without references and without ``null``, which no query can say."""
    if "$ref" in schema:
        return dict(components[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        rest = [item for item in schema["anyOf"] if item != {"type": "null"}]
        if len(rest) == 1:
            return _inlined(rest[0], components)
    return {key: value for key, value in schema.items() if not (key == "default" and value is None)}


def _responses(operation: Operation, by_type: Mapping[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": operation.summary}
    if operation.answer is not None:
        schema = by_type[repr(operation.answer)]
        if get_origin(operation.answer) is list:
            schema = _page(schema)
        answer["content"] = {"application/json": {"schema": schema}}
    responses = {str(operation.status): answer}
    for status in errors_of(operation):
        responses[str(status)] = {
            "description": MEANINGS[status],
            "content": {
                "application/json": {"schema": {"$ref": _REF.format(name="Problem")}},
            },
        }
    return responses


def _page(items: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["items"],
        "properties": {
            "items": items,
            "total": {"type": "integer", "description": "How many there are, where it is paged."},
        },
    }
