"""Functions that call another one, directly or through others."""

import builders as b
from prunella.diagnose import find_callers, find_function
from prunella.diagnose.source import Read

FILES = {
    "shop/prices.py": b"""\
def average(values):
    return sum(values) / len(values)

def rounded(values):
    return round(average(values))
""",
    "shop/report.py": b"""\
from shop import prices
from shop.prices import average as mean

class Report:
    def monthly(self):
        return mean([1])

    def yearly(self):
        return [self.monthly()]

def rows():
    return prices.rounded([2])
""",
    "shop/app.py": b"""\
from shop.report import rows

def main():
    return rows()

def unrelated():
    return average([1])
""",
    "tests/test_prices.py": b"from shop.prices import average\n\ndef test_average():\n    average([1])\n",
}


def read(path: str) -> bytes | None:
    return FILES.get(path)


def callers(reader: Read = read) -> list[tuple[str, str]]:
    place = b.incident().location
    assert place is not None
    return list(find_callers(find_function(place, read), list(FILES), reader))


def test_callers_are_found_through_others_the_nearest_first() -> None:
    """Imports, aliases, `self` and several steps lead to a caller; tests and namesakes don't."""
    assert callers() == [
        ("shop/prices.py", "rounded"),
        ("shop/report.py", "Report.monthly"),
        ("shop/report.py", "rows"),
        ("shop/report.py", "Report.yearly"),
        ("shop/app.py", "main"),
    ]


def test_each_file_is_read_once() -> None:
    """However many functions are looked for, the disk is asked once a file."""
    asked: list[str] = []

    def counting(path: str) -> bytes | None:
        asked.append(path)
        return read(path)

    callers(counting)
    assert sorted(asked) == sorted(FILES)


def test_callers_in_a_circle_end() -> None:
    """Functions that call each other are each told once, the function itself never."""
    circle = b"def average(v):\n    return b(v)\n\ndef b(v):\n    return average(v)\n"
    place = b.incident().location
    assert place is not None
    function = find_function(place, {"shop/prices.py": circle}.get)
    found = find_callers(function, ["shop/prices.py"], {"shop/prices.py": circle}.get)
    assert found == (("shop/prices.py", "b"),)
