"""Checks of values, and what becomes of a value that fails one."""

import json
from typing import Any

from prunella.fixes.configs import Check, Range
from prunella.fixes.fields import ABSENT
from prunella.fixes.patterns import TooMuch
from prunella.fixes.schemas import (
    Looks,
    is_of_type,
    length_violation,
    pattern_violation,
    range_violation,
    violation,
)

#: Characters of a text that is read as JSON.
MAX_JSON = 200_000
_NUMBERS = (int, float)
_SIZED = (str, bytes, bytearray, list, tuple, dict, set, frozenset)
_TRUE, _FALSE = ("true", "yes", "1", "on"), ("false", "no", "0", "off")


def problem(check: Check, value: Any) -> str:
    """Return in words what is wrong with a value, ``""`` if nothing is.

    Raises `TooMuch` for a value that is larger than a check looks at.
    """
    if value is ABSENT:
        return "the value is missing"
    said = value
    if check.format == "json":
        try:
            said = _read_json(value)
        except ValueError as error:
            return str(error)
    if check.schema is not None:
        found = violation(check.schema, said, Looks(), "the value")
        if found:
            return found
    return _plain_problem(check, value)


def _plain_problem(check: Check, value: Any) -> str:
    found = ""
    if check.range is not None:
        if not is_of_type(value, "number"):
            return "the value is no number"
        found = range_violation(check.range.min, check.range.max, value, "the value")
    if not found and check.length is not None:
        if not isinstance(value, _SIZED):
            return "the value has no length"
        found = length_violation(check.length.min, check.length.max, value, "the value")
    if not found and check.pattern is not None:
        if not isinstance(value, str):
            return "the value is no text"
        found = pattern_violation(check.pattern, value, "the value")
    return found


def _read_json(value: Any) -> Any:
    if not isinstance(value, (str, bytes)):
        raise ValueError("the value is no text")
    if len(value) > MAX_JSON:
        raise TooMuch(f"{len(value)} characters of JSON are more than a guard reads")
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError("the value is no JSON") from None


def clamped(limits: Range, value: Any) -> Any:
    """Return a number within limits; raises `ValueError` for what is no number."""
    if (type(value) not in _NUMBERS and not is_of_type(value, "number")) or value != value:
        raise ValueError("the value is no number")
    if limits.min is not None and value < limits.min:
        return limits.min
    return limits.max if limits.max is not None and value > limits.max else value


def converted(check: Check, value: Any) -> Any:
    """Return a value converted so that it may pass; raises `ValueError` where it can't be."""
    if check.format == "json":
        return json_inside(value)
    if check.schema is not None:
        value = _to_schema(check.schema, value)
    if check.range is not None and not is_of_type(value, "number"):
        value = to_type("float", value)
    if check.pattern is not None and isinstance(value, str):
        value = value.strip()
    return value


def json_inside(text: Any) -> str:
    """Return the JSON document in a text that has more around it: fences, words before and after."""
    if not isinstance(text, str) or len(text) > MAX_JSON:
        raise ValueError("the value is no text, or too long a one")
    decoder = json.JSONDecoder()
    starts = [at for at, character in enumerate(text) if character in "{["][:100]
    for start in starts:
        try:
            _, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        return text[start:end]
    raise ValueError("there is no JSON in the text")


def _to_schema(schema: dict[str, Any], value: Any, depth: int = 0) -> Any:
    names = schema.get("type")
    if names is not None and not is_of_type(value, names):
        for name in names if isinstance(names, list) else [names]:
            try:
                value = _to_json_type(name, value)
            except (ValueError, TypeError, OverflowError):
                continue
            break
    if isinstance(value, dict) and depth < 10:
        properties = schema.get("properties", {})
        changed = {
            name: _to_schema(inner, value[name], depth + 1)
            for name, inner in properties.items()
            if name in value
        }
        return {**value, **changed}
    if isinstance(value, list) and "items" in schema and depth < 10 and len(value) <= 1_000:
        return [_to_schema(schema["items"], item, depth + 1) for item in value]
    return value


def _to_json_type(name: str, value: Any) -> Any:
    if name in ("object", "array"):
        if name == "array" and isinstance(value, (set, frozenset)):
            return list(value)
        return json.loads(json_inside(value))
    if name == "null":
        if value in ("", "null", "None"):
            return None
        raise ValueError(value)
    return to_type({"integer": "int", "number": "float", "boolean": "bool"}.get(name, "str"), value)


def to_type(name: str, value: Any) -> Any:
    """Return a scalar as ``int``, ``float``, ``str``, ``bool``, or a text read as ``json``.

    Raises `ValueError` for what isn't clearly meant so: ``int`` of 2.5, ``bool`` of "maybe".
    """
    if type(value) not in (str, int, float, bool) or (type(value) is str and len(value) > MAX_JSON):
        raise ValueError(f"a {type(value).__name__} can't be converted to {name}")
    if name == "json":
        return _read_json(value) if isinstance(value, str) else value
    if name == "bool":
        return _to_bool(value)
    if name == "str":
        return value if type(value) is str else json.dumps(value)
    number = value if type(value) in (int, float) else _to_number(value)
    if name == "float":
        return float(number)
    if int(number) != number:
        raise ValueError(f"{number!r} is no whole number")
    return int(number)


def _to_number(value: Any) -> int | float:
    text = str(value).strip()[:60]
    try:
        return int(text)
    except ValueError:
        return float(text)


def _to_bool(value: Any) -> bool:
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"{word[:20]!r} is neither true nor false")
