"""What the code around an edit says about the value that the edit brings in.

A repair that makes a function answer where it used to fail has to say what. Its docstring, its
annotation and its siblings often know; where they name another value than the edit does, or where
the edit fills a gap in a table of constants, it is most likely an invention.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from prunella.patching.locate import functions
from prunella.propose.rules.scene import Scene

#: Text of a value that stands for "nothing there" → how prose names it.
_NOTHING = {
    "None": ("None",),
    "0": ("0", "zero"),
    "0.0": ("0.0", "0", "zero"),
    "''": ("empty", "''", '""'),
    "[]": ("empty", "[]"),
    "{}": ("empty", "{}"),
    "()": ("empty", "()"),
    "set()": ("empty", "set()"),
    "False": ("False",),
    "-1": ("-1",),
}
#: Functions whose last argument is what they answer when there is nothing.
_DEFAULTING = frozenset({"max", "min", "next", "get", "pop", "getattr"})
_QUOTED = re.compile(r"``([^`]+)``|`([^`]+)`")
_WORD = re.compile(r"(?<![\w.])(?:None|zero|empty|False|-1|0(?:\.0)?)(?![\w%]|\.\d)")

_NAMED, _NAMED_OTHERWISE = 2.5, 0.25
_SIBLING, _SIBLING_OTHERWISE = 2.0, 0.6
_NOT_ANNOTATED, _ANNOTATED_NONE = 0.3, 1.5
_TABLE, _FACTOR = 0.3, 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedent:
    """How much the surroundings speak for an edit: above 1 for it, below 1 against it."""

    weight: float = 1.0
    #: The facts, as half-sentences.
    facts: tuple[str, ...] = ()

    def __and__(self, other: "Precedent") -> "Precedent":
        return Precedent(weight=self.weight * other.weight, facts=self.facts + other.facts)


def precedent(scene: Scene, new_text: str) -> Precedent:
    """Weigh the edit that makes `new_text` (the whole function) of the scene's function."""
    new = _function(new_text)
    if new is None:
        return Precedent()
    brought = _brought_in(scene.node, new)
    answers = [value for value in _answers(new) if value in brought]
    found = _invented(scene, new)
    for value in dict.fromkeys(brought):
        found &= _of_siblings(scene, new, value)
        if value in answers:
            found &= _of_docstring(scene, value) & _of_annotation(scene, value)
        elif value in _documented(scene.node):
            found &= Precedent(weight=1.5, facts=(f"the docstring speaks of {value}",))
    return found


