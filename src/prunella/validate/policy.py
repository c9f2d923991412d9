"""What a patch may not do, whatever replay and tests say: small checks on the syntax of the edit.

Every check compares the function before and after, so what the project does already stays allowed;
only what the patch brings in counts. They are a net under sandbox, replay and review, no proof that
an edit is harmless.
"""

import ast
import difflib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from prunella.model.repair import Patch
from prunella.validate.risks import dangerous, import_targets, reflective

Function = ast.FunctionDef | ast.AsyncFunctionDef

_MAX_CHANGED_LINES = 120
_BROAD = frozenset({"Exception", "BaseException"})


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A patch, parsed. Make it with `parse`."""

    patch: Patch
    before: ast.Module
    after: ast.Module

    @cached_property
    def functions(self) -> tuple[Function, Function] | None:
        """The edited function before and after; ``None`` where the name isn't there any more."""
        old = list(named(self.before, self.patch.qualname))
        new = list(named(self.after, self.patch.qualname))
        if len(old) != len(new) or not old:
            return None
        changed = [
            pair for pair in zip(old, new, strict=True) if ast.dump(pair[0]) != ast.dump(pair[1])
        ]
        return (changed or list(zip(old, new, strict=True)))[0]

    def gained(self, find: Callable[[ast.AST, ast.Module], Iterator[str]]) -> list[str]:
        """Return what `find` yields more often for the function after the edit than before it."""
        if self.functions is None:
            return []
        old, new = self.functions
        return sorted((Counter(find(new, self.after)) - Counter(find(old, self.before))).elements())

    def lost(self, find: Callable[[ast.AST, ast.Module], Iterator[str]]) -> list[str]:
        """Return what `find` yields more often for the function before the edit than after it."""
        if self.functions is None:
            return []
        old, new = self.functions
        return sorted((Counter(find(old, self.before)) - Counter(find(new, self.after))).elements())


def parse(patch: Patch) -> Edit:
    """Return the parsed edit; raises `SyntaxError` or `ValueError` where a side doesn't parse."""
    return Edit(patch=patch, before=ast.parse(patch.before), after=ast.parse(patch.after))


def signature_problems(edit: Edit) -> list[str]:
    """Return how the way to call the function changed: none may."""
    if edit.functions is None:
        return [f"{edit.patch.qualname} is no longer there"]
    old, new = edit.functions
    problems = []
    if type(old) is not type(new):
        problems.append("the function became or ceased to be a coroutine")
    if ast.dump(old.args) != ast.dump(new.args):
        problems.append(f"the parameters changed from ({_text(old.args)}) to ({_text(new.args)})")
    if _dump(old.returns) != _dump(new.returns):
        problems.append("the return annotation changed")
    if [_dump(item) for item in old.decorator_list] != [_dump(item) for item in new.decorator_list]:
        problems.append("the decorators changed")
    if _yields(old) != _yields(new):
        problems.append("the function became or ceased to be a generator")
    return problems


def policy_problems(edit: Edit) -> list[str]:
    """Return what the patch brings in that no patch may, each in words; empty when nothing."""
    return [problem for check in CHECKS for problem in check(edit)]


def outside(edit: Edit) -> list[str]:
    """Nothing but the function and added imports may change."""
    if edit.functions is None:
        return []
    old, new = edit.functions
    left, right = _skeleton(edit.before, old), _skeleton(edit.after, new)
    if left.rest != right.rest:
        return ["it changes more than the function and imports"]
    removed = left.imports - right.imports
    return [f"it removes the import {name}" for name in sorted(removed.elements())]


def size(edit: Edit) -> list[str]:
    """An edit that is too large to review is no repair."""
    before, after = edit.patch.before.splitlines(), edit.patch.after.splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    changed = sum(
        max(end - start, other_end - other_start)
        for kind, start, end, other_start, other_end in matcher.get_opcodes()
        if kind != "equal"
    )
    return [f"it changes {changed} lines"] if changed > _MAX_CHANGED_LINES else []


def dangerous_calls(edit: Edit) -> list[str]:
    """No new process, network, dynamic code, file deletion or exit."""
    return [f"it brings in {name}" for name in dict.fromkeys(edit.gained(dangerous))]


def reflection(edit: Edit) -> list[str]:
    """No new look behind the language: what it reaches can't be told by reading."""
    return [f"it brings in {name}" for name in dict.fromkeys(edit.gained(reflective))]


def swallowed(edit: Edit) -> list[str]:
    """No new handler that swallows whatever goes wrong."""
    return [f"it swallows errors by {name}" for name in dict.fromkeys(edit.gained(_swallows))]


