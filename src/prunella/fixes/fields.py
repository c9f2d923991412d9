"""What a key of a fix document may hold: one table that reading, writing and the schema share.

A config is a dataclass whose fields are made by `key`: a kind of value, a sentence, a default.
`read` checks a JSON object against it, `write` gives the object back, `schema` describes it as JSON
Schema (draft 2020-12). What `read` takes, the schema takes; `read` also refuses what a schema can't
say (a least value above the greatest, a pattern that isn't in the language of `patterns`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from typing import Any, Protocol, TypeVar

from prunella.model.errors import FixError

T = TypeVar("T")

#: Values that one JSON value in a document may consist of, its levels, and characters of one text.
MAX_NODES = 1_000
MAX_LEVELS = 50
MAX_TEXT = 20_000


class Absent:
    """Stands for a key that was left out where ``null`` would be a value."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


class Kind(Protocol):
    """A kind of value."""

    def read(self, value: Any, path: str) -> Any:
        """Return `value` as the config holds it; raises `FixError`."""

    def schema(self) -> dict[str, Any]:
        """Return its JSON Schema."""


def key(kind: Kind, doc: str, **default: Any) -> Any:
    """Make the dataclass field of one key; without a default the key is required."""
    return field(metadata={"kind": kind, "doc": doc}, **default)


@dataclass(frozen=True, slots=True)
class Rule:
    """What one value of a key demands of others: ``on_fail: default`` needs ``default``."""

    key: str
    value: str
    #: Keys, or ``key.inner`` for a key inside an object.
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def read(self, value: Any, path: str) -> bool:
        if type(value) is not bool:
            raise refused(path, value, "give true or false")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int
    most: int

    def read(self, value: Any, path: str) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int or not self.least <= value <= self.most:
            raise refused(path, value, f"give a whole number from {self.least} to {self.most}")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Real:
    """A finite number from `least` to `most`."""

    least: float
    most: float

    def read(self, value: Any, path: str) -> float:
        if type(value) not in (int, float) or not self.least <= value <= self.most:
            raise refused(path, value, f"give a number from {self.least:g} to {self.most:g}")
        return value  # type: ignore[no-any-return]  # a number, and a whole one stays one

    def schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Text:
    """A text of bounded length."""

    most: int = MAX_TEXT
    least: int = 1

    def read(self, value: Any, path: str) -> str:
        if type(value) is not str or not self.least <= len(value) <= self.most:
            raise refused(path, value, f"give a text of {self.least} to {self.most} characters")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": self.least, "maxLength": self.most}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, value: Any, path: str) -> str:
        if type(value) is not str or value not in self.words:
            raise refused(path, value, f"give one of {', '.join(self.words)}")
        return value

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Many:
    """A list."""

    item: Kind
    most: int = 100
    least: int = 0

    def read(self, value: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)) or not self.least <= len(value) <= self.most:
            raise refused(path, value, f"give a list of {self.least} to {self.most} items")
        return tuple(self.item.read(item, f"{path}[{at}]") for at, item in enumerate(value))

    def schema(self) -> dict[str, Any]:
        return {
            "type": "array",
            "items": self.item.schema(),
            "minItems": self.least,
            "maxItems": self.most,
        }


@dataclass(frozen=True, slots=True)
class Table:
    """An object with any keys."""

    item: Kind
    most: int = 50

    def read(self, value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, Mapping) or len(value) > self.most:
            raise refused(path, value, f"give an object of at most {self.most} keys")
        for name in value:
            _NAME.read(name, f"{path}, a key")
        return {name: self.item.read(item, f"{path}.{name}") for name, item in value.items()}

    def schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "propertyNames": _NAME.schema(),
            "additionalProperties": self.item.schema(),
            "maxProperties": self.most,
        }


_NAME = Text(200)


@dataclass(frozen=True, slots=True)
class Json:
    """Any JSON value of at most `MAX_NODES` values and `MAX_LEVELS` levels; it is copied."""

    def read(self, value: Any, path: str) -> Any:
        return _copy(value, path, [MAX_NODES], MAX_LEVELS)

    def schema(self) -> dict[str, Any]:
        return {}


def _copy(value: Any, path: str, left: list[int], levels: int) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise FixError(path, "more values than a fix may carry", f"give at most {MAX_NODES}")
    if value is None or type(value) in (bool, int):
        return value
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is str and len(value) <= MAX_TEXT:
        return value
    if levels == 0:
        raise FixError(path[:200], "too many levels", f"nest at most {MAX_LEVELS} in each other")
    below = levels - 1
    if isinstance(value, (list, tuple)):
        return [_copy(item, f"{path}[{at}]", left, below) for at, item in enumerate(value)]
    if isinstance(value, Mapping) and all(type(name) is str for name in value):
        return {name: _copy(item, f"{path}.{name}", left, below) for name, item in value.items()}
    raise refused(path, value, "give plain JSON")


@dataclass(frozen=True, slots=True)
class Checked:
    """What another kind reads, and `check` accepts (it raises `ValueError` with the reason)."""

    kind: Kind
    check: Callable[[Any], object]
    advice: str

    def read(self, value: Any, path: str) -> Any:
        found = self.kind.read(value, path)
        try:
            self.check(found)
        except ValueError as error:
            raise FixError(path, str(error), self.advice) from None
        return found

    def schema(self) -> dict[str, Any]:
        return self.kind.schema()


