"""Classes whose instances the codec's tests encode; importable by their own names."""

import enum
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pydantic


class Colour(enum.Enum):
    RED = "r"
    GREEN = "g"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Access(enum.Flag):
    READ = 1
    WRITE = 2
    RUN = 4


Pair = namedtuple("Pair", "left right")


class Point(NamedTuple):
    x: int
    y: Any


@dataclass
class Order:
    number: int
    lines: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Line:
    article: str
    price: Any


class Plain:
    """Compares by its attributes, so that tests can."""

    def __init__(self, **values: Any) -> None:
        raise AssertionError("no constructor runs")

    def __eq__(self, other: object) -> bool:
        return type(other) is Plain and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def method(self) -> "Plain":
        return self


class Slotted:
    __slots__ = ("__hidden", "shown", "unset")

    def fill(self, hidden: Any, shown: Any) -> "Slotted":
        self.__hidden = hidden
        self.shown = shown
        return self

    def contents(self) -> tuple[Any, Any]:
        return self.__hidden, self.shown


class SlottedWithDict(Slotted):
    pass


class Model(pydantic.BaseModel):
    name: str
    lines: list[int] = []


class Number(int):
    pass


class Text(str):
    __slots__ = ()


class Ratio(float):
    pass


class Blob(bytes):
    pass


class Rows(list[Any]):
    pass


class Table(dict[Any, Any]):
    pass


class Names(set[Any]):
    pass


class Triple(tuple[Any, ...]):
    __slots__ = ()


class Queue(deque[Any]):
    pass


class Register(OrderedDict[Any, Any]):
    pass


class Groups(defaultdict[Any, Any]):
    pass


class Tally(Counter[Any]):
    pass


class Refused(Exception):
    def __init__(self, *, reason: str) -> None:
        super().__init__(f"refused: {reason}")
        self.reason = reason


class Outer:
    class Inner:
        pass


def plain(**values: Any) -> Plain:
    """Return a `Plain` with these attributes; its constructor refuses."""
    made = object.__new__(Plain)
    vars(made).update(values)
    return made


def function() -> None:
    """Do nothing."""