def deleted_checks(edit: Edit) -> list[str]:
    """No assertion and no deliberate error may disappear."""
    lost = edit.lost(_deliberate)
    kinds_lost = Counter(item.partition(" ")[0] for item in lost)
    kinds_gained = Counter(item.partition(" ")[0] for item in edit.gained(_deliberate))
    return [f"it removes {item}" for item in lost if (kinds_lost - kinds_gained)[_first(item)]]


def replay_detection(edit: Edit) -> list[str]:
    """A patch has no business to know that it is being replayed."""
    return [f"it refers to {name}" for name in dict.fromkeys(edit.gained(_mentions_us))]


#: Every rule, in the order in which problems are told.
CHECKS: tuple[Callable[[Edit], list[str]], ...] = (
    outside,
    size,
    dangerous_calls,
    reflection,
    swallowed,
    deleted_checks,
    replay_detection,
)


def _swallows(function: ast.AST, module: ast.Module) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.ExceptHandler):
            broad = _broad_name(node.type)
            if broad and not any(isinstance(item, ast.Raise) for item in _own_nodes(node)):
                yield broad
        elif isinstance(node, (ast.Try, ast.TryStar)):
            leaving = (ast.Return, ast.Break, ast.Continue)
            if any(isinstance(item, leaving) for part in node.finalbody for item in ast.walk(part)):
                yield "leaving a finally block"
        elif (
            isinstance(node, ast.Call)
            and _called(node) == "suppress"
            and any(_broad_name(item) for item in node.args)
        ):
            yield "suppress(Exception)"


def _broad_name(kind: ast.expr | None) -> str:
    if kind is None:
        return "a bare except"
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    for item in kinds:
        name = item.id if isinstance(item, ast.Name) else getattr(item, "attr", "")
        if name in _BROAD:
            return f"except {name}"
    return ""


def _deliberate(function: ast.AST, module: ast.Module) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            yield f"assert {ast.unparse(node.test)}"[:120]
        elif isinstance(node, ast.Raise):
            yield f"raise {ast.unparse(node.exc) if node.exc else ''}".strip()[:120]


def _mentions_us(function: ast.AST, module: ast.Module) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if "prunella" in node.value.lower():
                yield "Prunella"
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and any(
            name.partition(".")[0] == "prunella" for name in import_targets(node)
        ):
            yield "Prunella"


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def named(module: ast.Module, qualname: str) -> Iterator[Function]:
    """Yield the functions of a qualified name, in the order of the file."""

    def search(node: ast.AST, prefix: str) -> Iterator[Function]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                yield from search(child, f"{prefix}{child.name}.")
            elif isinstance(child, Function):
                if f"{prefix}{child.name}" == qualname:
                    yield child
                yield from search(child, f"{prefix}{child.name}.<locals>.")
            else:
                yield from search(child, prefix)

    yield from search(module, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Skeleton:
    rest: str
    imports: "Counter[str]"


def _skeleton(module: ast.Module, function: Function) -> _Skeleton:
    """Return the module without the function's inside and without its top-level imports."""
    imports: Counter[str] = Counter()
    rest = []
    inside = set(map(id, ast.walk(function)))
    for statement in module.body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            source = getattr(statement, "module", None)
            level = getattr(statement, "level", 0)
            for alias in statement.names:
                imports[
                    f"{'.' * level}{source or ''} {alias.name} {alias.asname or ''}".strip()
                ] += 1
        else:
            rest.append(_dump_without(statement, function, inside))
    return _Skeleton(rest="\n".join(rest), imports=imports)


def _dump_without(node: ast.AST, function: Function, inside: set[int]) -> str:
    if node is function:
        return "<the function>"
    if id(function) not in {id(item) for item in ast.walk(node)}:
        return ast.dump(node)
    parts = [type(node).__name__]
    for name, value in ast.iter_fields(node):
        values = value if isinstance(value, list) else [value]
        for item in values:
            text = (
                _dump_without(item, function, inside) if isinstance(item, ast.AST) else repr(item)
            )
            parts.append(f"{name}={text}")
    return f"({' '.join(parts)})"


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is below `node`, without what stands inside nested functions."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from _own_nodes(child)


def _yields(function: Function) -> bool:
    return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in _own_nodes(function))


def _dump(node: ast.AST | None) -> str:
    return "" if node is None else ast.dump(node)


def _text(arguments: ast.arguments) -> str:
    return ast.unparse(arguments)


def _first(text: str) -> str:
    return text.partition(" ")[0]
