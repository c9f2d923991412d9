import enum
import json
import sys
import threading
import tracemalloc
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Any

import pytest

from prunella.codec import DEFAULT_LIMITS, Limits, Redactor, encode, encode_mapping


class Trap(BaseException):
    """Raised by whatever the encoder must not run."""


def _spring(*_: Any, **__: Any) -> Any:
    raise Trap


HOOKS = [
    "__repr__",
    "__str__",
    "__format__",
    "__getattr__",
    "__getattribute__",
    "__setattr__",
    "__hash__",
    "__eq__",
    "__len__",
    "__iter__",
    "__getitem__",
    "__contains__",
    "__bool__",
    "__getstate__",
    "__reduce__",
    "__reduce_ex__",
    "__copy__",
    "__deepcopy__",
    "__dir__",
    "__sizeof__",
    "__getnewargs__",
    "__index__",
    "__int__",
    "__float__",
    "__next__",
    "__lt__",
    "items",
    "keys",
    "values",
]


def trapped(base: type, *arguments: Any) -> Any:
    """Return an instance of a subclass of `base` all of whose hooks spring."""
    namespace: dict[str, Any] = dict.fromkeys(HOOKS, _spring)
    namespace["__class__"] = property(_spring)
    namespace["__dict__"] = property(_spring)
    namespace["trap"] = property(_spring)
    made = base.__new__(type("Trapped", (base,), namespace), *arguments)
    if base in (list, dict, set, deque, OrderedDict):
        base.__init__(made, *arguments)
    return made


@pytest.mark.parametrize(
    ("base", "argument"),
    [
        (object, None),
        (int, 5),
        (float, 1.5),
        (str, "text"),
        (bytes, b"text"),
        (tuple, (1, 2)),
        (frozenset, (1, 2)),
        (list, [1, 2]),
        (dict, {1: 2}),
        (set, {1, 2}),
        (deque, [1]),
        (OrderedDict, {1: 2}),
        (Exception, "message"),
    ],
)
def test_no_code_of_a_value_runs(base: type, argument: Any) -> None:
    """Representation, attributes, iteration, hashing, comparison: none of the user's."""
    value = trapped(base) if argument is None else trapped(base, argument)

    tree = encode({"inside": [value]}).tree

    assert "Trapped" in json.dumps(tree)


def test_no_code_of_a_metaclass_runs() -> None:
    """Nor a class's own hooks: its name is read past them."""
    hooks = dict.fromkeys(["__getattribute__", "__hash__", "__eq__", "__instancecheck__"], _spring)
    meta = type("Meta", (type,), hooks)
    cls = type.__new__(meta, "Odd", (), {"x": 1})

    assert "Odd" in json.dumps(encode([object.__new__(cls), cls]).tree)


def test_deep_structures_cost_little_and_are_marked() -> None:
    """20,000 levels: no recursion error, bounded depth of the JSON text."""
    deep: list[Any] = []
    for _ in range(20_000):
        deep = [deep]
    linked: dict[str, Any] = {}
    for _ in range(20_000):
        linked = {"next": linked}

    encoded = encode_mapping({"deep": deep, "linked": linked})

    assert not encoded.complete
    assert len(json.dumps(encoded.tree)) < 10_000


def test_encoding_near_the_recursion_limit_stays_harmless() -> None:
    """Where the host has used up its stack, there is a mark instead of an error."""

    def descend() -> Any:
        try:
            return descend()
        except RecursionError:
            return encode([[[[[1]]]]])

    assert descend().tree is not None


def test_huge_values_are_not_copied() -> None:
    """A gigabyte of text or of zeros is measured and left where it is."""
    text = "x" * 300_000_000
    data = bytearray(300_000_000)
    tracemalloc.start()
    try:
        encoded = encode_mapping({"text": text, "data": data, "bytes": memoryview(data)})
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert not encoded.complete
    assert peak_bytes < 1_000_000
    assert len(json.dumps(encoded.tree)) < 2_000


