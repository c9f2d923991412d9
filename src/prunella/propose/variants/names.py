"""Variants of names: another variable, attribute or function, and arguments in another order."""

import ast
from collections.abc import Iterator, Sequence
from itertools import combinations

from prunella.propose.rules.edits import replacing
from prunella.propose.variants.ground import Change, Ground

#: Functions and methods that are written for one another.
_PAIRS = (
    ("any", "all"), ("min", "max"), ("sorted", "reversed"), ("int", "float"), ("list", "set"),
    ("append", "extend"), ("append", "appendleft"), ("pop", "popleft"), ("add", "update"),
    ("startswith", "endswith"), ("find", "rfind"), ("index", "rindex"), ("split", "rsplit"),
    ("lstrip", "rstrip"), ("strip", "rstrip"), ("strip", "lstrip"), ("lower", "upper"),
    ("floor", "ceil"), ("keys", "values"), ("keys", "items"), ("values", "items"),
    ("union", "intersection"), ("match", "search"), ("match", "fullmatch"), ("first", "last"),
    ("isdigit", "isalpha"), ("encode", "decode"), ("partition", "rpartition"), ("sum", "len"),
)  # fmt: skip
_OTHERS: dict[str, list[str]] = {}
for _one, _other in _PAIRS:
    _OTHERS.setdefault(_one, []).append(_other)
    _OTHERS.setdefault(_other, []).append(_one)
_MAX_NAMES = 14


def propose(ground: Ground) -> Iterator[Change]:
    """Yield other names in each place, and arguments and indexes in other orders."""
    attributes = _attributes(ground)
    for node in ground.expressions:
        if isinstance(node, ast.Name):
            yield from _name(ground, node)
        elif isinstance(node, ast.Attribute):
            yield from _attribute(ground, node, attributes)
        elif isinstance(node, ast.Call):
            yield from _swapped(ground, "arguments.swap", node, node.args)
        elif isinstance(node, ast.Tuple):
            in_index = isinstance(ground.parent(node), ast.Subscript)
            yield from _swapped(ground, "index.swap" if in_index else "items.swap", node, node.elts)
    for item in ground.nodes:
        if isinstance(item, ast.Subscript) and isinstance(item.ctx, ast.Store):
            yield from _target(ground, item)


def _name(ground: Ground, node: ast.Name) -> Iterator[Change]:
    parent = ground.parent(node)
    for other in _OTHERS.get(node.id, ()):
        yield ground.change("name.counterpart", node, other)
    if node.id not in ground.names:
        if isinstance(parent, ast.Call) and parent.func is node:
            return
        if node.id not in _OTHERS:
            return
    kind = ground.kinds.get(node.id)
    for other in ground.names[:_MAX_NAMES]:
        if other != node.id:
            same = kind is not None and ground.kinds.get(other) == kind
            yield ground.change("name.variable", node, other, weight=1.5 if same else 1.0)


def _attributes(ground: Ground) -> Sequence[str]:
    """Return the attributes that the file uses on anything, those of the function first."""
    found: dict[str, None] = {}
    for root in (ground.node, ground.scene.text.tree):
        for item in ast.walk(root):
            if isinstance(item, ast.Attribute):
                found[item.attr] = None
    return tuple(found)


def _attribute(ground: Ground, node: ast.Attribute, known: Sequence[str]) -> Iterator[Change]:
    base = ground.text(node.value)
    called = isinstance(parent := ground.parent(node), ast.Call) and parent.func is node
    pairs = _OTHERS.get(node.attr, []) if called else []
    for other in pairs:
        yield ground.change("attribute.counterpart", node, f"{base}.{other}")
    near = [item for item in known if item != node.attr and item not in pairs][:_MAX_NAMES]
    for other in near:
        alike = _alike(node.attr, other)
        if alike or not called:
            rule = "attribute.alike" if alike else "attribute.other"
            yield ground.change(rule, node, f"{base}.{other}")


def _alike(one: str, other: str) -> bool:
    """Two names share a word: ``incoming_nodes`` and ``outgoing_nodes``."""
    words = set(one.lower().split("_")) & set(other.lower().split("_"))
    return any(len(word) > 2 for word in words)


def _swapped(
    ground: Ground, rule: str, node: ast.expr, items: Sequence[ast.expr]
) -> Iterator[Change]:
    if any(isinstance(item, ast.Starred) for item in items) or len(items) > 5:
        return
    for one, other in combinations(items, 2):
        first, second = ground.text(one), ground.text(other)
        if first != second:
            edits = (
                replacing(ground.scene, one, second),
                replacing(ground.scene, other, first),
            )
            said = f"Swap `{first}` and `{second}` in `{ground.text(node)}`"
            yield ground.edited(rule, node, edits, said)


def _target(ground: Ground, node: ast.Subscript) -> Iterator[Change]:
    """Yield other places to store an item in: another container, another key."""
    key = ground.text(node.slice)
    bases = dict.fromkeys(
        ground.text(item.value)
        for item in ground.nodes
        if isinstance(item, ast.Subscript) and isinstance(item.value, (ast.Name, ast.Attribute))
    )
    keys = dict.fromkeys(
        ground.text(item.slice) for item in ground.nodes if isinstance(item, ast.Subscript)
    )
    base = ground.text(node.value)
    for other in [*bases, *ground.names[:_MAX_NAMES]]:
        for index in [key, *keys, *ground.names[:_MAX_NAMES]]:
            if (other, index) != (base, key) and (other == base or other in bases or index == key):
                yield ground.change("target.item", node, f"{other}[{index}]")
