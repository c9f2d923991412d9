"""Untrusted text in Markdown: it can't end its fence, mention people, or become markup."""

import re
from collections.abc import Iterable, Sequence

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~@&])")
#: What makes a heading, a list or a rule at the beginning of a line only.
_LEADING = re.compile(r"^([#+=-]|\d+(?=[.)]))")
_BACKTICKS = re.compile(r"`+")


def fenced(text: str, language: str = "") -> str:
    """Return `text` as a code block whose fence is longer than any run of backticks inside."""
    clean = _visible(text).rstrip("\n")
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


def plain(text: str) -> str:
    """Return `text` with every character that Markdown gives a meaning to escaped."""
    escaped = _MARKUP.sub(r"\\\1", " ".join(_visible(text).split()))
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
