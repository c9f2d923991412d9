"""NameError: a missing import, or a name that is near to one in scope."""

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from difflib import SequenceMatcher

from prunella.propose.rules.edits import Proposal, first_statement, inserting, replacing
from prunella.propose.rules.flow import calls_to, loops_around, own_nodes
from prunella.propose.rules.scene import Scene, describe_failures
from prunella.propose.rules.values import BUILT_IN, kind, kinds

EXCEPTIONS = ("NameError",)
_NAME = re.compile(r"name '(\w+)'")
_NEAR, _LESS_NEAR = 0.75, 0.5
_CALLABLE = frozenset({"function", "type", "builtin_function_or_method", "method"})
_SCALAR = frozenset({"int", "float", "bool", "NoneType"})

#: Names that are used without their module, and what imports them. Only unmistakable ones.
_FROM = {
    "defaultdict": "collections", "Counter": "collections", "OrderedDict": "collections",
    "deque": "collections", "namedtuple": "collections", "Path": "pathlib", "Decimal": "decimal",
    "Fraction": "fractions", "datetime": "datetime", "timedelta": "datetime", "date": "datetime",
    "timezone": "datetime", "reduce": "functools", "partial": "functools", "lru_cache": "functools",
    "wraps": "functools", "dataclass": "dataclasses", "sqrt": "math", "ceil": "math",
    "floor": "math", "pi": "math", "deepcopy": "copy", "chain": "itertools",
    "combinations": "itertools", "permutations": "itertools", "product": "itertools",
    "groupby": "itertools", "islice": "itertools", "uuid4": "uuid", "urlparse": "urllib.parse",
    "urlencode": "urllib.parse", "quote": "urllib.parse", "sleep": "time", "dedent": "textwrap",
    "mean": "statistics", "median": "statistics", "itemgetter": "operator",
    "attrgetter": "operator", "contextmanager": "contextlib", "suppress": "contextlib",
}  # fmt: skip


def propose(scene: Scene) -> Iterator[Proposal]:
    """Propose an import, the name that was meant, or the method that was meant."""
    found = _NAME.search(scene.exception.message)
    if not isinstance(scene.crash, ast.Name) or found is None:
        return
    name = scene.crash.id
    yield from _import(scene, name)
    yield from _method(scene, scene.crash)
    yield from _swapped(scene, scene.crash)
    yield from compared(scene, name, "name")
    yield from misspelt(scene, name, "name")
    yield from _in_loop(scene, scene.crash)
    yield from _begun(scene, name)


def _import(scene: Scene, name: str) -> Iterator[Proposal]:
    because = f"`{name}` is defined nowhere in {describe_failures(scene.failures)}"
    parent = scene.parents.get(scene.crash)
    statement = None
    attribute = parent.attr if isinstance(parent, ast.Attribute) else ""
    is_class = name == "datetime" and attribute in ("now", "utcnow", "strptime", "today")
    if name in sys.stdlib_module_names and attribute and not is_class:
        statement = f"import {name}"
    if statement is None and name in _FROM and name not in scene.parameters:
        statement = f"from {_FROM[name]} import {name}"
    if statement is not None:
        yield Proposal(
            rule="name.import",
            edits=(),
            imports=(statement,),
            description=f"Add `{statement}`",
            reason=f"{because}; the standard library has it",
        )


def _method(scene: Scene, crash: ast.Name) -> Iterator[Proposal]:
    """`index(item)` where a parameter has a method of that name: `seq.index(item)`."""
    call = scene.parents.get(crash)
    if not isinstance(call, ast.Call) or call.func is not crash:
        return
    yield from _method_of_first(scene, call, crash)
    for name in scene.parameters:
        seen = kinds(scene.local(name))
        if seen and all(hasattr(BUILT_IN.get(item), crash.id) for item in seen):
            yield Proposal(
                rule="name.method",
                edits=(replacing(scene, crash, f"{name}.{crash.id}"),),
                description=f"Call `{name}.{crash.id}` instead of `{crash.id}`",
                reason=f"`{crash.id}` is no function, but a method of `{name}`",
            )


def _method_of_first(scene: Scene, call: ast.Call, crash: ast.Name) -> Iterator[Proposal]:
    """`append(rows, item)`, `reverse(rows)`: the object stands first among the arguments."""
    if not call.args or not isinstance(call.args[0], ast.Name):
        return
    owner = call.args[0].id
    seen = kinds(scene.local(owner))
    if not seen or not all(hasattr(BUILT_IN.get(item), crash.id) for item in seen):
        return
    rest = [scene.segment(item) for item in call.args[1:]]
    rest += [f"{word.arg}={scene.segment(word.value)}" for word in call.keywords if word.arg]
    used = not isinstance(scene.parents.get(call), ast.Expr)
    new = f"{owner}.{crash.id}({', '.join(rest)})"
    if used and crash.id in ("sort", "reverse"):  # they work in place and give None
        inside = ", ".join([owner, *rest])
        new = f"sorted({inside})" if crash.id == "sort" else f"{owner}[::-1]"
    yield Proposal(
        rule="name.method_of_first",
        edits=(replacing(scene, call, new),),
        description=f"Use `{new}`",
        reason=f"`{crash.id}` is no function, but a method of `{owner}`",
    )


