"""A short text of a tree, for people."""

from collections.abc import Callable

from prunella.codec.parts import unwrapped
from prunella.codec.reading import dotted
from prunella.model.tree import Tree


def render(tree: Tree, *, max_chars: int = 200) -> str:
    """Return a short text of the value, like `repr` where there is one; at most `max_chars` long."""
    writer = _Writer(max_chars)
    writer.write(tree, 0)
    text = "".join(writer.parts)
    return text if len(text) <= max_chars else f"{text[: max(0, max_chars - 1)]}…"


_MAX_DEPTH = 20
_BRACKETS = {"l": ("[", "]"), "s": ("{", "}"), "fs": ("frozenset({", "})"), "t": ("(", ")")}
_EMPTY = {"s": "set()", "fs": "frozenset()"}
_MAPPINGS = {"d": "", "od": "OrderedDict(", "ct": "Counter(", "dd": "defaultdict("}


class _Writer:
    """Writes until there is more text than asked for."""

    def __init__(self, max_chars: int) -> None:
        self.parts: list[str] = []
        self.left = max_chars + 1

    def put(self, text: str) -> None:
        self.parts.append(text)
        self.left -= len(text)

    def write(self, tree: Tree, depth: int) -> None:
        node = unwrapped(tree)
        if self.left <= 0:
            return
        if depth > _MAX_DEPTH:
            self.put("…")
        elif type(node) is str:
            self.put(repr(node[: self.left]))
        elif type(node) is int:
            self.put(repr(node) if node.bit_length() < 4_000 else hex(node)[: self.left])
        elif type(node) is not list:
            self.put(repr(node))
        elif not node or type(node[0]) is not str:
            self.put("…")
        elif node[0] in _BRACKETS:
            self.sequence(node[0], node[1:], depth)
        elif node[0] in _MAPPINGS:
            start = 2 if node[0] == "dd" else 1
            self.put(_MAPPINGS[node[0]] + "{")
            self.pairs(node[start:], ": ", depth)
            self.put("})" if _MAPPINGS[node[0]] else "}")
        else:
            self.special(node, depth)

    def sequence(self, tag: str, items: list[Tree], depth: int) -> None:
        if not items and tag in _EMPTY:
            self.put(_EMPTY[tag])
            return
        start, end = _BRACKETS[tag]
        self.put(start)
        self.items(items, depth)
        self.put(",)" if tag == "t" and len(items) == 1 else end)

    def items(self, items: list[Tree], depth: int) -> None:
        for at, item in enumerate(items):
            if self.left <= 0:
                return
            if at:
                self.put(", ")
            self.write(item, depth + 1)

    def pairs(self, items: list[Tree], link: str, depth: int) -> None:
        for at in range(0, len(items) - 1, 2):
            if self.left <= 0:
                return
            if at:
                self.put(", ")
            name = items[at]
            if link == "=" and type(name) is str:
                self.put(name)
            else:
                self.write(name, depth + 1)
            self.put(link)
            self.write(items[at + 1], depth + 1)

    def special(self, node: list[Tree], depth: int) -> None:
        write = _SPECIAL.get(str(node[0]))
        try:
            self.put("…") if write is None else write(self, node, depth)
        except (IndexError, TypeError, ValueError):
            self.put("…")  # not as the grammar has it

    def called(self, name: str, arguments: list[Tree], depth: int) -> None:
        self.put(f"{name}(")
        self.items(arguments, depth)
        self.put(")")

    def instance(self, path: Tree, state: Tree, depth: int) -> None:
        self.put(f"{_short_class(path)}(")
        inner = unwrapped(state)
        if type(inner) is list and inner and inner[0] == "d":
            self.pairs(inner[1:], "=", depth)
        elif inner is not None:
            self.write(inner, depth + 1)
        self.put(")")


def _short_class(path: Tree) -> str:
    return str(path).rpartition(":")[2]


