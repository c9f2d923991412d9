"""A fix document: JSON that says what to do at run time, read strictly."""

# ruff: noqa: RUF009 - `key` makes the dataclass's field

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from prunella.fixes import configs
from prunella.fixes.configs import Config
from prunella.fixes.fields import (
    Checked,
    Choice,
    Many,
    Nested,
    Real,
    Text,
    Whole,
    key,
    read,
    read_values,
    schema,
    write,
)
from prunella.model.errors import FixError

#: Version of the format; a document of a later one is refused instead of misread.
FORMAT = 1
#: Characters of a document as JSON.
MAX_DOCUMENT = 200_000

_NAMES = Many(Text(300), most=1_000)


def _check_site(names: tuple[str, ...]) -> None:
    for name in names:
        if "*" in name[:-1]:
            raise ValueError(f"{name!r} has a * before its end")


def _check_id(text: str) -> None:
    if not text.isprintable() or text != text.strip():
        raise ValueError(f"{text!r} has spaces around it or what can't be printed")


def _check_moment(text: str) -> None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no date and time") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text[:40]!r} lacks its time zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which calls a fix is for; what is left out doesn't restrict."""

    sites: tuple[str, ...] = key(
        Checked(_NAMES, _check_site, "put one * at the end: weather:*"),
        "Sites by module:qualname or name; a * at the end stands for any rest.",
        default=(),
    )
    error_codes: tuple[str, ...] = key(
        _NAMES, "Error codes that a retry or fallback acts on; NET.* for all of a kind.", default=()
    )
    environments: tuple[str, ...] = key(_NAMES, "Values of the setting `environment`.", default=())
    sticky_key: str | None = key(
        Text(100),
        "The parameter (user_id) whose value decides together who gets the fix. In a rollout, the "
        "calls of one value count once.",
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A fix: a declarative remedy that the interpreter applies around calls.

    Made by `parse` alone, which checks everything; `document` gives the JSON back.
    """

    fix_id: str = key(
        Checked(Text(100), _check_id, "give a name like fix-abc123"), "Its id: fix-abc123."
    )
    fix_type: str = key(Choice(tuple(configs.TYPES)), "One of the seven types.")
    target: Target = key(Nested(Target), "Which calls it is for.", default=Target())
    version: int = key(
        Whole(1, 10**9), "Counts changes of this fix; the highest counts.", default=1
    )
    format: int = key(Whole(1, FORMAT), "Version of this format.", default=FORMAT)
    confidence: float | None = key(Real(0, 1), "How sure its author is.", default=None)
    incident_id: str | None = key(Text(100), "The incident that it heals.", default=None)
    created_at: str | None = key(
        Checked(Text(40), _check_moment, "give ISO 8601: 2026-01-31T12:00:00Z"),
        "When it was made: ISO 8601 with a time zone.",
        default=None,
    )
    description: str = key(Text(2_000, least=0), "What it is for, in words.", default="")
    config: Config = field()

    def document(self) -> dict[str, Any]:
        """Return the JSON that `parse` reads as this fix; keys with their defaults are left out."""
        found: dict[str, Any] = write(self)
        found["config"] = write(self.config)
        return found

    @property
    def sticky_key(self) -> str | None:
        """The parameter by whose value calls are dealt, where it isn't by trace."""
        return self.target.sticky_key or getattr(self.config, "sticky_key", None)

    @property
    def specificity(self) -> int:
        """How narrowly it aims: what has more goes before what has less."""
        target = self.target
        exact = bool(target.sites) and not any(name.endswith("*") for name in target.sites)
        return sum(
            (
                4 * bool(target.sites) + 2 * exact,
                2 * bool(target.error_codes),
                bool(target.environments),
            )
        )


def parse(document: Mapping[str, Any] | str | bytes) -> Fix:
    """Read a fix document, JSON text or what JSON was read to.

    Raises `FixError` with the path of the bad key for an unknown type, an unknown key, a wrong type
    or a value out of range.
    """
    data = _loaded(document)
    if not isinstance(data, Mapping):
        raise FixError("document", f"a {type(data).__name__}", "give a JSON object")
    if data.get("format") is not None and type(data["format"]) is int and data["format"] > FORMAT:
        raise FixError("format", f"{data['format']} is newer than this release", "upgrade prunella")
    envelope = {name: value for name, value in data.items() if name != "config"}
    values = read_values(Fix, envelope, "")
    if "config" not in data:
        raise FixError("config", "missing", f"give the config of the {values['fix_type']}")
    try:
        config: Config = read(configs.TYPES[values["fix_type"]], data["config"], "config")
    except RecursionError:
        raise FixError("config", "too many levels", "nest it less deeply") from None
    return Fix(**values, config=config)


def _loaded(document: Mapping[str, Any] | str | bytes) -> Any:
    if not isinstance(document, (str, bytes)):
        return document
    if len(document) > MAX_DOCUMENT:
        raise FixError("document", f"{len(document)} bytes", f"give at most {MAX_DOCUMENT}")
    try:
        return json.loads(document, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise FixError("document", f"no JSON: {error}"[:200], "give one JSON object") from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise FixError(double[:80], "given twice in one object", "leave one of them out")
    return found


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of fix documents, made from what `parse` reads by."""
    found = schema(Fix)
    found["properties"]["config"] = {"type": "object", "description": "What the fix does."}
    found["required"].append("config")
    found["allOf"] = [
        {
            "if": {"properties": {"fix_type": {"const": name}}, "required": ["fix_type"]},
            "then": {"properties": {"config": {"$ref": f"#/$defs/{name}"}}},
        }
        for name in configs.TYPES
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Prunella fix document",
        **found,
        "$defs": {name: described(cls) for name, cls in configs.TYPES.items()},
    }


def described(cls: Any) -> dict[str, Any]:
    """Return the schema of one type's config, with what it is for."""
    return {**schema(cls), "description": (cls.__doc__ or "").strip()}
