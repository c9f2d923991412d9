"""Redacting what is encoded already: before it leaves for a model, a report or another store."""

from binascii import a2b_base64, b2a_base64

from prunella.codec.names import UNCLEAN, WEAK
from prunella.codec.parts import unwrapped
from prunella.codec.reading import type_name
from prunella.codec.redact import Redactor
from prunella.codec.redacted import length_class
from prunella.model.tree import Tree

_MAX_DEPTH = 350
#: Nodes whose keys or fields are names, and where the first of these stands.
_NAMED = {"d": 1, "od": 1, "ct": 1, "dd": 2}
_SEQUENCES = frozenset({"l", "t"})
#: Tags whose first argument is no text of the program: a class, a number, a moment.
_PATHS = frozenset(
    {
        "o",
        "x",
        "sub",
        "nt",
        "path",
        "?",
        "np",
        "nps",
        "redacted",
        "arr",
        "pd",
        "pi",
        "pa",
        "pm",
        "pp",
        "pq",
    }
)
_UNTOUCHED = frozenset(
    {
        "f",
        "i",
        "dec",
        "dt",
        "date",
        "time",
        "tz",
        "zi",
        "pytz",
        "uuid",
        "enum",
        "flag",
        "fn",
        "log",
        "lock",
        "redacted",
    }
)


def redact_tree(tree: Tree, redactor: Redactor) -> Tree:
    """Return `tree` without what `redactor` finds secret by name or by look.

    For trees that were recorded with other rules, or with none. Parts nested deeper than any
    encoder writes become ``…``.
    """
    try:
        return _Pass(redactor).of(tree, 0)
    except RecursionError:
        return ["?", "builtins:object", "too deep"]


class _Pass:
    def __init__(self, redactor: Redactor) -> None:
        self.redactor = redactor

    def of(self, node: Tree, depth: int) -> Tree:
        if type(node) is str:
            return self.text(node)
        if type(node) is not list or not node:
            return node
        if depth > _MAX_DEPTH:
            return "…"
        tag = node[0] if type(node[0]) is str else ""
        if tag in _UNTOUCHED:
            return node
        if tag in _NAMED:
            return self.pairs(node, _NAMED[tag], depth)
        if tag in ("b", "ba") and len(node) == 2:
            return self.binary(tag, node[1])
        if tag in _SEQUENCES and len(node) == 3 and self.is_secret_field(node[1], node[2]):
            return [tag, self.of(node[1], depth + 1), self.hidden(node[2])]
        start = 2 if tag in _PATHS else 1
        out = node[:start]
        for item in node[start:]:
            is_value = (
                tag in _SEQUENCES and len(out) > 1 and self.is_option(node[len(out) - 1], item)
            )
            out.append(self.hidden(item) if is_value else self.of(item, depth + 1))
        return out

    def is_option(self, option: Tree, value: Tree) -> bool:
        """Tell whether ``--option value`` in a command line is a secret."""
        if type(option) is not str or option[:1] != "-":
            return False
        return type(value) is str and value[:1] != "-" and self.secrecy(option) != 0

    def text(self, value: str) -> Tree:
        clean = self.redactor.text(value)
        if clean is value:
            return value
        if self.redactor.is_all_secret(clean):
            return ["redacted", "str", length_class(len(value))]
        return clean

    def binary(self, tag: str, content: Tree) -> Tree:
        try:
            data = a2b_base64(content if type(content) is str else "")
        except ValueError:
            return ["?", "builtins:bytes", "malformed"]
        text = data.decode("latin-1")
        clean = self.redactor.text(text)
        if clean is text:
            return [tag, content]
        return [tag, b2a_base64(clean.encode("latin-1"), newline=False).decode("ascii")]

    def pairs(self, node: list[Tree], start: int, depth: int) -> Tree:
        out = (
            [node[0]]
            if start == 1
            else [node[0], self.of(node[1] if node[1:] else None, depth + 1)]
        )
        for at in range(start, len(node) - 1, 2):
            key, value = node[at], node[at + 1]
            out.append(self.of(key, depth + 1))
            secrecy = self.secrecy(key)
            harmless = value is None or type(value) is bool
            if secrecy == 0 or harmless or (secrecy == WEAK and type(value) in (int, float)):
                out.append(self.of(value, depth + 1))
            else:
                out.append(self.hidden(value))
        return out

    def secrecy(self, key: Tree) -> int:
        if type(key) is list and len(key) == 3 and key[0] == "t" and type(key[2]) is int:
            key = key[1]  # of several columns of one label
        if type(key) is list and len(key) == 2 and key[0] == "b":
            try:
                key = a2b_base64(str(key[1])).decode("latin-1")
            except ValueError:
                return 0
        secrecy = self.redactor.names[key] if type(key) is str else 0
        return 0 if secrecy == UNCLEAN else secrecy

    def is_secret_field(self, name: Tree, value: Tree) -> bool:
        return type_name(value) in ("str", "bytes") and self.secrecy(name) != 0

    def hidden(self, value: Tree) -> Tree:
        inner = unwrapped(value)
        if type(inner) is list and inner and inner[0] == "redacted":
            return inner
        size = length_class(len(inner)) if type(inner) is str else ""
        return ["redacted", type_name(inner), size]
