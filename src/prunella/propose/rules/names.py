"""NameError: a missing import, or a name that is near to one in scope."""

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from difflib import SequenceMatcher

from prunella.propose.rules.edits import Proposal, replacing
from prunella.propose.rules.flow import own_nodes
from prunella.propose.rules.scene import Scene, describe_failures
from prunella.propose.rules.values import kind

EXCEPTIONS = ("NameError",)
_NAME = re.compile(r"name '(\w+)'")
_MAX_NEAR = 4

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
    yield from misspelt(scene, name, "name")


def _import(scene: Scene, name: str) -> Iterator[Proposal]:
    because = f"`{name}` is defined nowhere in {describe_failures(scene.failures)}"
    parent = scene.parents.get(scene.crash)
    statement = None
    if name in sys.stdlib_module_names and isinstance(parent, ast.Attribute):
        if not (name == "datetime" and parent.attr in ("now", "utcnow", "strptime", "today")):
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
    owners = {"list": list, "tuple": tuple, "str": str, "dict": dict, "set": set}
    for name in scene.parameters:
        value_kinds = {kind_of for values in _inputs(scene) for kind_of in values.get(name, ())}
        if value_kinds and all(
            item in owners and hasattr(owners[item], crash.id) for item in value_kinds
        ):
            yield Proposal(
                rule="name.method",
                edits=(replacing(scene, crash, f"{name}.{crash.id}"),),
                description=f"Call `{name}.{crash.id}` instead of `{crash.id}`",
                reason=f"`{crash.id}` is no function, but a method of `{name}`",
            )


def _inputs(scene: Scene) -> list[dict[str, tuple[str, ...]]]:
    return [
        {name: (kind(value),) for name, value in failure.local_values.items()}
        for failure in scene.failures
    ]


def misspelt(scene: Scene, name: str, family: str) -> Iterator[Proposal]:
    """Propose names in scope that are near to `name`, for every use of it in the function."""
    uses = [
        node
        for node in own_nodes(scene.node)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    ]
    ranked = sorted(
        ((nearness(name, other), other) for other in _in_scope(scene, name)), reverse=True
    )
    because = f"`{name}` is not defined in {describe_failures(scene.failures)}"
    for near, other in ranked[:_MAX_NEAR]:
        if near < 0.5:
            break
        yield Proposal(
            rule=f"{family}.near" if near >= 0.75 else f"{family}.less_near",
            edits=tuple(replacing(scene, use, other) for use in uses),
            description=f"Use `{other}` instead of `{name}`",
            reason=f"{because}; `{other}` is the nearest name",
            weight=near,
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


def _in_scope(scene: Scene, name: str) -> list[str]:
    """Return the names that the function could mean, without the unknown one."""
    found: dict[str, None] = dict.fromkeys(scene.parameters)
    for failure in scene.failures:
        found.update(dict.fromkeys(failure.local_values))
    for node in own_nodes(scene.node):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = None
    for statement in scene.text.tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found[statement.name] = None
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            found.update(dict.fromkeys(item.asname or item.name for item in statement.names))
        else:
            found.update(
                (node.id, None)
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            )
    public = [item for item in dir(builtins) if item[:1].islower()]
    found.update(dict.fromkeys(public))
    found.pop(name, None)
    return [item for item in found if item.isidentifier()]
