"""What passing calls teach about results."""

from typing import Any

from builders import call, occurrence
from prunella.codec import encode, encode_mapping
from prunella.model.ids import CallId
from prunella.model.repair import Baseline, Patch, ReplayEnding, ReplayOutcome
from prunella.validate.invariants import mine, violations

PLAIN = "def average(values):\n    return compute(values)\n"


def returned(
    result: Any, inputs: dict[str, Any], after: dict[str, Any] | None = None
) -> ReplayOutcome:
    return ReplayOutcome(
        request_id=CallId("c"),
        ending=ReplayEnding.RETURNED,
        result=encode(result).tree,
        inputs_after=encode_mapping(inputs if after is None else after).tree,
    )


def broken(
    samples: list[tuple[dict[str, Any], Any]], inputs: dict[str, Any], result: Any,
    source: str = PLAIN, after: dict[str, Any] | None = None,
) -> list[str]:  # fmt: skip
    passing = tuple(
        (call(inputs=encode_mapping(given).tree), returned(value, given))
        for given, value in samples
    )
    facts = Baseline(failing=((occurrence(), returned(None, {})),), passing=passing, set_aside=())
    patch = Patch(
        path="m.py", qualname="average", before=source.encode(), after=source.encode(), diff=""
    )
    learned = mine(facts, patch)
    return violations(learned, encode_mapping(inputs).tree, returned(result, inputs, after))


LISTS: list[tuple[dict[str, Any], Any]] = [
    ({"values": [1]}, [1]), ({"values": [1, 2]}, [1, 2]), ({"values": [3, 4, 5]}, [3, 4, 5]),
]  # fmt: skip
NUMBERS: list[tuple[dict[str, Any], Any]] = [({"values": [n]}, float(n)) for n in range(6)]


def test_the_type_is_kept() -> None:
    """Where passing calls return floats, None and int are foreign, a float isn't."""
    assert broken(NUMBERS, {"values": []}, None)
    assert broken(NUMBERS, {"values": []}, 0)
    assert not broken(NUMBERS, {"values": []}, 0.0)


def test_a_literal_that_the_function_returns_already_is_meant() -> None:
    """`return None` in the function makes None an ordinary answer."""
    source = "def average(values):\n    if values is None:\n        return None\n    return compute(values)\n"
    assert not broken(NUMBERS, {"values": []}, None, source)


def test_the_annotation_decides_where_it_is_simple() -> None:
    """`float | None` allows None; `float` allows an int and no string."""
    optional = "def average(values) -> 'float | None':\n    return compute(values)\n"
    plain = "def average(values) -> float:\n    return compute(values)\n"
    assert not broken(NUMBERS, {"values": []}, None, optional)
    assert not broken([], {"values": []}, 0, plain)
    assert broken([], {"values": []}, "x", plain)
    assert broken([], {"values": []}, None, plain)


def test_too_few_calls_teach_nothing() -> None:
    """Two passing calls are no law."""
    assert not broken(NUMBERS[:2], {"values": []}, None)


def test_lengths_follow_the_argument() -> None:
    """A result that is as long as an argument stays so."""
    assert broken(LISTS, {"values": []}, [1])
    assert not broken(LISTS, {"values": []}, [])


def test_items_keep_their_type() -> None:
    """A list of numbers doesn't get a None."""
    assert broken(LISTS, {"values": [1]}, [None])


def test_keys_are_kept() -> None:
    """Dictionaries of one shape stay in shape."""
    samples: list[tuple[dict[str, Any], Any]] = [
        ({"values": [n]}, {"total": n, "mean": n / 2}) for n in range(3)
    ]
    assert broken(samples, {"values": []}, {"total": 0})
    assert broken(samples, {"values": []}, {})
    assert not broken(samples, {"values": []}, {"total": 0, "mean": 0.0})


def test_tuples_keep_their_size() -> None:
    """A pair stays a pair."""
    samples: list[tuple[dict[str, Any], Any]] = [({"values": [n]}, (n, n)) for n in range(3)]
    assert broken(samples, {"values": []}, (0,))
    assert not broken(samples, {"values": []}, (0, 0))


def test_what_is_never_negative_stays_so() -> None:
    """With enough passing calls, a sign is a law."""
    assert broken(NUMBERS, {"values": []}, -1.0)


def test_arguments_that_are_left_alone_stay_so() -> None:
    """A patch doesn't begin to change an argument that passing calls never change."""
    assert broken(NUMBERS, {"values": []}, 0.0, after={"values": [0]})
