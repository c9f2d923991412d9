"""Callers, callees and tests of a function, by a static reading of the project's files.

Only files that call something of the function's name are parsed for callers, and only files that
the function's own file imports for callees, so that the cost follows the neighbourhood and not the
project. Names are resolved through imports, ``self`` and classes; a method called on an object of
unknown type counts as a weak neighbour. What can't be parsed is passed over.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from prunella.diagnose.imports import Imported, ProjectFiles, resolve_imports
from prunella.diagnose.scopes import Function, Module, parse_module
from prunella.diagnose.source import Read
from prunella.model.repair import Snippet, SourceFunction
from prunella.ports import Retriever

CALLER, CALLEE, TEST = "caller", "callee", "test"

#: A call that resolves to the target through imports, ``self`` or its own file.
_CERTAIN = 1.0
#: A method of that name on an object whose class is mentioned in the file.
LIKELY = 0.7
#: A method of that name, nothing more.
_POSSIBLE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a neighbourhood is worth reading."""

    callers: int = 3
    callees: int = 4
    tests: int = 4
    #: Lines of one snippet; a longer function is cut around the call.
    lines: int = 60
    #: Files parsed in search of callers and tests, the likeliest first, and their bytes together.
    files: int = 60
    parsed_bytes: int = 1_000_000
    #: A larger file isn't looked at.
    file_bytes: int = 400_000


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Found:
    role: str
    module: Module
    function: Function
    strength: float
    #: Line of the call, or the function's first.
    line: int


def find_neighbours(
    function: SourceFunction,
    files: Sequence[str],
    read: Read,
    retriever: Retriever,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Snippet, ...]:
    """Return callers, callees and tests of `function`, the most telling of each role first.

    `files` are the paths of the base. Certainty of the connection decides; similarity of the text
    by `retriever` orders what is equally certain.
    """
    python = [path for path in files if path.endswith((".py", ".pyw"))]
    project = ProjectFiles(python)
    home = parse_module(function.path, function.file_source)
    if home is None:
        return ()
    target = Target.of(function.path, home.function(function.qualname, function.first_line))
    found = list(_callees(target, home, project, read))
    left_bytes = limits.parsed_bytes
    for mention in mentions(python, read, target, limits)[: limits.files]:
        left_bytes -= len(mention.source)
        if left_bytes < 0:
            break
        module = home if mention.path == home.path else parse_module(mention.path, mention.source)
        if module is not None:
            found.extend(users(target, module, mention.lines, project))
    return _rank(found, function, retriever, limits)


@dataclass(frozen=True, slots=True)
class Target:
    """The function whose neighbours are looked for."""

    path: str
    function: Function
    #: Name that users write: the function's, or its class's for constructors.
    called: str

    @property
    def related(self) -> tuple[str, ...]:
        """Names of which a file that can use it contains at least one."""
        path = PurePosixPath(self.path)
        module = path.parent.name if path.stem == "__init__" else path.stem
        return tuple(name for name in (module, self.function.class_name) if name)

    @classmethod
    def of(cls, path: str, function: Function) -> "Target":
        if function.class_name is not None and function.name in ("__init__", "__new__"):
            return cls(path, function, function.class_name)
        return cls(path, function, function.name)


@dataclass(frozen=True, slots=True)
class _Mention:
    """A file that may use the target, unparsed."""

    path: str
    source: bytes
    #: Lines on which something of the target's name, or of an alias, is called.
    lines: tuple[int, ...]
    #: It names the target's module or class, so that the call can be the target's.
    related: bool


def mentions(python: Sequence[str], read: Read, target: Target, limits: Limits) -> list[_Mention]:
    """Return the files worth parsing, the likeliest first; none larger than the limit."""
    related = _word(*target.related)
    found = []
    for path in python:
        source = read(path)
        if (
            source is None
            or len(source) > limits.file_bytes
            or target.called.encode() not in source
        ):
            continue
        is_related = path == target.path or related.search(source) is not None
        if not is_related and target.function.class_name is None:
            continue  # a plain function is only reached through its module
        lines = _called_lines(source, target.called)
        if lines:
            found.append(_Mention(path, source, lines, is_related))
    found.sort(key=lambda item: (not item.related, *_distance(item.path, target.path)))
    return found