@dataclass(frozen=True, slots=True)
class Nested:
    """An object that a dataclass of `key`s describes."""

    cls: type

    def read(self, value: Any, path: str) -> Any:
        return read(self.cls, value, path)

    def schema(self) -> dict[str, Any]:
        return schema(self.cls)


def refused(path: str, value: Any, advice: str) -> FixError:
    """Return the error of a value that doesn't fit."""
    text = repr(value) if type(value) in (str, int, float, bool, type(None)) else ""
    if not text:
        text = f"a {type(value).__name__}"
    return FixError(path, f"{text[:80]} doesn't fit", advice)


def is_required(item: "Field[Any]") -> bool:
    """Tell whether a document must have the key."""
    return item.default is MISSING and item.default_factory is MISSING


def keys_of(cls: Any) -> dict[str, "Field[Any]"]:
    """Return the keys of a dataclass, as they stand in documents."""
    return {item.name.rstrip("_"): item for item in fields(cls) if "kind" in item.metadata}


def read(cls: type[T], data: Any, path: str) -> T:
    """Read the object that `cls` describes; raises `FixError` with the path of what is wrong."""
    try:
        return cls(**read_values(cls, data, path))
    except ValueError as error:
        raise FixError(path, str(error), "correct one of them") from None


def read_values(cls: type, data: Any, path: str) -> dict[str, Any]:
    """Read the keys that `cls` describes, by the names of its fields; raises `FixError`."""
    if not isinstance(data, Mapping):
        raise refused(path, data, "give an object")
    known = keys_of(cls)
    prefix = f"{path}." if path else ""
    for name in data:
        if name not in known:
            raise FixError(
                f"{prefix}{str(name)[:80]}", "unknown key", f"known are {', '.join(known)}"
            )
    values = {}
    for name, item in known.items():
        if name in data:
            values[item.name] = item.metadata["kind"].read(data[name], f"{prefix}{name}")
        elif is_required(item):
            raise FixError(f"{prefix}{name}", "missing", item.metadata["doc"])
    _apply_rules(cls, data, prefix)
    return values


def _apply_rules(cls: Any, data: Mapping[str, Any], prefix: str) -> None:
    for rule in getattr(cls, "RULES", ()):
        default = keys_of(cls)[rule.key].default
        if data.get(rule.key, default) != rule.value:
            continue
        for need in rule.needs:
            outer, _, inner = need.partition(".")
            if outer not in data or (inner and inner not in data[outer]):
                raise FixError(f"{prefix}{need}", "missing", f"{rule.key} {rule.value} needs it")
    least = getattr(cls, "AT_LEAST_ONE", ())
    if least and not any(name in data for name in least):
        raise FixError(prefix.rstrip("."), "empty", f"give one of {', '.join(least)}")
    exactly = getattr(cls, "EXACTLY_ONE", ())
    if exactly and len(data) != 1:
        raise FixError(prefix.rstrip("."), f"{len(data)} keys", f"give one of {', '.join(exactly)}")


def write(value: Any) -> Any:
    """Return a config as the JSON it was read from, without the keys that have their defaults."""
    if is_dataclass(value):
        return {
            name: write(found)
            for name, item in keys_of(value).items()
            if not is_default(item, found := getattr(value, item.name))
        }
    if isinstance(value, (list, tuple)):
        return [write(item) for item in value]
    if isinstance(value, dict):
        return {name: write(item) for name, item in value.items()}
    return value


def is_default(item: "Field[Any]", value: Any) -> bool:
    """Tell whether `value` is what the key has when it is left out."""
    if item.default is ABSENT:
        return value is ABSENT
    if item.default is not MISSING:
        return type(value) is type(item.default) and bool(value == item.default)
    return item.default_factory is not MISSING and bool(value == item.default_factory())


def schema(cls: Any) -> dict[str, Any]:
    """Return the JSON Schema of the object that `cls` describes."""
    properties = {
        name: {**item.metadata["kind"].schema(), "description": item.metadata["doc"]}
        for name, item in keys_of(cls).items()
    }
    found: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    required = [name for name, item in keys_of(cls).items() if is_required(item)]
    if required:
        found["required"] = required
    rules = [_conditional(rule, keys_of(cls)[rule.key]) for rule in getattr(cls, "RULES", ())]
    if rules:
        found["allOf"] = rules
    least = getattr(cls, "AT_LEAST_ONE", ())
    if least:
        found["anyOf"] = [{"required": [name]} for name in least]
    if getattr(cls, "EXACTLY_ONE", ()):
        found["minProperties"] = found["maxProperties"] = 1
    return found


def _conditional(rule: Rule, item: "Field[Any]") -> dict[str, Any]:
    condition: dict[str, Any] = {"properties": {rule.key: {"const": rule.value}}}
    if item.default != rule.value:
        condition["required"] = [rule.key]
    demanded: dict[str, Any] = {"required": [need.partition(".")[0] for need in rule.needs]}
    for need in rule.needs:
        outer, _, inner = need.partition(".")
        if inner:
            demanded.setdefault("properties", {})[outer] = {"required": [inner]}
    return {"if": condition, "then": demanded}
