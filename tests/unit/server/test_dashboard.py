"""What pages are made of: code with the line that failed, diffs, charts, words."""

from datetime import timedelta

import pytest

from builders import site
from prunella.model.incidents import Location
from prunella.ports import FailureCount
from prunella.server.dashboard.rendering import (
    bars,
    code_parts,
    e_value,
    ms,
    percent,
    read_said,
    said_cookie,
    web_address,
)
from prunella.server.dashboard.views.charts import spread_out
from prunella.server.dashboard.views.code import diff_lines, failing_code
from prunella.server.dashboard.views.incidents import Wanted
from recorded import START

SOURCE = "@heal\ndef average(orders):\n    total = sum(orders)\n    return total / len(orders)\n"
DIFF = """--- a/shop/prices.py
+++ b/shop/prices.py
@@ -3,4 +3,5 @@
 @heal
 def average(orders):
-    return 1
+    if not orders:
+        return 0
     # end
"""


class Files:
    """A repository of a few files."""

    def __init__(self, **files: str) -> None:
        self._files = {name: text.encode() for name, text in files.items()}

    def read(self, path: str) -> bytes | None:
        return self._files.get(path)


def place(**changes) -> Location:
    known = {
        "file": "prices",
        "module": "shop.prices",
        "qualname": "average",
        "first_line": 10,
        "line": 13,
    }
    return Location(**(known | changes))


def failing(found) -> list[tuple[int, str]]:
    return [(line.number, line.text.strip()) for line in found.lines if line.failed]


def test_the_recorded_text_of_a_site_goes_before_the_repository():
    """What ran is shown, at the lines that it ran with."""
    recorded = site(module="shop.prices", qualname="average", first_line=10, source=SOURCE)
    found = failing_code(place(), recorded, Files(prices="something else\n" * 20))
    assert failing(found) == [(13, "return total / len(orders)")]
    assert [line.number for line in found.lines] == [10, 11, 12, 13]
    assert not found.note


def test_a_function_inside_is_read_from_the_repository():
    """Where another function than the site failed, the file around the line is shown, and says so."""
    recorded = site(module="shop.prices", qualname="total", first_line=1, source=SOURCE)
    text = "".join(f"line {number}\n" for number in range(1, 101))
    found = failing_code(place(line=50), recorded, Files(prices=text))
    assert failing(found) == [(50, "line 50")]
    assert len(found.lines) < 40
    assert "repository" in found.note


@pytest.mark.parametrize("line", [0, 101, 10**9])
def test_a_line_that_is_not_there_shows_nothing(line):
    """A file that has changed since shows no wrong line."""
    text = "".join(f"line {number}\n" for number in range(1, 101))
    assert failing_code(place(line=line), None, Files(prices=text)) is None
    assert failing_code(place(file="gone"), None, Files()) is None
    assert failing_code(None, None, Files()) is None


def test_a_diff_counts_its_lines_before_and_after():
    """Each line has its numbers; the file's names are no lines of it."""
    found = [(line.kind, line.before, line.after) for line in diff_lines(DIFF)]
    assert found == [
        ("file", None, None),
        ("file", None, None),
        ("place", None, None),
        ("same", 3, 3),
        ("same", 4, 4),
        ("cut", 5, None),
        ("add", None, 5),
        ("add", None, 6),
        ("same", 6, 7),
    ]


@pytest.mark.parametrize("diff", ["", "@@", "@@ -x +y @@\n+a", "@@ -99999999999 @@\n a", "\x00"])
def test_no_diff_is_too_broken_to_be_shown(diff):
    """What is no diff is shown as far as it goes."""
    diff_lines(diff)


def test_times_without_failures_count_as_none():
    """Every step from the first to the last has a number."""
    step = timedelta(minutes=10)
    counted = [FailureCount(at=START + 2 * step, failures=7)]
    found = spread_out(counted, since=START, until=START + 3 * step, step=step)
    assert found.failures == (0, 0, 7, 0)
    assert found.total == 7
    assert {later - at for at, later in zip(found.at_s, found.at_s[1:], strict=False)} == {600}


def test_filters_make_an_address_that_asks_for_them():
    """An address has what is asked for, in a form that any text survives; nothing else."""
    wanted = Wanted(text="a&b=c #", status="open")
    assert wanted.address() == "?q=a%26b%3Dc+%23&status=open"
    assert wanted.address(q="", status="") == "?"
    assert wanted.narrows
    assert not Wanted(status="open").narrows


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://code.example/pulls/1", True),
        ("http://code.example/", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("file:///etc/passwd", False),
        ("//evil", False),
        ("https:///nowhere", False),
        ("http://[broken", False),
    ],
)
def test_only_web_addresses_are_linked(url, linked):
    """A page links http and https, and nothing that runs."""
    assert bool(web_address(url)) is linked


def test_what_is_not_known_is_no_zero():
    """A dash where nothing is known, 0 where it is."""
    assert percent(None) == ms(None) == "–"
    assert percent(0.0) == "0.0 %"
    assert percent(float("nan")) == "–"
    assert [ms(value) for value in (0.016, 3.14, 120.4, 61_000)] == [
        "16 µs",
        "3.1 ms",
        "120 ms",
        "61.0 s",
    ]


@pytest.mark.parametrize(
    ("log_value", "text"), [(0.0, "1.0"), (-3.0, "0.05"), (5.0, "148"), (46.06, "10^20")]
)
def test_e_values_are_short(log_value, text):
    """An e-value takes a few characters, however large it is."""
    assert e_value(log_value) == text


def test_code_in_words_is_told_apart():
    """What stands between backticks is code; a backtick alone is a character."""
    assert code_parts("`a` is `b`, `") == [
        (True, "a"),
        (False, " is "),
        (True, "b"),
        (False, ", `"),
    ]


@pytest.mark.parametrize("text", ["done", "é ü 日本", "a=b; c", "x" * 1000])
def test_what_was_said_survives_the_cookie(text):
    """Any text comes back from the cookie, as far as it is shown."""
    found = read_said(said_cookie(text))
    assert found.rstrip("…") == text[: len(found.rstrip("…"))]
    assert len(found) <= 400


@pytest.mark.parametrize("value", ["%ff%fe", "%", "\x00", "%0d%0aSet-Cookie", "%e2%80%ae"])
def test_a_forged_message_is_harmless(value):
    """Whatever a cookie holds is one line without control characters."""
    assert not set(read_said(value)) & set("\r\n\x00\u202e")


def test_the_highest_bar_is_as_high_as_the_picture():
    """Bars are drawn to scale, and a single failure can still be seen."""
    found = bars([0, 1, 1000])
    assert found == "M3 24v-2h2.2v2zM6 24v-24h2.2v24z"
    assert bars([]) == bars([0, 0]) == ""