def _word(*names: str) -> re.Pattern[bytes]:
    listed = "|".join(map(re.escape, names))
    return re.compile(rf"(?<![A-Za-z0-9_])(?:{listed})(?![A-Za-z0-9_])".encode())


def _called_lines(source: bytes, name: str) -> tuple[int, ...]:
    word = re.escape(name).encode()
    aliases = set(re.findall(rb"\b" + word + rb"[ \t]+as[ \t]+(\w+)", source))
    names = b"|".join([word, *sorted(map(re.escape, aliases))])
    line, at, found = 1, 0, []
    for match in re.finditer(rb"(?<![A-Za-z0-9_])(?:" + names + rb")[ \t]*\(", source):
        line += source.count(b"\n", at, match.start())
        at = match.start()
        found.append(line)
    return tuple(found)


def _distance(path: str, home: str) -> tuple[bool, int, str]:
    parts, own = PurePosixPath(path).parts[:-1], PurePosixPath(home).parts[:-1]
    shared = sum(1 for one, other in zip(parts, own, strict=False) if one == other)
    return (path != home, -shared, path)


# --- who uses the target


def users(
    target: Target, module: Module, lines: Sequence[int], project: ProjectFiles
) -> Iterator[Found]:
    """Yield the functions of `module` that call `target` on one of those lines."""
    names = resolve_imports(module.tree, module.path, project)
    mentions_class = _mentions_class(target, module, names)
    for function in module.functions:
        if "<locals>" in function.qualname or _is_target(function, module, target):
            continue
        if not any(function.first_line <= line <= function.last_line for line in lines):
            continue
        best, line = 0.0, function.first_line
        for call in _calls(function):
            strength = _use_strength(call, target, module, function, names, mentions_class)
            if strength > best:
                best, line = strength, call.lineno
        if best:
            role = TEST if is_test(module.path, function.name) else CALLER
            yield Found(role, module, function, best, line)


def _is_target(function: Function, module: Module, target: Target) -> bool:
    return module.path == target.path and function.first_line == target.function.first_line


def is_test(path: str, name: str) -> bool:
    """Tell whether a function of that name in that file is a test, as pytest finds them."""
    file = PurePosixPath(path)
    in_tests = (
        file.name.startswith("test_")
        or file.stem.endswith("_test")
        or ("tests" in file.parts or "test" in file.parts)
    )
    return in_tests and name.startswith("test")


def _calls(function: Function) -> Iterator[ast.Call]:
    return (node for node in ast.walk(function.node) if isinstance(node, ast.Call))


def _use_strength(
    call: ast.Call,
    target: Target,
    module: Module,
    user: Function,
    names: Mapping[str, Imported],
    mentions_class: bool,
) -> float:
    if isinstance(call.func, ast.Name):
        return _name_strength(call.func.id, target, module, names)
    if not isinstance(call.func, ast.Attribute) or call.func.attr != target.called:
        return 0.0
    owner = ast.unparse(call.func.value)
    bound = names.get(owner)
    if bound is not None and bound.path == target.path:
        return _CERTAIN
    if target.function.class_name is None:
        return 0.0
    if owner in ("self", "cls") and module.path == target.path:
        return _CERTAIN if user.class_name == target.function.class_name else _POSSIBLE
    return LIKELY if mentions_class else _POSSIBLE


def _name_strength(
    name: str, target: Target, module: Module, names: Mapping[str, Imported]
) -> float:
    bound = names.get(name)
    if bound is not None:
        return _CERTAIN if bound.path == target.path and bound.name == target.called else 0.0
    is_plain = target.function.class_name is None or target.called != target.function.name
    here = module.path == target.path and is_plain and name == target.called
    return _CERTAIN if here else 0.0


