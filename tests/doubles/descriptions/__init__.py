"""Code hosts' published API descriptions, cut to what our requests use, and checks against them."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

HERE = Path(__file__).parent
#: Parameters that hold slashes, which the checker takes for ends of parameters.
_WITH_SLASHES = ("/git/ref/", "/git/refs/")


class Description:
    """One host's description."""

    def __init__(self, host: str) -> None:
        from openapi_core import Config, OpenAPI

        self.spec: Mapping[str, Any] = json.loads((HERE / f"{host}.json").read_text())
        self._checker = OpenAPI.from_dict(self.spec, config=Config(spec_validator_cls=None))

    def check(
        self, verb: str, address: str, body: bytes | None, status: int, answer: bytes
    ) -> None:
        """Raise an `OpenAPIError` where request or answer isn't what the host documents."""
        from openapi_core.testing import MockRequest, MockResponse

        parts = urlsplit(address)
        request = MockRequest(
            "http://localhost",
            verb.lower(),
            _one_parameter(parts.path),
            args=dict(parse_qsl(parts.query)),
            data=body or None,
        )
        self._checker.validate_request(request)
        self._checker.validate_response(request, MockResponse(answer, status_code=status))

    def filled(self, schema: str, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return `known` with every other property that a schema demands, made up."""
        made = self._sample({"$ref": f"#/components/schemas/{schema}"})
        return over(made, known)

    def _sample(self, schema: Mapping[str, Any]) -> Any:
        schema = self._resolved(schema)
        if schema.get("nullable"):
            return None
        if "enum" in schema:
            return schema["enum"][0]
        if "allOf" in schema:
            made: dict[str, Any] = {}
            for part in schema["allOf"]:
                made |= self._sample(part) or {}
            return made
        for choice in ("anyOf", "oneOf"):
            if choice in schema and "properties" not in schema:
                return self._sample(schema[choice][0])
        if "properties" in schema or schema.get("type") == "object":
            properties = schema.get("properties", {})
            return {name: self._sample(properties[name]) for name in schema.get("required", ())}
        if schema.get("type") == "string":
            return _text(schema.get("format", ""))
        return {"array": [], "integer": 1, "number": 1, "boolean": False}.get(
            schema.get("type", "")
        )

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self.spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema


@cache
def description(host: str) -> Description:
    """Return the description of ``github``, read once."""
    return Description(host)


def _one_parameter(path: str) -> str:
    for mark in _WITH_SLASHES:
        before, found, behind = path.partition(mark)
        if found:
            return before + found + quote(behind, safe="%")
    return path


def over(made: Any, known: Any) -> Any:
    """Return `known` with what only `made` has, at every level of objects."""
    if isinstance(made, dict) and isinstance(known, Mapping):
        return {**made, **{key: over(made.get(key), value) for key, value in known.items()}}
    return known


def _text(form: str) -> str:
    return {"uri": "https://example.org/", "date-time": "2026-11-20T12:00:00Z"}.get(form, "x")
