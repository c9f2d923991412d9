"""What sets the arguments of failing calls apart from those of passing ones."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from prunella.codec import render
from prunella.fixes.checks import json_inside, to_type
from prunella.fixes.recorded import arguments_of
from prunella.model.records import Call, Occurrence
from prunella.propose.fix_fitting import ENOUGH, Observed

#: Share of the passing calls that have a value which takes the place of a missing one.
_USUAL = 0.8
#: Values that one condition lists.
_MOST_VALUES = 20
#: Characters of a text that is a name or a choice rather than prose.
_LONGEST_NAME = 200
_NUMBERS = (int, float)
#: Type in Python to its names in a JSON Schema.
JSON_TYPES = {"int": "integer", "float": "number", "str": "string", "bool": "boolean"}


class Bounds(NamedTuple):
    """A number that failing calls had outside the range that others had it in."""

    parameter: str
    low: float
    high: float
    failing: list[float]
    #: Which calls the range is from, in words.
    source: str


class Odd(NamedTuple):
    """An argument that failing calls had otherwise than passing ones."""

    parameter: str
    #: ``int``, ``float``, ``str`` or ``bool``: what passing calls had.
    kind: str
    failing: list[Any]
    #: What most passing calls had; ``None`` where they had many.
    usual: Any
    #: How many passing calls had that.
    usual_calls: int


def outliers(observed: Observed) -> Iterator[Bounds]:
    """Yield parameters whose failing values all lie outside what other calls had.

    Once by golden calls where there are enough, and by all passing calls where that is another range.
    """
    if len(observed.passing) < ENOUGH:
        return
    golden = observed.golden if len(observed.golden) >= ENOUGH else ()
    for name in observed.site.parameters:
        failing = _values(observed.failing, name)
        passing = _values(observed.passing, name)
        if not failing or not all(type(value) in _NUMBERS for value in (*failing, *passing)):
            continue
        ranges = {}
        if vouched := [value for value in _values(golden, name) if type(value) in _NUMBERS]:
            ranges[min(vouched), max(vouched)] = f"all of {len(vouched)} golden calls"
        ranges.setdefault((min(passing), max(passing)), _of_passing(observed))
        for (low, high), source in ranges.items():
            if all(not low <= value <= high for value in failing):
                yield Bounds(name, low, high, failing, source)


def _of_passing(observed: Observed) -> str:
    words = f"all of {len(observed.passing)} passing calls"
    if not observed.golden:
        return words
    if len(observed.golden) < ENOUGH:
        return (
            f"{words} (the golden calls are too few to take a range from: {len(observed.golden)})"
        )
    return words


def mistyped(observed: Observed) -> Iterator[Odd]:
    """Yield parameters that had one type in passing calls, and in failing ones what can be converted."""
    for name, kind, passing in _uniform(observed):
        failing = _values(observed.failing, name)
        if failing and all(_can_be(kind, value) for value in failing):
            yield Odd(name, kind, failing, *_usual(passing))


def missing(observed: Observed) -> Iterator[Odd]:
    """Yield parameters that were None in failing calls alone, and nearly always one value otherwise."""
    for name, kind, passing in _uniform(observed):
        failing = _values(observed.failing, name)
        usual, calls = _usual(passing)
        if failing and all(value is None for value in failing) and usual is not None:
            yield Odd(name, kind, failing, usual, calls)


def odd_text(observed: Observed, name: str) -> Odd | None:
    """Return how a parameter's failing texts differ from all passing ones, ``None`` if they don't."""
    failing, passing = _values(observed.failing, name), _values(observed.passing, name)
    bad = set(failing) if all(type(value) is str for value in failing) else set()
    if len(passing) < ENOUGH or not all(type(value) is str for value in passing):
        return None
    if not 0 < len(bad) <= _MOST_VALUES or bad & set(passing):
        return None
    if max(map(len, (*bad, *passing))) > _LONGEST_NAME:
        return None
    value, calls = Counter(passing).most_common(1)[0]
    return Odd(name, "str", sorted(bad), value, calls)


def longer(observed: Observed, name: str) -> tuple[int, int] | None:
    """Return the longest passing and the shortest failing length, where all failing are longer."""
    failing = [len(each) for each in _values(observed.failing, name) if _has_length(each)]
    passing = [len(each) for each in _values(observed.passing, name) if _has_length(each)]
    whole = len(failing) == len(observed.failing) and len(passing) == len(observed.passing)
    if not whole or not failing or len(passing) < ENOUGH or min(failing) <= max(passing):
        return None
    return max(passing), min(failing)


def wrapped_json(observed: Observed) -> Iterator[str]:
    """Yield parameters that were JSON in passing calls, and JSON among other words in failing ones."""
    if len(observed.passing) < ENOUGH:
        return
    for name in observed.site.parameters:
        failing = _values(observed.failing, name)
        passing = _values(observed.passing, name)
        if failing and all(map(_is_json, passing)) and all(map(_holds_json, failing)):
            yield name


def shown(values: Sequence[Any]) -> str:
    """Return a value or two as people read them."""
    found = list(dict.fromkeys(render(value, max_chars=40) for value in values))
    return ", ".join(found[:2]) + (", …" if len(found) > 2 else "")


def _values(records: Sequence[Occurrence | Call], parameter: str) -> list[Any]:
    return [arguments_of(record.inputs).get(parameter) for record in records]


def _uniform(observed: Observed) -> Iterator[tuple[str, str, list[Any]]]:
    if len(observed.passing) < ENOUGH:
        return
    for name in observed.site.parameters:
        passing = _values(observed.passing, name)
        kinds = {type(value).__name__ for value in passing}
        if len(kinds) == 1 and (kind := kinds.pop()) in JSON_TYPES:
            yield name, kind, passing


def _usual(passing: list[Any]) -> tuple[Any, int]:
    value, count = Counter(passing).most_common(1)[0]
    return (value, count) if count >= _USUAL * len(passing) else (None, 0)


def _can_be(kind: str, value: Any) -> bool:
    if value is None or type(value).__name__ == kind:
        return False
    try:
        to_type(kind, value)
    except (ValueError, OverflowError):
        return False
    return True


def _has_length(value: Any) -> bool:
    return type(value) in (str, list)


def _is_json(value: Any) -> bool:
    try:
        to_type("json", value)
    except ValueError:
        return False
    return type(value) is str


def _holds_json(value: Any) -> bool:
    if _is_json(value):
        return False
    try:
        json_inside(value)
    except ValueError:
        return False
    return True
