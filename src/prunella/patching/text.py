"""A Python file as bytes: its encoding, its lines, and where the positions of `ast` lie in it."""

import ast
import re
import tokenize
import warnings
from io import BytesIO

from prunella.model.errors import SourceUnavailable

# Python's own line ends; `splitlines` also breaks at form feeds and Unicode separators.
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_TEXT_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_BOM = b"\xef\xbb\xbf"


class SourceText:
    """The bytes of a Python file with its tree; positions are those of `ast` (UTF-8 columns)."""

    def __init__(self, source: bytes) -> None:
        """Parse `source`; raises `SourceUnavailable` where Python itself couldn't."""
        try:
            encoding, _ = tokenize.detect_encoding(BytesIO(source).readline)
            self.tree = parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise SourceUnavailable(f"the file is no valid Python source: {error}") from error
        self.source = source
        self.encoding: str = "utf-8" if encoding == "utf-8-sig" else encoding
        self.lines: list[bytes] = _LINE.findall(source)
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line))

    def line_start(self, line: int) -> int:
        """Return the offset of the first byte of a line (from 1), behind a byte order mark."""
        return self._starts[line - 1] + (len(_BOM) if line == 1 and self._has_bom else 0)

    def line_end(self, line: int) -> int:
        """Return the offset behind the last byte of a line, its line break excluded."""
        return self._starts[line - 1] + len(self.lines[line - 1].rstrip(b"\r\n"))

    def next_line(self, line: int) -> int:
        """Return the offset behind a line's line break."""
        return self._starts[line]

    def offset(self, line: int, column: int) -> int:
        """Return the byte offset of a position: line from 1, column in UTF-8 bytes from 0."""
        start = self.line_start(line)
        if self.encoding == "utf-8":
            return start + column
        text = self.source[start : self._starts[line]].decode(self.encoding)
        return start + len(text.encode()[:column].decode().encode(self.encoding))

    def decode(self, start: int, end: int) -> str:
        """Return a range of bytes as text."""
        return self.source[start:end].decode(self.encoding)

    def segment(self, node: ast.expr | ast.stmt) -> str:
        """Return the exact text of a node."""
        return self.decode(*self.span(node))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return the byte offsets of a node's beginning and end."""
        end_line, end_column = end_of(node)
        return self.offset(node.lineno, node.col_offset), self.offset(end_line, end_column)

    def newline(self, line: int) -> str:
        """Return the line break in use at a line, or the file's first, or ``\\n``."""
        for candidate in (self.lines[line - 1], self.lines[0]):
            if ending := candidate[len(candidate.rstrip(b"\r\n")) :]:
                return ending.decode("ascii")
        return "\n"

    def logical_end(self, line: int) -> int:
        """Return the last line of the logical line whose last code stands on `line`.

        A backslash before the line break joins the next line to it.
        """
        while line < len(self.lines) and self.lines[line - 1].rstrip(b"\r\n").endswith(b"\\"):
            line += 1
        return line

    @property
    def _has_bom(self) -> bool:
        return self.source.startswith(_BOM)


def end_of(node: ast.expr | ast.stmt) -> tuple[int, int]:
    """Return the end position of a parsed node."""
    if node.end_lineno is None or node.end_col_offset is None:
        raise SourceUnavailable("a node without an end position didn't come from source text")
    return node.end_lineno, node.end_col_offset


def parse(source: bytes | str) -> ast.Module:
    """`ast.parse` without the warnings that somebody else's code may cause."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def compiles(source: bytes | str) -> str | None:
    """Return why `source` doesn't compile, or ``None`` when it does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(source, "<patch>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return str(error)
    return None


def split_lines(text: str) -> list[str]:
    """Split at ``\\r\\n``, ``\\r`` and ``\\n`` only, line breaks kept."""
    return _TEXT_LINE.findall(text)


def to_newlines(text: str, newline: str) -> str:
    """Return `text` with every line break written as `newline`."""
    return re.sub(r"\r\n|\r|\n", newline, text)
