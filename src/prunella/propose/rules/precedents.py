"""What the rest of the file does in the same position: siblings' answers, defaults, first values."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from prunella.patching.locate import FunctionNode, functions
from prunella.propose.rules.flow import calls_to, own_nodes
from prunella.propose.rules.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedent:
    """A literal that another function of the file uses."""

    #: Its exact source.
    text: str
    #: Qualified name of the other function.
    function: str
    #: The condition that leads to it, ``""`` where there is none.
    condition: str = ""


def siblings(scene: Scene) -> Iterator[tuple[str, FunctionNode]]:
    """Yield the other functions of the file with their qualified names."""
    for name, node in functions(scene.text.tree):
        if name != scene.span.qualname and not name.startswith(f"{scene.span.qualname}."):
            yield name, node


def early_answers(scene: Scene) -> list[Precedent]:
    """Return the literals that siblings return under a condition."""
    found = []
    for name, node in siblings(scene):
        for item in own_nodes(node):
            if not isinstance(item, ast.If):
                continue
            for statement in item.body:
                if isinstance(statement, ast.Return) and literal_kind(statement.value):
                    text = "" if statement.value is None else scene.segment(statement.value)
                    condition = scene.segment(item.test)
                    found.append(Precedent(text=text, function=name, condition=condition))
    return found


def default_of_lookup(scene: Scene, base: str, key: str) -> Precedent | None:
    """Return the default of a sibling's ``base.get(key, default)``."""
    for name, node in siblings(scene):
        for item in own_nodes(node):
            if (
                isinstance(item, ast.Call)
                and isinstance(item.func, ast.Attribute)
                and item.func.attr == "get"
                and len(item.args) == 2
                and literal_kind(item.args[1])
                and _last(scene.segment(item.func.value)) == _last(base)
                and scene.segment(item.args[0]) == key
            ):
                return Precedent(text=scene.segment(item.args[1]), function=name)
    return None


def default_of_call(scene: Scene, *names: str) -> Precedent | None:
    """Return the default that a sibling gives to one of the built-in functions `names`."""
    for name, node in siblings(scene):
        for item in own_nodes(node):
            if not isinstance(item, ast.Call) or not calls_to(item, *names):
                continue
            given = [keyword.value for keyword in item.keywords if keyword.arg == "default"]
            if calls_to(item, "next") and len(item.args) == 2:
                given = [item.args[1]]
            if given and literal_kind(given[0]):
                return Precedent(text=scene.segment(given[0]), function=name)
    return None


def first_value(scene: Scene, variable: str) -> Precedent | None:
    """Return the literal that a sibling gives to a variable of the same name before all else."""
    for name, node in siblings(scene):
        for statement in node.body:
            if isinstance(statement, ast.Assign) and literal_kind(statement.value):
                targets = [item.id for item in statement.targets if isinstance(item, ast.Name)]
                if variable in targets:
                    return Precedent(text=scene.segment(statement.value), function=name)
    return None


def other_encodings(scene: Scene) -> list[Precedent]:
    """Return the encodings, as source, that siblings decode with."""
    found = []
    for name, node in siblings(scene):
        for item in own_nodes(node):
            if not isinstance(item, ast.Call) or not isinstance(item.func, ast.Attribute):
                continue
            if item.func.attr != "decode" or not item.args:
                continue
            value = getattr(item.args[0], "value", None)
            if isinstance(value, str) and value.lower().replace("_", "-") not in ("utf-8", "utf8"):
                found.append(Precedent(text=scene.segment(item.args[0]), function=name))
    return found


def literal_kind(node: ast.expr | None) -> str | None:
    """Return the kind of an expression that is a literal without parts, else ``None``."""
    if node is None:
        return "NoneType"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    if isinstance(node, ast.Constant):
        return type(node.value).__name__
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)) and not node.elts:
        return type(node).__name__.lower()
    if isinstance(node, ast.Dict) and not node.keys:
        return "dict"
    is_number = isinstance(node, ast.Call) and calls_to(node, "Decimal", "Fraction")
    if is_number and isinstance(node, ast.Call) and len(node.args) == 1:
        inner = literal_kind(node.args[0])
        return ast.unparse(node.func) if inner in ("int", "str") else None
    return None


def _last(text: str) -> str:
    return text.rpartition(".")[2]
