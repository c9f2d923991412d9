"""Callers, callees and tests of a function."""

from collections.abc import Sequence

import pytest

import builders as b
from prunella.diagnose import find_function, find_neighbours
from prunella.diagnose.neighbours import Limits

FILES = {
    "src/shop/prices.py": b"""\
from shop.money import convert
from . import taxes

def average(values):
    return convert(sum(values)) / taxes.rate(len(values)) + _half(1)

def _half(x):
    return x / 2

def unrelated():
    return 1

class Basket:
    def total(self):
        return average(self.items()) + Basket.empty()

    def items(self):
        return []
""",
    "src/shop/money.py": b"def convert(x):\n    return x\n",
    "src/shop/taxes.py": b"def rate(n):\n    return n\n",
    "src/shop/report.py": b"""\
from shop import prices
from shop.prices import average as mean

def monthly(rows):
    return mean(rows)

def yearly(rows):
    return prices.average(rows)

def other(average):
    return average.average([1])
""",
    "src/other/stats.py": b"""\
def average(values):
    return 0

def uses_its_own():
    return average([1])
""",
    "tests/test_prices.py": b"""\
from shop.prices import Basket, average

def test_average():
    assert average([1, 3]) == 2

def test_total():
    assert Basket().total() == 0

def helper():
    return average([1])
""",
    "src/shop/broken.py": b"def average(:\n",
    "src/shop/latin.py": b"# -*- coding: nonsense -*-\naverage\n",
}


class ByOrder:
    """A retriever that finds everything equally near."""

    def rank(
        self, query: str, documents: Sequence[str], *, limit: int
    ) -> Sequence[tuple[int, float]]:
        return [(index, 0.5) for index in range(len(documents))][:limit]


def neighbours(
    qualname: str, path: str = "src/shop/prices.py", limits: Limits | None = None
) -> set[tuple[str, str, str]]:
    place = b.frame(file=path, module="shop.prices", qualname=qualname)
    function = find_function(place, FILES.get)
    found = find_neighbours(
        function, list(FILES), FILES.get, ByOrder(), limits=limits or Limits(callers=9)
    )
    return {(item.role, item.path.rpartition("/")[2], item.qualname) for item in found}


def test_functions_are_resolved_through_imports() -> None:
    """Aliases, modules and relative imports lead to the function; namesakes elsewhere don't."""
    assert neighbours("average") == {
        ("caller", "prices.py", "Basket.total"),
        ("caller", "report.py", "monthly"),
        ("caller", "report.py", "yearly"),
        ("caller", "test_prices.py", "helper"),
        ("callee", "money.py", "convert"),
        ("callee", "taxes.py", "rate"),
        ("callee", "prices.py", "_half"),
        ("test", "test_prices.py", "test_average"),
    }


def test_methods_are_found_through_self_and_classes() -> None:
    """A method's users are found by its name where its class is in sight."""
    assert neighbours("Basket.total") == {
        ("callee", "prices.py", "average"),
        ("callee", "prices.py", "Basket.items"),
        ("test", "test_prices.py", "test_total"),
    }
    assert ("caller", "prices.py", "Basket.total") in neighbours("Basket.items")


def test_a_neighbourhood_is_bounded() -> None:
    """No more of each role than asked for, and long functions are cut around the call."""
    few = neighbours("average", limits=Limits(callers=1, callees=1, tests=1))
    assert sorted(role for role, _, _ in few) == ["callee", "caller", "test"]
    long = b"from shop.prices import average\n\ndef long(x):\n" + b"    x += 1\n" * 500
    files = {**FILES, "long.py": long + b"    return average([x])\n"}
    place = b.frame(file="src/shop/prices.py", qualname="average")
    function = find_function(place, files.get)
    found = find_neighbours(
        function, list(files), files.get, ByOrder(), limits=Limits(callers=9, lines=20)
    )
    text = next(item.text for item in found if item.qualname == "long")
    assert text.startswith("def long(x):\n")
    assert "average([x])" in text
    assert text.count("\n") <= 21


@pytest.mark.parametrize("size", [0, 1])
def test_a_missing_neighbourhood_is_empty(size: int) -> None:
    """A base without other files, or whose files can't be read, has no neighbours."""
    files = {"a.py": b"def f():\n    return 1\n"}
    function = find_function(b.frame(file="a.py", qualname="f"), files.get)
    assert find_neighbours(function, ["a.py", "gone.py"][:size], files.get, ByOrder()) == ()
