"""Patterns: they find what `re` finds, in a time that no text and no pattern can run away with."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunella.fixes.patterns import MAX_WORK, Pattern, TooMuch

_ATOMS = ["a", "b", "[ab]", "[^a]", ".", r"\d", r"\w", r"\S", "(?:ab)", "(a|b)", "(ab|a)"]


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """Return patterns of a few atoms with repetitions, anchored or not."""
    parts = draw(
        st.lists(
            st.tuples(st.sampled_from(_ATOMS), st.sampled_from(["", "*", "+", "?", "{2}", "{1,2}", "{1,}"])),
            max_size=4,
        )
    )  # fmt: skip
    body = "".join(atom + counts for atom, counts in parts)
    return f"{draw(st.sampled_from(['', '^']))}{body}{draw(st.sampled_from(['', '$']))}"


@given(patterns(), st.text("ab1 -", max_size=8))
def test_finds_what_re_finds(pattern: str, text: str) -> None:
    """Within the language both agree; ours has no $ before a last newline."""
    assert Pattern(pattern).matches(text) == bool(re.search(pattern, text))


@pytest.mark.parametrize(
    "pattern",
    ["(a)\\1", "a**", "a+?", "a*+", "(?=a)", "(?P<n>a)", "(a", "a)", "[b-a]", "[a", "a{2,1}",
     "a{99999}", "*a", "\\q", "a{,3}", "^a|b$", "a|b$", "x" * 501, "((a{50}){50}){50}", "a\\"],
)  # fmt: skip
def test_refuses_what_needs_backtracking_or_is_none(pattern: str) -> None:
    """With the reason; nothing else than `ValueError` comes out."""
    with pytest.raises(ValueError, match=r"\w"):
        Pattern(pattern).matches("a")


@given(st.text(max_size=20))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    """Reading a pattern ends in a pattern or in `ValueError`, never in another error."""
    try:
        Pattern(text).matches("abc")
    except ValueError:
        return


@pytest.mark.parametrize("pattern", ["^(a|a)*b$", "(a*)*c", "^(a+)+$", "a*a*a*a*a*b"])
def test_what_explodes_elsewhere_ends(pattern: str) -> None:
    """Patterns that take `re` for ever on such a text are over in so many steps."""
    found = Pattern(pattern)
    text = "a" * 20_000 + "!"
    assert not found.matches(text)
    assert len(found._moves) < 100


def test_what_takes_too_long_is_given_up() -> None:
    """A pattern and a text that share nothing to remember end by `TooMuch`."""
    found = Pattern("(.{0,30}x){30}y")
    with pytest.raises(TooMuch):
        found.matches("".join(map(chr, range(256, 256 + MAX_WORK // 10))) + "x")