def _swapped(scene: Scene, crash: ast.Name) -> Iterator[Proposal]:
    """`remove.rows(item)`: a method and its object have changed places."""
    parent = scene.parents.get(crash)
    if not isinstance(parent, ast.Attribute):
        return
    seen = kinds(scene.local(parent.attr))
    if seen and all(hasattr(BUILT_IN.get(item), crash.id) for item in seen):
        new = f"{parent.attr}.{crash.id}"
        yield Proposal(
            rule="name.swapped",
            edits=(replacing(scene, parent, new),),
            description=f"Use `{new}` instead of `{scene.segment(parent)}`",
            reason=f"`{crash.id}` is a method of `{parent.attr}`",
        )


def compared(scene: Scene, name: str, family: str) -> Iterator[Proposal]:
    """`count == 0` as a statement of its own was meant to set `count`."""
    node = scene.parents.get(scene.crash)
    if (
        isinstance(node, ast.Compare)
        and node.left is scene.crash
        and len(node.ops) == 1
        and isinstance(node.ops[0], ast.Eq)
        and isinstance(scene.parents.get(node), ast.Expr)
    ):
        value = scene.segment(node.comparators[0])
        yield Proposal(
            rule=f"{family}.compared",
            edits=(replacing(scene, node, f"{name} = {value}"),),
            description=f"Set `{name}` instead of comparing it",
            reason=f"nothing has set `{name}` in {describe_failures(scene.failures)}; the "
            "comparison's result is used for nothing",
        )


def _in_loop(scene: Scene, crash: ast.Name) -> Iterator[Proposal]:
    """An unlike name in a loop: its item, or the container that the loop fills."""
    loop = next((item for item in loops_around(scene, crash) if isinstance(item, ast.For)), None)
    if loop is None or not isinstance(loop.target, ast.Name):
        return
    uses, kinds_of = _uses(scene, crash.id), _in_scope(scene, crash.id)
    filled = {
        node.func.value.id
        for node in ast.walk(loop)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("append", "add")
        and isinstance(node.func.value, ast.Name)
    } | {
        node.target.id
        for node in ast.walk(loop)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
    }
    searched = [use for use in uses if _looks_into(scene, use)]
    choices = [("filled", other) for other in sorted(filled - {crash.id})]
    choices = choices if searched else [("item", loop.target.id)]
    for rule, other in choices:
        if _fits(scene, uses, kinds_of.get(other, "")) and nearness(crash.id, other) < _LESS_NEAR:
            yield Proposal(
                rule=f"name.{rule}",
                edits=tuple(replacing(scene, use, other) for use in uses),
                description=f"Use `{other}` instead of `{crash.id}`",
                reason=f"`{crash.id}` is defined nowhere; the loop "
                + (f"fills `{other}`" if rule == "filled" else f"gives `{other}`"),
                weight=1.0 if len(choices) == 1 else 0.5,
            )


def _looks_into(scene: Scene, use: ast.Name) -> bool:
    parent = scene.parents.get(use)
    if isinstance(parent, ast.Compare):
        return _is_searched(parent, use)
    return isinstance(parent, (ast.Attribute, ast.Subscript)) and parent.value is use


def _begun(scene: Scene, name: str) -> Iterator[Proposal]:
    """Nothing anywhere is like the name, and it is used as a container: it never began."""
    literals = {_container_of(scene, use) for use in _uses(scene, name)} - {""}
    start = first_statement(scene)
    if len(literals) != 1 or start is None:
        return
    literal = literals.pop()
    edit = inserting(scene, start, [f"{name} = {literal}"])
    if edit is not None:
        yield Proposal(
            rule="name.begun",
            edits=(edit,),
            description=f"Begin with `{name} = {literal}`",
            reason=f"nothing sets `{name}`, and it is used as such a container",
        )


def _container_of(scene: Scene, use: ast.Name) -> str:
    parent = scene.parents.get(use)
    if isinstance(parent, ast.Attribute) and isinstance(scene.parents.get(parent), ast.Call):
        return {"append": "[]", "extend": "[]", "insert": "[]", "add": "set()"}.get(parent.attr, "")
    if isinstance(parent, ast.Subscript) and isinstance(parent.ctx, ast.Store):
        return "{}"
    return ""


def _uses(scene: Scene, name: str) -> list[ast.Name]:
    """Return where a name is read, `name += …` among them."""
    return [
        node
        for node in own_nodes(scene.node)
        if isinstance(node, ast.Name)
        and node.id == name
        and (isinstance(node.ctx, ast.Load) or isinstance(scene.parents.get(node), ast.AugAssign))
    ]


