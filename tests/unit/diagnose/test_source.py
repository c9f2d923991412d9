"""Finding the function of a frame in the committed base."""

import pytest

import builders as b
from prunella.diagnose import find_function
from prunella.model.errors import SourceUnavailable
from prunella.model.repair import SourceFunction

SOURCE = b"""\
import os


def plain(a):
    return [x / a for x in range(3)]


class Shop:
    @property
    def price(self):
        return self._price

    @price.setter
    def price(self, value):
        self._price = value

    def total(self):
        def inner(x):
            return x
        return inner(1)


if os.name == "nt":
    def twice():
        return 1
else:
    def twice():
        return 2
"""


def found(qualname: str, first_line: int = 1, file: str = "shop.py") -> SourceFunction:
    place = b.frame(file=file, module="shop", qualname=qualname, first_line=first_line)
    return find_function(place, {"shop.py": SOURCE, "broken.py": b"def f(:\n"}.get)


@pytest.mark.parametrize(
    ("qualname", "lines"),
    [
        ("plain", (4, 5)),
        ("plain.<locals>.<listcomp>", (4, 5)),
        ("plain.<locals>.<lambda>.<locals>.<genexpr>", (4, 5)),
        ("Shop.total", (17, 20)),
        ("Shop.total.<locals>.inner", (18, 19)),
    ],
)
def test_the_name_decides(qualname: str, lines: tuple[int, int]) -> None:
    """A function is found by its name; comprehensions and lambdas belong to the one around them."""
    function = found(qualname, first_line=99)
    assert (function.first_line, function.last_line) == lines
    assert function.file_source == SOURCE
    assert "\n".join(SOURCE.decode().split("\n")[lines[0] - 1 : lines[1]]) == function.text


def test_the_line_tells_namesakes_apart() -> None:
    """Of a getter and its setter, the one that begins on the recorded line."""
    assert "_price = value" in found("Shop.price", first_line=13).text
    assert "return self._price" in found("Shop.price", first_line=9).text


@pytest.mark.parametrize(
    ("qualname", "file", "why"),
    [
        ("f", "<stdin>", "typed into an interpreter"),
        ("f", "<string>", "exec"),
        ("f", "fast.cpython-311-x86_64-linux-gnu.so", "compiled code"),
        ("<lambda>", "shop.py", "lambda outside any function"),
        ("<module>", "shop.py", "top level"),
        ("f", "new.py", "not in the committed base"),
        ("f", "broken.py", "not valid Python"),
        ("gone", "shop.py", "not in shop.py of the committed base any more"),
        ("twice", "shop.py", "several functions of that name"),
    ],
)
def test_each_reason_is_said(qualname: str, file: str, why: str) -> None:
    """Where there is no source to edit, the message says which of the possible reasons it is."""
    with pytest.raises(SourceUnavailable, match=why):
        found(qualname, file=file)
