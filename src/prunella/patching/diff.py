"""Unified diffs over bytes, as `git apply` reads them."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_CONTEXT = 3


def unified_diff(path: str, before: bytes | None, after: bytes) -> str:
    r"""Return the diff from `before` (``None``: the file is new) to `after`, ``""`` if equal.

    Lines end at ``\n`` alone, as git sees them, so that a ``\r`` is part of its line. Bytes that
    are no UTF-8 come out as lone surrogates: write the diff with ``errors="surrogateescape"``.
    """
    if before == after:
        return ""
    old, new = _lines(before or b""), _lines(after)
    name_a, name_b = ("/dev/null" if before is None else _quoted("a/" + path)), _quoted("b/" + path)
    return "".join([f"--- {name_a}\n", f"+++ {name_b}\n", *_hunks(old, new)])


def _lines(content: bytes) -> list[str]:
    text = content.decode("utf-8", "surrogateescape")
    parts = text.split("\n")
    lines = [part + "\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _hunks(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    # Comparing only what lies between the common ends keeps large files cheap.
    skip = 0
    while skip < min(len(old), len(new)) and old[skip] == new[skip]:
        skip += 1
    tail = 0
    while tail < min(len(old), len(new)) - skip and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    skip, tail = max(0, skip - _CONTEXT), max(0, tail - _CONTEXT)
    old, new = old[skip : len(old) - tail], new[skip : len(new) - tail]
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        first, last = group[0], group[-1]
        yield f"@@ -{_range(skip + first[1], skip + last[2])}"
        yield f" +{_range(skip + first[3], skip + last[4])} @@\n"
        for tag, old_start, old_end, new_start, new_end in group:
            if tag == "equal":
                yield from (_line(" ", item) for item in old[old_start:old_end])
            else:
                yield from (_line("-", item) for item in old[old_start:old_end])
                yield from (_line("+", item) for item in new[new_start:new_end])


def _range(start: int, end: int) -> str:
    length = end - start
    return f"{start + 1 if length else start},{length}"


def _line(sign: str, line: str) -> str:
    return sign + line if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"


def _quoted(name: str) -> str:
    """Return a file name as git writes it: in C quotes where it holds unusual characters."""
    raw = name.encode("utf-8", "surrogateescape")
    if all(32 <= byte < 127 and byte not in b'"\\' for byte in raw):
        return name + "\t" if " " in name else name
    return '"' + "".join(_escaped(byte) for byte in raw) + '"'


def _escaped(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