def _mentions_class(target: Target, module: Module, names: Mapping[str, Imported]) -> bool:
    if target.function.class_name is None:
        return False
    return module.path == target.path or any(
        bound.path == target.path and bound.name in (target.function.class_name, None)
        for bound in names.values()
    )


# --- whom the target uses


def _callees(target: Target, home: Module, project: ProjectFiles, read: Read) -> Iterator[Found]:
    names = resolve_imports(home.tree, home.path, project)
    opened: dict[str, Module | None] = {home.path: home}
    seen: set[tuple[str, str]] = {(home.path, target.function.qualname)}
    for call in _calls(target.function):
        for path, qualname, strength in _called(call.func, target, home, names):
            if path not in opened:
                source = read(path)
                opened[path] = None if source is None else parse_module(path, source)
            module = opened[path]
            for function in () if module is None else module.functions:
                if function.qualname in (qualname, f"{qualname}.__init__") and module is not None:
                    key = (path, function.qualname)
                    if key not in seen:
                        seen.add(key)
                        yield Found(CALLEE, module, function, strength, function.first_line)


def _called(
    func: ast.expr, target: Target, home: Module, names: Mapping[str, Imported]
) -> Iterator[tuple[str, str, float]]:
    """Yield ``(path, qualified name, certainty)`` of what a call's function may be."""
    if isinstance(func, ast.Name):
        bound = names.get(func.id)
        if bound is None:
            yield home.path, f"{target.function.qualname}.<locals>.{func.id}", _CERTAIN
            yield home.path, func.id, _CERTAIN
        elif bound.name is not None:
            yield bound.path, bound.name, _CERTAIN
        return
    if not isinstance(func, ast.Attribute):
        return
    owner = ast.unparse(func.value)
    bound = names.get(owner)
    if bound is not None:
        qualname = func.attr if bound.name is None else f"{bound.name}.{func.attr}"
        yield bound.path, qualname, _CERTAIN
    elif owner in ("self", "cls", "super()") and target.function.class_name is not None:
        prefix = target.function.qualname.rpartition(".")[0]
        yield home.path, f"{prefix}.{func.attr}", _CERTAIN
    else:
        yield from _methods_named(func.attr, home)


def _methods_named(name: str, home: Module) -> Iterator[tuple[str, str, float]]:
    same = [item for item in home.functions if item.class_name is not None and item.name == name]
    if len(same) == 1:
        yield home.path, same[0].qualname, LIKELY


# --- ranking


def _rank(
    found: Sequence[Found], function: SourceFunction, retriever: Retriever, limits: Limits
) -> tuple[Snippet, ...]:
    snippets: list[Snippet] = []
    for role, limit in ((CALLER, limits.callers), (CALLEE, limits.callees), (TEST, limits.tests)):
        group = _unique([item for item in found if item.role == role])
        texts = [_text(item, limits.lines) for item in group]
        near = dict(retriever.rank(function.text, texts, limit=len(texts))) if texts else {}
        order = sorted(
            range(len(group)),
            key=lambda index: (-group[index].strength, -near.get(index, 0.0), index),
        )
        snippets.extend(_snippet(group[index], texts[index]) for index in order[:limit])
    return tuple(snippets)


def _unique(group: Sequence[Found]) -> list[Found]:
    first: dict[tuple[str, int], Found] = {}
    for item in group:
        first.setdefault((item.module.path, item.function.first_line), item)
    return list(first.values())


def _snippet(item: Found, text: str) -> Snippet:
    return Snippet(
        role=item.role,
        path=item.module.path,
        qualname=item.function.qualname,
        first_line=item.function.first_line,
        text=text,
    )


def _text(item: Found, most_lines: int) -> str:
    first, last = item.function.first_line, item.function.last_line
    if last - first < most_lines:
        return item.module.text(first, last)
    head = item.module.text(first, item.function.node.lineno)
    start = max(item.function.node.lineno + 1, item.line - most_lines // 2)
    stop = min(last, start + most_lines - 5)
    gap = "    ...\n"
    return head + gap + item.module.text(start, stop) + (gap if stop < last else "")
