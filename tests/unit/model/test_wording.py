from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import AT
from prunella.model.wording import ago, block, one_line, plural, span


@given(st.text(max_size=400))
def test_one_line_is_printable_bounded_and_on_one_line(text):
    """Whatever a program recorded, what is printed of it is one line of visible characters."""
    shown = one_line(text, 80)
    assert len(shown) <= 80
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)
    shown.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain Zürich", "plain Zürich"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("lone \ud800", "lone \\ud800"),
        ("\x9b31m", "\\x9b31m"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
    ],
)
def test_what_could_steer_a_terminal_is_escaped(text, shown):
    """Control, bidirectional and invisible characters are shown as escapes, the rest as it is."""
    assert one_line(text) == shown


def test_a_block_keeps_its_lines_and_nothing_else_that_moves_the_cursor():
    """Line breaks and indentation of source survive; other control characters are escaped."""
    assert block("a\r\n\tb\x08\x1b[2J\n") == "a\n    b\\x08\\x1b[2J\n"


def test_what_is_too_long_ends_in_an_ellipsis():
    """Text is cut at the limit, and the cut is visible."""
    assert one_line("x" * 300, 10) == "xxxxxxxxx…"
    assert len(block("x" * 30_000)) == 20_000


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (89, "89 s"), (90, "1 min"), (5399, "89 min"), (5400, "1 h"), (200_000, "2 d")],
)
def test_a_span_has_one_unit(seconds, words):
    """A duration is told in the largest unit that leaves it a small number."""
    assert span(timedelta(seconds=seconds)) == words


def test_the_future_counts_as_now():
    """Clocks of two machines may differ: a moment ahead of ours is not a negative age."""
    assert ago(AT + timedelta(seconds=5), AT) == "0 s ago"


def test_numbers_agree_with_their_nouns():
    """One is singular; thousands have separators."""
    assert plural(1, "call") == "1 call"
    assert plural(1204, "call") == "1,204 calls"
    assert plural(0, "branch", "branches") == "0 branches"
