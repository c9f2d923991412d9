"""What hosts take and answer by the types of a well-kept client, and checks against them.

They are only as exact as those types: a name or a kind of value that isn't theirs is found, a
value out of its range is not.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from doubles.descriptions import over

HERE = Path(__file__).parent


class Types:
    """One host's operations: a schema for each query, body and answer."""

    def __init__(self, host: str) -> None:
        document = json.loads((HERE / f"{host}.json").read_text())
        self._operations: Mapping[str, Mapping[str, Any]] = document["operations"]
        self._definitions: Mapping[str, Any] = document["definitions"]

    def check(
        self, verb: str, path: str, query: Mapping[str, str], body: Any, status: int, answer: Any
    ) -> None:
        """Raise where request or answer isn't of the operation's types."""
        found = self._operations[self._operation(verb, path)]
        asked = found.get("query", {"additionalProperties": False})
        self._conform(asked, {name: _value(text) for name, text in query.items()})
        self._conform(found.get("body", {"type": "null"}), body)
        if status >= 400:
            self._conform({"required": ["message"]}, answer)
        elif "answer" in found:
            self._conform(found["answer"], answer)
        elif status != 204:
            raise LookupError(f"{verb} {path} answers nothing: {status}")

    def filled(self, operation: str, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return `known` with all else that an operation has to answer, made up; an item of a list."""
        schema = self._resolved(self._operations[operation]["answer"])
        made: dict[str, Any] = over(self._sample(schema.get("items", schema)), known)
        return made

    def _operation(self, verb: str, path: str) -> str:
        matching = [
            name
            for name in self._operations
            if re.fullmatch(re.sub(r"\{\w+\}", "(.+)", name), f"{verb} {path}")
        ]
        if not matching:
            raise LookupError(f"the client knows no {verb} {path}")
        return max(matching, key=len)

    def _conform(self, schema: Mapping[str, Any], value: Any) -> None:
        Draft7Validator({**schema, "definitions": self._definitions}).validate(value)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self._definitions[schema["$ref"].removeprefix("#/definitions/")]
        return schema

    def _sample(self, schema: Mapping[str, Any]) -> Any:
        schema = self._resolved(schema)
        if "const" in schema or "enum" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        if "anyOf" in schema:
            return self._sample(schema["anyOf"][-1])  # the last is null where that may be
        if schema.get("type") == "object":
            properties = schema.get("properties", {})
            return {name: self._sample(properties[name]) for name in schema.get("required", ())}
        kind = schema.get("type")
        simple = {"array": [], "number": 1, "boolean": False, "string": "x"}
        return None if isinstance(kind, list) and "null" in kind else simple.get(str(kind))


@cache
def types_of(host: str) -> Types:
    """Return the types of ``gitlab`` or ``gitea``, read once."""
    return Types(host)


def _value(text: str) -> str | int:
    return int(text) if text.isdigit() else text