@pytest.mark.parametrize(
    "value",
    [
        list(range(1_000_000)),
        tuple(range(1_000_000)),
        dict.fromkeys(range(1_000_000)),
        set(range(1_000_000)),
        deque(range(1_000_000)),
        [[0] * 999 for _ in range(999)],
        10**1_000_000,
    ],
    ids=lambda value: type(value).__name__,
)
def test_large_containers_are_cut_to_their_beginning(value: Any) -> None:
    """The tree says how many items there were; its text stays below the bounds."""
    encoded = encode(value)

    assert not encoded.complete
    assert len(json.dumps(encoded.tree)) < 12 * DEFAULT_LIMITS.max_nodes


def test_many_texts_stay_within_the_bytes_of_one_record() -> None:
    """Bounds are for the whole, not for each string."""
    encoded = encode([f"{number:060000}" for number in range(900)])

    assert not encoded.complete
    assert len(json.dumps(encoded.tree)) < 2 * DEFAULT_LIMITS.max_total_bytes


def test_the_time_budget_ends_an_encoding() -> None:
    """Where time is up, the rest is marked as cut."""
    value = [[number] for number in range(900)]

    encoded = encode(value, limits=Limits(time_budget_ms=0.0))

    assert not encoded.complete
    assert encode(value).complete


def test_small_limits_hold() -> None:
    """Each limit binds by itself."""
    wide = [[1] * 9 for _ in range(40)]

    assert not encode(wide, limits=Limits(max_nodes=50)).complete
    assert not encode([[[1]]], limits=Limits(max_depth=2)).complete
    assert encode([[[1]]], limits=Limits(max_depth=3)).complete
    assert not encode([1] * 9, limits=Limits(max_items=8)).complete
    assert not encode("x" * 9, limits=Limits(max_string_length=8)).complete
    assert not encode(["x" * 9] * 3, limits=Limits(max_total_bytes=20)).complete


def test_values_that_change_meanwhile_do_no_harm() -> None:
    """Other threads may grow, shrink and clear what is being encoded."""
    rows: list[Any] = list(range(500))
    table: dict[Any, Any] = {number: [number] for number in range(500)}
    group: set[int] = set(range(500))
    stop = threading.Event()

    def disturb() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            rows[:] = list(range(turn % 700))
            table[turn % 900] = []
            table.pop(turn * 7 % 900, None)
            group.symmetric_difference_update({turn % 900})

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _ in range(200):
            json.dumps(encode_mapping({"rows": rows, "table": table, "group": group}).tree)
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)


def test_whatever_fails_inside_leaves_a_tree_that_can_be_read() -> None:
    """A redactor or mapping that raises costs the value, not the host its call."""

    class Failing(dict[str, Any]):
        def items(self) -> Any:
            raise MemoryError

    class Broken(Redactor):
        def text(self, text: str) -> str:
            raise MemoryError

    assert not encode_mapping(Failing()).complete
    assert encode(["x" * 20], redactor=Broken()).tree == [
        "l",
        ["?", "builtins:str", "unreadable: MemoryError"],
    ]


class Owner:
    def __del__(self) -> None:
        pass


class Shade(enum.Enum):
    DARK = 1


def _generator() -> Iterator[int]:
    yield 1


def test_what_cannot_be_rebuilt_says_so() -> None:
    """Opaque things make a call one for reading, and keep what can be seen of them."""

    class Local:
        def __init__(self) -> None:
            self.seen = 1

    opaque = [_generator(), sys, lambda: 1, Local, sys.stdout, [].append, Owner()]
    for value in opaque:
        assert not encode(value).complete, value
    assert encode(Local()).tree[2] == ["d", "seen", 1]  # type: ignore[index]
    assert encode(Shade.DARK).complete


def test_an_impostor_is_not_taken_for_a_known_type() -> None:
    """A class may call itself anything; what counts is what that name really is."""
    impostor = type("Decimal", (), {"__module__": "decimal", "__str__": _spring})

    assert not encode(impostor()).complete
