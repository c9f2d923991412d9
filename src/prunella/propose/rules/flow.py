"""Data flow inside one function: where the value of a name comes from."""

import ast
from collections.abc import Iterator

from prunella.propose.rules.scene import Scene

Loop = ast.For | ast.AsyncFor | ast.While
_PURE = (
    "abs", "all", "any", "bool", "float", "frozenset", "int", "len", "list", "max", "min", "range",
    "round", "set", "sorted", "str", "sum", "tuple",
)  # fmt: skip
_PURE_METHODS = frozenset(
    [
        "casefold",
        "count",
        "endswith",
        "find",
        "get",
        "items",
        "keys",
        "lower",
        "lstrip",
        "partition",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "splitlines",
        "startswith",
        "strip",
        "upper",
        "values",
    ]
)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def own_nodes(root: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below `root` in the order of the text, not going into inner functions."""
    for child in ast.iter_child_nodes(root):
        yield child
        if not isinstance(child, _SCOPES):
            yield from own_nodes(child)


def bindings(scene: Scene, name: str) -> list[ast.stmt]:
    """Return the statements of the function that bind a variable, in the order of the text."""
    found: dict[ast.stmt, None] = {}
    for node in own_nodes(scene.node):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store):
            found[scene.statement(node)] = None
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and any(
            (item.asname or item.name) == name for item in node.names
        ):
            found[node] = None
    return list(found)


def last_value(scene: Scene, name: str, before: ast.AST) -> ast.expr | None:
    """Return the expression that `name` was last assigned before a node, in text order."""
    line = getattr(before, "lineno", 0)
    value: ast.expr | None = None
    for statement in bindings(scene, name):
        if statement.lineno < line and isinstance(statement, (ast.Assign, ast.AnnAssign)):
            value = statement.value
    return value


def is_plain_parameter(scene: Scene, name: str) -> bool:
    """The name is a parameter that the function never binds anew."""
    return name in scene.parameters and not bindings(scene, name)


def loops_around(scene: Scene, node: ast.AST) -> list[Loop]:
    """Return the loops that a node runs in, innermost first (a loop's own iterable isn't in it)."""
    found: list[Loop] = []
    below = node
    for item in scene.above(node):
        if isinstance(item, (ast.For, ast.AsyncFor, ast.While)) and (
            isinstance(item, ast.While) or below not in (item.iter, item.target)
        ):
            found.append(item)
        below = item
    return found


def tests_around(scene: Scene, node: ast.AST) -> list[ast.expr]:
    """Return the conditions that decide whether a node runs, the one it stands in first."""
    found: list[ast.expr] = []
    for item in (node, *scene.above(node)):
        if isinstance(item, (ast.If, ast.While, ast.IfExp)):
            found.append(item.test)
        elif isinstance(item, ast.comprehension):
            found += item.ifs
    return found


def test_with(scene: Scene, node: ast.AST) -> ast.expr | None:
    """Return the condition of an ``if``, ``elif``, ``while`` or ``x if y`` that holds a node."""
    below = node
    for item in scene.above(node):
        if isinstance(item, (ast.If, ast.While, ast.IfExp)):
            return item.test if below is item.test else None
        if isinstance(item, ast.stmt):
            return None
        below = item
    return None


def names_in(node: ast.AST) -> set[str]:
    """Return the names that an expression reads."""
    return {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}


def is_repeatable(node: ast.AST) -> bool:
    """Evaluating an expression once more changes nothing, as far as its text tells."""
    for item in ast.walk(node):
        if isinstance(item, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)):
            return False
        if isinstance(item, ast.Call):
            method = item.func.attr if isinstance(item.func, ast.Attribute) else ""
            if method not in _PURE_METHODS and not calls_to(item, *_PURE):
                return False
    return True


def returns(scene: Scene) -> list[ast.Return]:
    """Return the function's own return statements."""
    return [node for node in own_nodes(scene.node) if isinstance(node, ast.Return)]


def is_generator(scene: Scene) -> bool:
    """The function yields."""
    return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in own_nodes(scene.node))


def block_of(scene: Scene, statement: ast.stmt) -> list[ast.stmt]:
    """Return the list of statements that a statement stands in."""
    parent = scene.parents[statement]
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and statement in block:
            return block
    return [statement]


def calls_to(node: ast.AST | None, *names: str) -> bool:
    """The node is a call of one of the named functions, by plain name."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