def misspelt(scene: Scene, name: str, family: str) -> Iterator[Proposal]:
    """Propose names in scope that fit the uses of `name`.

    Parameters used nowhere and variables that are set and never read speak for themselves; others
    have to look alike.
    """
    uses = _uses(scene, name)
    kinds_of = _in_scope(scene, name)
    fitting = [other for other, seen in kinds_of.items() if _fits(scene, uses, seen)]
    unused = [other for other in fitting if _is_unused(scene, other)]
    unread = [other for other in fitting if _is_unread(scene, other)]
    ranked = sorted(((nearness(name, other), other) for other in fitting), reverse=True)
    because = f"`{name}` is not defined in {describe_failures(scene.failures)}"
    for near, other in ranked:
        local = other in scene.parameters or other in unread or kinds_of[other] != "function"
        if other in unused:
            rule, why = "unused_parameter", f"the parameter `{other}` is used nowhere"
        elif other in unread and (near >= _LESS_NEAR or len(unread) == 1):
            rule, why = "unread", f"`{other}` is set and nobody reads it"
        elif near >= _NEAR:
            rule, why = "near" if local else "near_function", f"`{other}` is the nearest name"
        elif near >= _LESS_NEAR and not unused:
            rule, why = "less_near", f"`{other}` is somewhat near"
        else:
            continue
        yield Proposal(
            rule=f"{family}.{rule}",
            edits=tuple(replacing(scene, use, other) for use in uses),
            description=f"Use `{other}` instead of `{name}`",
            reason=f"{because}; {why}",
            # A parameter that is used nowhere needs no likeness to be the one that was meant.
            weight=1.0 if rule in ("unused_parameter", "unread") else 0.5 + near / 2,
        )


def _is_unread(scene: Scene, name: str) -> bool:
    """A variable that the function sets, or only changes in place, and whose value it never uses."""
    stored = False
    for node in own_nodes(scene.node):
        if not isinstance(node, ast.Name) or node.id != name:
            continue
        if isinstance(node.ctx, ast.Store):
            stored = stored or not isinstance(scene.parents.get(node), ast.AugAssign)
            continue
        attribute = scene.parents.get(node)
        call = scene.parents.get(attribute) if isinstance(attribute, ast.Attribute) else None
        if not isinstance(call, ast.Call) or not isinstance(scene.parents.get(call), ast.Expr):
            return False
    return stored


def _is_unused(scene: Scene, name: str) -> bool:
    if name not in scene.parameters or name in ("self", "cls"):
        return False
    return not any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(scene.node))


def _fits(scene: Scene, uses: list[ast.Name], kind_seen: str) -> bool:
    """A value of a kind can be used as the unknown name is; an unknown kind can be anything."""
    for use in uses:
        parent = scene.parents.get(use)
        if not kind_seen:
            continue
        called = isinstance(parent, ast.Call) and parent.func is use
        if called != (kind_seen in _CALLABLE):
            return False
        holds = isinstance(parent, ast.Subscript) and parent.value is use
        holds = holds or (isinstance(parent, ast.Compare) and _is_searched(parent, use))
        runs = isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is use
        counts = isinstance(parent, ast.Call) and calls_to(parent, "len", "enumerate", "sorted")
        if (holds or runs or counts) and kind_seen in _SCALAR:
            return False
        attribute = parent.attr if isinstance(parent, ast.Attribute) else ""
        if attribute and not hasattr(BUILT_IN.get(kind_seen, use), attribute):
            return False
    return True


def _is_searched(comparison: ast.Compare, use: ast.Name) -> bool:
    """The name is what `in` looks into."""
    pairs = zip(comparison.ops, comparison.comparators, strict=True)
    return any(
        isinstance(operator, (ast.In, ast.NotIn)) and node is use for operator, node in pairs
    )


def nearness(one: str, other: str) -> float:
    """Return how alike two names are, between 0 and 1; a part of a name counts as near."""
    left, right = one.lower().strip("_"), other.lower().strip("_")
    if not left or not right:
        return 0.0
    ratio = SequenceMatcher(None, left, right, autojunk=False).ratio()
    shorter, longer = sorted((left, right), key=len)
    if len(shorter) > 1 and (longer.startswith(shorter) or longer.endswith(shorter)):
        ratio = max(ratio, 0.7)
    return ratio


def _in_scope(scene: Scene, name: str) -> dict[str, str]:
    """Return the names that the function could mean and the kinds of their values, ``""`` unknown."""
    found: dict[str, str] = dict.fromkeys(scene.parameters, "")
    for node in own_nodes(scene.node):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = ""
    for failure in scene.failures:
        found.update((other, kind(value)) for other, value in failure.local_values.items())
    for statement in scene.text.tree.body:
        found.update((other, seen) for other, seen in _defined(statement) if other not in found)
    for other in dir(builtins):
        if other[:1].islower():
            found.setdefault(other, "function")
    found.pop(name, None)
    return {other: seen for other, seen in found.items() if other.isidentifier()}


def _defined(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """Yield the names that a module-level statement binds, with their kinds."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name, "function"
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        for item in statement.names:
            yield item.asname or item.name.partition(".")[0], "module"
    elif isinstance(statement, ast.Assign):
        seen = type(statement.value).__name__.lower().removesuffix("comp")
        if isinstance(statement.value, ast.Constant):
            seen = type(statement.value.value).__name__
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id, seen if seen in BUILT_IN else ""
