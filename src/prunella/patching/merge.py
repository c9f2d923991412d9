"""Two edits of the same text, put together where they don't touch."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from prunella.patching.text import split_lines

#: Lines ``[start, end)`` of the base, and what stands there instead.
_Edit = tuple[int, int, list[str]]


def merged(base: str, ours: str, theirs: str) -> str | None:
    """Return `base` with the edits of both, or ``None`` where they touch the same or adjoining lines."""
    old = split_lines(base)
    mine, other = _edits(old, split_lines(ours)), _edits(old, split_lines(theirs))
    mine = [edit for edit in mine if edit not in other]  # both did the same
    for start, end, _ in mine:
        if any(start <= their_end and their_start <= end for their_start, their_end, _ in other):
            return None
    result = list(old)
    for start, end, lines in sorted([*mine, *other], reverse=True):
        result[start:end] = lines
    return "".join(result)


def _edits(old: Sequence[str], new: list[str]) -> list[_Edit]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        (start, end, new[first:last])
        for tag, start, end, first, last in matcher.get_opcodes()
        if tag != "equal"
    ]
