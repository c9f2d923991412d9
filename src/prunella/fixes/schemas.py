"""The part of JSON Schema that guards check: no references, nothing that takes unbounded time.

Keywords: ``type``, ``enum``, ``const``, ``properties``, ``required``, ``additionalProperties``
(false), ``items``, ``minItems``, ``maxItems``, ``minimum``, ``maximum``, ``minLength``,
``maxLength``, ``pattern`` and ``anyOf``; ``title`` and ``description`` are allowed and mean nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from prunella.fixes.patterns import TooMuch, compiled

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list, tuple),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength")
_NUMBERS = ("minimum", "maximum")
KEYWORDS = frozenset(
    {
        "type", "enum", "const", "properties", "required", "additionalProperties", "items",
        "pattern", "anyOf", "title", "description", *_COUNTS, *_NUMBERS,
    }
)  # fmt: skip
#: Values that one check looks at, and characters of a text that a pattern is searched in.
MAX_LOOKS = 5_000
MAX_SEARCHED = 20_000


def check_schema(schema: Any, depth: int = 0) -> None:
    """Raise `ValueError` with the reason where `schema` isn't one that guards check."""
    if not isinstance(schema, Mapping):
        raise ValueError("a schema is an object")
    if depth > 20:
        raise ValueError("more than 20 schemas inside each other")
    for name, value in schema.items():
        if name not in KEYWORDS:
            raise ValueError(f"the keyword {name!r} isn't supported")
        _check_keyword(name, value)
    for inner in _inner_schemas(schema):
        check_schema(inner, depth + 1)


def _check_keyword(name: str, value: Any) -> None:
    if name == "type":
        names = value if isinstance(value, list) else [value]
        fits = bool(names) and all(isinstance(each, str) and each in TYPES for each in names)
    elif name in _COUNTS:
        fits = type(value) is int and value >= 0
    elif name in _NUMBERS:
        fits = type(value) in (int, float)
    elif name in ("enum", "anyOf"):
        fits = isinstance(value, list) and bool(value)
    elif name == "required":
        fits = isinstance(value, list) and all(isinstance(each, str) for each in value)
    elif name == "properties":
        fits = isinstance(value, Mapping)
    elif name == "additionalProperties":
        fits = value is False or value is True
    elif name == "pattern":
        fits = isinstance(value, str) and bool(compiled(value))
    else:
        fits = True
    if not fits:
        raise ValueError(f"{name} can't be {str(value)[:60]!r}")


def _inner_schemas(schema: Mapping[str, Any]) -> Iterator[Any]:
    yield from schema.get("properties", {}).values()
    yield from schema.get("anyOf", [])
    if "items" in schema:
        yield schema["items"]


class Looks:
    """How much one check has looked at."""

    def __init__(self, most: int = MAX_LOOKS) -> None:
        self.left = most

    def take(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooMuch("the value is larger than a guard looks at")


def violation(schema: Mapping[str, Any], value: Any, looks: Looks, place: str = "it") -> str:
    """Return in words what in `value` doesn't fit, ``""`` if all does; raises `TooMuch`."""
    looks.take()
    for found in _violations(schema, value, looks, place):
        if found:
            return found
    return ""


def _violations(schema: Mapping[str, Any], value: Any, looks: Looks, place: str) -> Iterator[str]:
    if "type" in schema and not is_of_type(value, schema["type"]):
        yield f"{place} is {type(value).__name__}, not {_listed(schema['type'])}"
    if "const" in schema and not _equal(value, schema["const"]):
        yield f"{place} isn't the constant"
    if "enum" in schema and not any(_equal(value, each) for each in schema["enum"]):
        yield f"{place} is none of the {len(schema['enum'])} values"
    if isinstance(value, str):
        yield _text_violation(schema, value, place)
    elif type(value) in (int, float):
        yield range_violation(schema.get("minimum"), schema.get("maximum"), value, place)
    elif isinstance(value, dict):
        yield from _object_violations(schema, value, looks, place)
    elif isinstance(value, (list, tuple)):
        yield from _array_violations(schema, value, looks, place)
    if "anyOf" in schema and all(violation(each, value, looks) for each in schema["anyOf"]):
        yield f"{place} fits none of the alternatives"


def _object_violations(
    schema: Mapping[str, Any], value: dict[Any, Any], looks: Looks, place: str
) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{place} lacks {name!r}"
    properties = schema.get("properties", {})
    for name, inner in properties.items():
        if name in value:
            yield violation(inner, value[name], looks, f"{place}.{name}")
    if schema.get("additionalProperties") is False:
        for name in value:
            looks.take()
            if name not in properties:
                yield f"{place} has a key that isn't expected"


def _array_violations(
    schema: Mapping[str, Any], value: Any, looks: Looks, place: str
) -> Iterator[str]:
    yield length_violation(schema.get("minItems"), schema.get("maxItems"), value, place)
    if "items" in schema:
        for at, item in enumerate(value):
            yield violation(schema["items"], item, looks, f"{place}[{at}]")


def _text_violation(schema: Mapping[str, Any], value: str, place: str) -> str:
    found = length_violation(schema.get("minLength"), schema.get("maxLength"), value, place)
    if not found and "pattern" in schema:
        return pattern_violation(schema["pattern"], value, place)
    return found


def is_of_type(value: Any, names: Any) -> bool:
    """Tell whether a value is of one of the types, as JSON Schema names them."""
    if isinstance(names, list):
        return any(is_of_type(value, name) for name in names)
    if isinstance(value, bool):
        return bool(names == "boolean")
    if names == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[names])


def range_violation(low: float | None, high: float | None, value: Any, place: str) -> str:
    """Return what is wrong with a number; NaN lies in no range."""
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        return f"{place} is not {_limits(low, high)}"
    return ""


def length_violation(low: int | None, high: int | None, value: Any, place: str) -> str:
    """Return what is wrong with how long something is."""
    if (low is not None and len(value) < low) or (high is not None and len(value) > high):
        return f"{place} has the length {len(value)}, not {_limits(low, high)}"
    return ""


def pattern_violation(pattern: str, value: str, place: str) -> str:
    """Return that the pattern isn't found; raises `TooMuch` for a text that is too long."""
    if len(value) > MAX_SEARCHED:
        raise TooMuch(f"a text of {len(value)} characters is longer than a guard searches")
    return "" if compiled(pattern).matches(value) else f"{place} doesn't match {pattern!r}"


def _limits(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"{low} to {high}"


def _equal(value: Any, wanted: Any) -> bool:
    # 1 and True are different values in JSON; foreign classes may compare in any way.
    if type(value) not in (str, int, float, bool, type(None), list, dict, tuple):
        return False
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def _listed(names: Any) -> str:
    return " or ".join(names) if isinstance(names, list) else str(names)
