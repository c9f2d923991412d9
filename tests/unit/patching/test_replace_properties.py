"""Laws of `replace_function` over generated files."""

from hypothesis import given, settings
from hypothesis import strategies as st

from prunella.patching import SourceText, locate, replace_function, unified_diff

#: Statements that may stand around a function, with what is awkward to edit near.
FILLERS = (
    "X = 1",
    'S = """\nleft\n  text\n"""',
    "# import re",
    "T = 'é \u2028 \x1c'",
    "\x0c",
    "",
    "def other(a):\n\treturn a",
    "class C:\n    def f(self):\n        return 0",
    "L = [1,\n     2]",
    "try:\n    import json\nexcept ImportError:\n    json = None",
)
BODIES = (
    "    return x",
    "    # only a comment before\n    return x  # behind",
    '    """Doc.\n\n  odd\n    """\n    return x',
    "    if x:\n        return 1\n    return 2",
    "    def f(y):\n        return y\n    return f(x)",
)
NEW_BODIES = (
    "    return 'new'",
    '    t = """\na\n"""\n    return t',
    "    pass\n\n    return None",
)
ENCODINGS = (b"", b"\xef\xbb\xbf")


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    """Return what stands before a function, the function, and what stands behind."""
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    before = "".join(f"{item}\n" for item in draw(st.lists(st.sampled_from(FILLERS), max_size=4)))
    after = "".join(f"{item}\n" for item in draw(st.lists(st.sampled_from(FILLERS), max_size=4)))
    function = f"def f(x):\n{draw(st.sampled_from(BODIES))}"
    after = "" if not after and draw(st.booleans()) else "\n" + after
    mark = draw(st.sampled_from(ENCODINGS))
    parts = [text.replace("\n", newline).encode() for text in (before, function, after)]
    return mark + parts[0], parts[1], parts[2]


@settings(max_examples=150, deadline=None)
@given(files(), st.sampled_from(NEW_BODIES))
def test_everything_outside_the_function_is_unchanged(
    parts: tuple[bytes, bytes, bytes], body: str
) -> None:
    """The file afterwards is what stood before, the new function, and what stood behind."""
    before, function, behind = parts
    source = before + function + behind
    result = replace_function(source, "f", f"def f(x):\n{body}\n")
    start, end = result.span
    assert source[:start] == before
    assert source[end:] == behind
    assert result.after.startswith(before)
    assert result.after.endswith(behind)
    compile(result.after, "after", "exec")
    assert SourceText(result.after).decode(*_span(result.after)).startswith("def f(x):")


def _span(source: bytes) -> tuple[int, int]:
    span = locate(source, "f")
    return span.start, span.end


@settings(max_examples=100, deadline=None)
@given(files())
def test_putting_the_old_text_back_restores_the_file(parts: tuple[bytes, bytes, bytes]) -> None:
    """Editing and editing back is no edit."""
    source = b"".join(parts)
    old = locate(source, "f").text
    there = replace_function(source, "f", "def f(x):\n    return 'other'\n").after
    assert replace_function(there, "f", old).after == source


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["a\n", "b\r\n", "\n", "é\n", "c\rd\n", "e"]), max_size=12),
    st.lists(st.sampled_from(["a\n", "b\r\n", "\n", "é\n", "c\rd\n", "f"]), max_size=12),
)
def test_a_diff_leads_from_one_text_to_the_other(old: list[str], new: list[str]) -> None:
    """Applying the diff's hunks to the first text gives the second, byte by byte."""
    before, after = "".join(old).encode(), "".join(new).encode()
    diff = unified_diff("a.py", before, after)
    assert bool(diff) == (before != after)
    assert _applied(before, diff) == after


def _applied(before: bytes, diff: str) -> bytes:
    """Apply a unified diff strictly: a second reading of the format."""
    if not diff:
        return before
    lines = before.decode("utf-8", "surrogateescape").split("\n")
    old = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    out: list[str] = []
    at = 0
    body = diff.split("\n")[2:-1]
    for number, line in enumerate(body):
        if line.startswith("@@ "):
            start, length = (int(part) for part in line.split()[1][1:].split(","))
            begin = start - 1 if length else start
            out += old[at:begin]
            at = begin
            continue
        if line.startswith("\\"):
            continue
        bare = number + 1 < len(body) and body[number + 1].startswith("\\")
        text = line[1:] + ("" if bare else "\n")
        if line[0] in " -":
            assert old[at] == text
            at += 1
        if line[0] in " +":
            out.append(text)
    return "".join(out + old[at:]).encode("utf-8", "surrogateescape")