def _decoded(text: Tree, limit: int) -> bytes:
    from binascii import a2b_base64

    return a2b_base64(str(text)[: (limit // 3 + 1) * 4])


def _call(name: str, start: int = 1) -> "Callable[[_Writer, list[Tree], int], None]":
    return lambda writer, node, depth: writer.called(name, node[start:], depth)


def _subclass(writer: _Writer, node: list[Tree], depth: int) -> None:
    writer.put(f"{_short_class(node[1])}(")
    writer.write(node[2], depth + 1)
    writer.put(")")


def _exception(writer: _Writer, node: list[Tree], depth: int) -> None:
    arguments = unwrapped(node[2])
    writer.called(_short_class(node[1]), arguments[1:] if type(arguments) is list else [], depth)


def _method(writer: _Writer, node: list[Tree], _: int) -> None:
    function = node[2]
    writer.put(f"<bound {dotted(str(function[1]))}>" if type(function) is list else "…")


def _buffer_name(content: Tree) -> str:
    return "StringIO" if type(content) is str else "BytesIO"


def _cut(writer: _Writer, node: list[Tree], depth: int) -> None:
    writer.write(node[2], depth)
    writer.put(f"… ({node[1]} in all)")


def _array(writer: _Writer, node: list[Tree], depth: int) -> None:
    writer.put("array(")
    writer.write(node[2], depth)
    writer.put(f", dtype={node[1]})")


def _table(writer: _Writer, node: list[Tree], depth: int) -> None:
    writer.put(f"{node[1]}(")
    writer.write(node[3], depth)
    writer.put(")")


def _masked(writer: _Writer, node: list[Tree], depth: int) -> None:
    writer.put(f"array({node[1]}, ")
    writer.write(node[2], depth)
    writer.put(")")


_SPECIAL: "dict[str, Callable[[_Writer, list[Tree], int], None]]" = {
    "f": lambda writer, node, _: writer.put(str(node[1])),
    "i": lambda writer, node, _: writer.put(str(node[1])[: writer.left]),
    "c": _call("complex"),
    "b": lambda writer, node, _: writer.put(repr(_decoded(node[1], writer.left))),
    "ba": lambda writer, node, _: writer.put(f"bytearray({_decoded(node[1], writer.left)!r})"),
    "dec": _call("Decimal"),
    "frac": _call("Fraction"),
    "dt": lambda writer, node, _: writer.put(
        f"datetime({str(node[1]).replace('T', ' ')}{_zone(node[2])})"
    ),
    "date": lambda writer, node, _: writer.put(f"date({node[1]})"),
    "time": lambda writer, node, _: writer.put(f"time({node[1]}{_zone(node[2])})"),
    "td": lambda writer, node, _: writer.put(
        f"timedelta(days={node[1]}, seconds={node[2]}, microseconds={node[3]})"
    ),
    "tz": lambda writer, node, _: writer.put(f"timezone({_zone(node).strip()})"),
    "zi": _call("ZoneInfo"),
    "uuid": _call("UUID"),
    "path": lambda writer, node, _: writer.called(str(node[1]), node[2:3], 0),
    "enum": lambda writer, node, _: writer.put(f"{_short_class(node[1])}.{node[2]}"),
    "flag": lambda writer, node, _: writer.put(f"{_short_class(node[1])}({node[2]})"),
    "range": _call("range"),
    "slice": _call("slice"),
    "re": lambda writer, node, depth: writer.called("re.compile", node[1:2], depth),
    "dq": lambda writer, node, depth: writer.called("deque", [["l", *node[2:]]], depth),
    "mp": _call("mappingproxy"),
    "arr": lambda writer, node, _: writer.put(f"array({node[1]!r}, …)"),
    "nt": lambda writer, node, depth: writer.instance(node[1], node[2], depth),
    "sub": _subclass,
    "o": lambda writer, node, depth: writer.instance(node[1], node[2], depth),
    "x": _exception,
    "partial": _call("partial"),
    "log": _call("getLogger"),
    "lock": lambda writer, node, _: writer.put(f"{node[1]}()"),
    "io": lambda writer, node, depth: writer.called(_buffer_name(node[1]), node[1:2], depth),
    "fn": lambda writer, node, _: writer.put(dotted(str(node[1]))),
    "bm": _method,
    "np": _array,
    "nps": lambda writer, node, _: writer.put(f"numpy {node[1]}"),
    "pd": _table,
    "pa": lambda writer, node, depth: writer.write(node[2], depth),
    "pm": _masked,
    "pc": lambda writer, node, depth: writer.called("Categorical", node[1:3], depth),
    "pt": lambda writer, node, depth: writer.write(node[1], depth),
    "pi": lambda writer, node, depth: writer.called(str(node[1]), node[3:4], depth),
    "ps": lambda writer, node, depth: writer.called("Timestamp", node[1:2], depth),
    "pl": lambda writer, node, depth: writer.called("Timedelta", node[1:2], depth),
    "pp": lambda writer, node, depth: writer.called(f"Period[{node[1]}]", node[2:3], depth),
    "pq": lambda writer, node, depth: writer.called(f"Period[{node[1]}]", node[2:3], depth),
    "pv": lambda writer, node, depth: writer.called("Interval", node[1:3], depth),
    "pw": lambda writer, node, depth: writer.called("Interval", node[1:3], depth),
    "pz": lambda writer, node, depth: writer.called("Sparse", node[1:2], depth),
    "pytz": lambda writer, node, depth: writer.called("timezone", node[1:2], depth),
    "?": lambda writer, node, _: writer.put(f"<{dotted(str(node[1]))}: {node[2]}>"),
    "cut": _cut,
    "redacted": lambda writer, node, _: writer.put(f"<redacted {node[1]}>"),
    "*": lambda writer, _, __: writer.put("…"),
}


def _zone(node: Tree) -> str:
    if type(node) is not list:
        return ""
    if node[0] in ("zi", "pytz"):
        return f" {node[1]}"
    if node[0] == "tz" and type(node[1]) is int:
        minutes = node[1] // 60_000_000
        return " UTC" if not minutes else f" UTC{minutes // 60:+03d}:{minutes % 60:02d}"
    return " …"
