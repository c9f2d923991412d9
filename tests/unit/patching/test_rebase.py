"""A patch carried over to a newer state of its file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunella.model.errors import PatchRefused, SourceUnavailable
from prunella.model.repair import Patch
from prunella.patching import rebase
from prunella.patching.merge import merged

BEFORE = b"import os\n\n\ndef f(x):\n    y = 1\n    z = 2\n    return y / x\n\n\ndef g():\n    return 0\n"
AFTER = BEFORE.replace(b"return y / x", b"return y / x if x else math.nan").replace(
    b"import os\n", b"import os\nimport math\n"
)
PATCH = Patch(path="a.py", qualname="f", before=BEFORE, after=AFTER, diff="")


def test_the_rest_of_the_file_is_that_of_the_newer_state() -> None:
    """Only the function and its imports are carried over."""
    newer = BEFORE.replace(b"return 0", b"return 1").replace(b"import os", b"import re")
    found = rebase(PATCH, newer)
    assert found.before == newer
    assert found.after == newer.replace(
        b"return y / x", b"return y / x if x else math.nan"
    ).replace(b"import re\n", b"import re\nimport math\n")
    assert "+import math" in found.diff


def test_edits_that_dont_touch_are_put_together() -> None:
    """A newer change of another line of the function stays."""
    found = rebase(PATCH, BEFORE.replace(b"y = 1", b"y = 10"))
    assert b"y = 10\n    z = 2\n    return y / x if x else math.nan" in found.after


@pytest.mark.parametrize(
    ("newer", "reason"),
    [
        (BEFORE.replace(b"return y / x", b"return y // x"), "conflict"),
        (AFTER, "no_change"),
    ],
)
def test_what_doesnt_fit_is_refused(newer: bytes, reason: str) -> None:
    """A change of the same lines, and the same edit, have no such patch."""
    with pytest.raises(PatchRefused) as caught:
        rebase(PATCH, newer)
    assert caught.value.reason == reason


def test_a_function_that_is_gone_is_refused() -> None:
    """Where the function isn't there any more, there is nothing to edit."""
    with pytest.raises(SourceUnavailable):
        rebase(PATCH, b"def g():\n    return 0\n")


def test_the_same_state_is_the_same_patch() -> None:
    """On its own base a patch stays as it is."""
    assert rebase(PATCH, BEFORE) is PATCH


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n"]), max_size=8).map("".join)


@given(LINES, LINES)
def test_merging_with_no_change_is_the_other_side(base: str, edited: str) -> None:
    """Where one side has changed nothing, the other side's text is the result."""
    assert merged(base, edited, base) == edited
    assert merged(base, base, edited) == edited
    assert merged(base, edited, edited) == edited


@given(LINES, LINES, LINES)
def test_merging_is_the_same_from_both_sides(base: str, ours: str, theirs: str) -> None:
    """Who merges with whom makes no difference."""
    assert merged(base, ours, theirs) == merged(base, theirs, ours)
