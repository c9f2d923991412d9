"""Untrusted text in Markdown: it can't end its fence, mention people, or become markup."""

import re
from collections.abc import Iterable, Sequence

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~@&])")
#: What makes a heading, a list or a rule at the beginning of a line only.
_LEADING = re.compile(r"^([#+=/-]|\d+(?=[.)]))")
#: What code hosts act on whatever stands before it, escaped or not: mentions, references to issues
#: (``#1``, ``!1``, ``GH-1``), addresses. What follows the sign is kept from it by a character of no width.
_CALLS = re.compile(r"[@#!$%~&^](?=[\w\"])|\bGH(?=-\d)|:(?=//)|\bwww(?=\.)", re.IGNORECASE)
_NO_WIDTH = "\u200b"
#: Longest text in one fence, in characters: hosts refuse texts beyond their limit altogether.
_FENCED_CHARS = 14_000
_BACKTICKS = re.compile(r"`+")


def fenced(text: str, language: str = "") -> str:
    """Return `text` as a code block whose fence is longer than any run of backticks inside."""
    clean = _visible(text).rstrip("\n")
    if len(clean) > _FENCED_CHARS:
        clean = f"{clean[:_FENCED_CHARS]}\n[{len(clean) - _FENCED_CHARS:,} more characters]"
    longest = max((len(run) for run in _BACKTICKS.findall(clean)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{clean}\n{fence}"


def code(text: str) -> str:
    """Return one line of `text` as inline code."""
    clean = " ".join(_visible(text).split()) or " "
    longest = max((len(run) for run in _BACKTICKS.findall(clean)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if "`" in clean else ""
    return f"{fence}{pad}{clean}{pad}{fence}"


def quiet(text: str) -> str:
    """Return `text` in which code hosts see nobody mentioned, no issue referred to and no address."""
    return _CALLS.sub(lambda match: match[0] + _NO_WIDTH, text)


def plain(text: str) -> str:
    """Return `text` with every character that Markdown gives a meaning to escaped, and `quiet`."""
    escaped = _MARKUP.sub(r"\\\1", quiet(" ".join(_visible(text).split())))
    return _LEADING.sub(_escape_leading, escaped)


def prose(text: str) -> str:
    """As `plain`, but what stands between single backticks stays inline code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # an odd backtick: nothing to pair it with
        return plain(text)
    return "".join(
        (code(part) if index % 2 else _keep_edges(part)) for index, part in enumerate(parts)
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _escape_leading(match: re.Match[str]) -> str:
    mark = match[0]
    # A number before a dot is a list item: the dot is what has to lose its meaning.
    return f"{mark}\\" if mark.isdigit() else f"\\{mark}"


def _keep_edges(part: str) -> str:
    lead = " " if part[:1].isspace() else ""
    tail = " " if part[-1:].isspace() and part.strip() else ""
    return f"{lead}{plain(part)}{tail}"


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|").replace("\\\\|", "\\|")


def _visible(text: str) -> str:
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text.replace("\r\n", "\n"))