def _function(text: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    try:
        module = ast.parse(f"if True:\n{text}" if text[:1] in " \t" else text)
    except (SyntaxError, ValueError):
        return None
    return next(
        (
            node
            for node in ast.walk(module)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        ),
        None,
    )


def _values(node: ast.AST) -> Iterator[str]:
    """Yield the texts of the values for "nothing" in a piece of code."""
    for item in ast.walk(node):
        if isinstance(item, ast.expr) and (text := ast.unparse(item)) in _NOTHING:
            yield text
        elif isinstance(item, ast.Return) and item.value is None:
            yield "None"


def _brought_in(old: ast.AST, new: ast.AST) -> Counter[str]:
    return Counter(_values(new)) - Counter(_values(old))


def _answers(function: ast.AST) -> Iterator[str]:
    """Yield the values for "nothing" that a function may return as they are."""
    for node in ast.walk(function):
        if isinstance(node, ast.Return):
            yield from ["None"] if node.value is None else _tails(node.value)


def _tails(node: ast.expr) -> Iterator[str]:
    text = ast.unparse(node)
    if text in _NOTHING:
        yield text
    elif isinstance(node, ast.IfExp):
        yield from _tails(node.body)
        yield from _tails(node.orelse)
    elif isinstance(node, ast.BoolOp):
        yield from _tails(node.values[-1])
    elif isinstance(node, ast.Call):
        if (default := _default(node)) is not None:
            yield from _tails(default)
        if _callee(node) == "round" and node.args:
            yield from _tails(node.args[0])


def _callee(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _default(call: ast.Call) -> ast.expr | None:
    """Return what a call answers when there is nothing: ``default=``, or the last argument."""
    if _callee(call) not in _DEFAULTING:
        return None
    named = [item.value for item in call.keywords if item.arg == "default"]
    if named:
        return named[0]
    if _callee(call) in ("max", "min") or len(call.args) < 2:
        return None
    return call.args[-1]


# --- what the surroundings say


def _documented(function: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """Return the values for "nothing" that a docstring names."""
    text = ast.get_docstring(function) or ""
    quoted = {one or other for one, other in _QUOTED.findall(text)}
    words = quoted | set(_WORD.findall(_QUOTED.sub(" ", text)))
    return frozenset(value for value, names in _NOTHING.items() if words.intersection(names))


def _of_docstring(scene: Scene, value: str) -> Precedent:
    named = _documented(scene.node)
    if not named:
        return Precedent()
    if value in named:
        return Precedent(weight=_NAMED, facts=(f"the docstring speaks of {value}",))
    others = " or ".join(sorted(named))
    fact = f"the docstring speaks of {others}, not of {value}"
    return Precedent(weight=_NAMED_OTHERWISE, facts=(fact,))


def _of_annotation(scene: Scene, value: str) -> Precedent:
    annotation = scene.node.returns
    if annotation is None:
        return Precedent()
    text = ast.unparse(annotation)
    if value == "None" and not re.search(r"None|Optional|Any|object", text):
        return Precedent(weight=_NOT_ANNOTATED, facts=(f"it is annotated to return {text}",))
    if value == "None":
        return Precedent(weight=_ANNOTATED_NONE, facts=(f"it is annotated to return {text}",))
    if re.search(r"None|Optional", text):
        fact = f"it is annotated to return {text}, so that None would be the word for nothing"
        return Precedent(weight=_NOT_ANNOTATED, facts=(fact,))
    return Precedent()


def _of_siblings(scene: Scene, new: ast.AST, value: str) -> Precedent:
    """Compare with what other functions of the file answer at the like of this place."""
    places = {
        place for call in _calls(new) if (place := _place(call)) and _text_of_default(call) == value
    }
    found: Counter[str] = Counter()
    where = ""
    for name, sibling in functions(scene.text.tree):
        if sibling is scene.node or sibling.name == scene.node.name:
            continue
        for call in _calls(sibling):
            if _place(call) in places:
                found[_text_of_default(call)] += 1
                where = where if _text_of_default(call) != value else name
        if _alike(scene.node, sibling) and value in set(_guarded(sibling)):
            found[value] += 1
            where = name
    if not found:
        return Precedent()
    if found[value]:
        return Precedent(weight=_SIBLING, facts=(f"`{where}` does the same with {value}",))
    other = found.most_common(1)[0][0]
    return Precedent(weight=_SIBLING_OTHERWISE, facts=(f"its siblings use {other} there",))


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    for item in ast.walk(node):
        if isinstance(item, ast.Call) and _default(item) is not None:
            yield item


def _place(call: ast.Call) -> tuple[str, str]:
    """What a default stands for: the function, and for look-ups the key."""
    name = _callee(call)
    if name in ("get", "pop", "getattr"):
        position = 1 if name == "getattr" else 0
        return "get", ast.unparse(call.args[position])
    return "pick", ""


def _text_of_default(call: ast.Call) -> str:
    default = _default(call)
    return "" if default is None else ast.unparse(default)


def _alike(one: ast.FunctionDef | ast.AsyncFunctionDef, other: ast.AST) -> bool:
    """Tell whether two functions are of a kind: their annotations of the result are equal."""
    mine, theirs = one.returns, getattr(other, "returns", None)
    if mine is None or theirs is None:
        return False
    return ast.unparse(mine) == ast.unparse(theirs)


def _guarded(function: ast.AST) -> Iterator[str]:
    """Yield what a function answers early, under a condition."""
    for node in ast.walk(function):
        if isinstance(node, ast.If):
            for statement in node.body:
                if isinstance(statement, ast.Return):
                    yield from ["None"] if statement.value is None else _tails(statement.value)


def _invented(scene: Scene, new: ast.AST) -> Precedent:
    """Weigh down values for missing entries of a table, and for factors."""
    before = Counter(ast.unparse(call) for call in _lookups(scene.node))
    found = Precedent()
    for call in _lookups(new):
        text = ast.unparse(call)
        if before[text]:
            continue
        table = ast.unparse(call.func.value)  # type: ignore[attr-defined]
        if _is_table(scene, table) and not isinstance(call.args[0], ast.Constant):
            fact = f"`{table}` is a table of constants: what a missing entry means is a decision"
            found &= Precedent(weight=_TABLE, facts=(fact,))
        if _is_factor(new, call):
            fact = "the value becomes a factor: any one is an invention"
            found &= Precedent(weight=_FACTOR, facts=(fact,))
    return found


def _lookups(node: ast.AST) -> Iterator[ast.Call]:
    for call in _calls(node):
        if _callee(call) == "get" and isinstance(call.func, ast.Attribute):
            yield call


def _is_table(scene: Scene, name: str) -> bool:
    return any(
        isinstance(statement, (ast.Assign, ast.AnnAssign))
        and name
        in {
            ast.unparse(target)
            for target in (
                statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            )
        }
        and isinstance(statement.value, (ast.Dict, ast.Call))
        for statement in scene.text.tree.body
    )


def _is_factor(function: ast.AST, call: ast.Call) -> bool:
    return any(
        isinstance(node, ast.BinOp)
        and isinstance(node.op, (ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow))
        and call in (node.left, node.right)
        for node in ast.walk(function)
    )
