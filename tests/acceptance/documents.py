"""What the tests of the docs read: pages, code blocks, commands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted((*ROOT.glob("[A-Z]*.md"), *(ROOT / "docs").rglob("*.md")))
_BLOCK = re.compile(r"^( *)```(\w*)([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: its language, the rest of its first line, its text without indentation."""

    language: str
    info: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that the block is the content of."""
        match = re.search(r"file=(\S+)", self.info)
        return match[1] if match else None


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page in their order."""
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        indent, language, info, text = match.groups()
        lines = [line.removeprefix(indent) for line in text.splitlines(keepends=True)]
        yield Block(language=language, info=info, text="".join(lines))


def snippets(page: Path) -> Iterator[str]:
    """Yield everything on a page that is code: the lines of fenced blocks, and inline code."""
    text = page.read_text(encoding="utf-8")
    for block in blocks(page):
        yield from (line.removeprefix("$ ") for line in block.text.splitlines())
    yield from _INLINE.findall(_BLOCK.sub("", text))
