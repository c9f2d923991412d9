"""A test for people to keep: the recorded call that failed, as readable source, proven both ways."""

import ast
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from keyword import iskeyword
from pathlib import Path, PurePosixPath

from prunella.codec import entries, literal
from prunella.model.records import FunctionShape, Occurrence, Process, Site
from prunella.model.repair import (
    Baseline,
    Candidate,
    ReplayEnding,
    ReplayOutcome,
    ReplayRequest,
    TestReport,
)
from prunella.model.tree import Tree
from prunella.ports import Overlay, Replayer, TestRunner
from prunella.validate.fakes import fake_lines
from prunella.validate.policy import Function, named
from prunella.validate.reproduce import Answers, replay_request

#: Ways to write a test that are tried before giving up; each costs two runs of one test.
_MAX_ATTEMPTS = 4
#: Longer calls are no pleasure to read.
_MAX_SOURCE_BYTES = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """One way to write the test."""

    #: Objects are made by their constructor; else around it, attribute by attribute.
    construct: bool
    #: The result is compared; else it is enough that the call returns.
    compare: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Faked:
    """Boundary sites to be faked: their recorded answers, and where their source lies."""

    tree: Path
    answers: Sequence[tuple[str, Tree, Tree]]


class _Unreadable(Exception):
    """No readable source makes this value."""


def proven_regression_test(
    candidate: Candidate,
    site: Site,
    baseline: Baseline,
    replayer: Replayer,
    test_runner: TestRunner | None,
    tree: Path,
    process: Process,
    *,
    answers: Answers | None = None,
    taken: Collection[str] = (),
) -> tuple[str, bytes] | None:
    """Return path and content of a test that fails on the base and passes with the patch.

    Both were seen in runs of that test. ``None`` where no failing call has inputs that readable
    source can make, where nothing can run tests, or where no way to write the test was proven.
    Boundary sites are faked in it with their recorded `answers`. `taken` are paths that exist
    already.
    """
    if test_runner is None or not baseline.failing:
        return None
    function = _site_function(tree, site)
    if function is None:
        return None
    patch = candidate.patch
    occurrences = sorted(
        (occurrence for occurrence, _ in baseline.failing), key=lambda item: len(str(item.inputs))
    )
    requests = [replay_request(occurrence, answers) for occurrence in occurrences]
    (row,) = replayer.replay(tree, process, requests, [{patch.path: patch.after}])
    path = _free_path(tree, site, taken)
    readable = (
        content
        for source in _sources(site, function, zip(occurrences, requests, row, strict=True), tree)
        if len(content := source.encode()) <= _MAX_SOURCE_BYTES
    )
    for content in islice(readable, _MAX_ATTEMPTS):
        overlay = {path: content}
        if _proven(test_runner, tree, process, path, overlay, {patch.path: patch.after}):
            return path, content
    return None


def _proven(
    test_runner: TestRunner,
    tree: Path,
    process: Process,
    path: str,
    test: Overlay,
    patch: Overlay,
) -> bool:
    after = test_runner.run(tree, process, {**test, **patch}, only=path)
    if after is None or not _all_pass(after):
        return False
    before = test_runner.run(tree, process, test, only=path)
    return before is not None and not before.timed_out and before.exit_code != 0


def _all_pass(report: TestReport) -> bool:
    passing = [result == "passed" for result in report.results.values()]
    return report.exit_code == 0 and not report.timed_out and bool(passing) and all(passing)


def _site_function(tree: Path, site: Site) -> Function | None:
    try:
        module = ast.parse((tree / site.file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    return next(named(module, site.qualname), None)


def _free_path(tree: Path, site: Site, taken: Collection[str]) -> str:
    folder = next((name for name in ("tests", "test") if (tree / name).is_dir()), "tests")
    stem = f"test_{_snake(site.qualname)}_regression"
    path, number = f"{folder}/{stem}.py", 2
    while path in taken or (tree / path).exists():
        path, number = f"{folder}/{stem}_{number}.py", number + 1
    return path


def _snake(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return re.sub(r"[^a-z0-9]+", "_", words).strip("_")


def _sources(
    site: Site,
    function: Function,
    replayed: Iterable[tuple[Occurrence, ReplayRequest, ReplayOutcome]],
    tree: Path,
) -> Iterator[str]:
    styles = [
        _Style(construct=construct, compare=comparing)
        for comparing, construct in product((True, False), (True, False))
    ]
    seen: set[str] = set()
    for occurrence, request, outcome in replayed:
        if outcome.ending is not ReplayEnding.RETURNED:
            continue
        for style in styles:
            try:
                faked = _Faked(tree=tree, answers=request.answers)
                source = _source(site, function, occurrence, outcome, style, faked)
            except _Unreadable:
                continue
            if source not in seen:
                seen.add(source)
                yield source


def _source(
    site: Site,
    function: Function,
    occurrence: Occurrence,
    outcome: ReplayOutcome,
    style: _Style,
    faked: "_Faked",
) -> str:
    writer = _Writer(construct=style.construct, module=_import_name(site))
    if faked.answers:
        faking = fake_lines(faked.tree, writer.module, faked.answers, writer.value)
        if faking is None:
            raise _Unreadable
        writer.lines += faking
    call = writer.call(site, function, occurrence.inputs)
    lines = [*writer.lines, f"{'result = ' if style.compare else ''}{call}"]
    if style.compare:
        if not outcome.complete:
            raise _Unreadable
        lines += ["", _assertion(writer, outcome.result)]
    error = occurrence.exception.type_name.rpartition(".")[2]
    name = f"test_{_snake(site.qualname)}_returns_where_it_raised_{_snake(error)}"
    body = "\n".join(f"    {line}" if line else "" for line in lines)
    imports = _import_block(writer.imports)
    return (
        f'"""`{site.qualname}` raised {error} for these inputs; they come from a recorded call.\n\n'
        "The expected result is what the patch of that failure made of them: check that it is "
        'right.\n"""\n\n'
        f"{imports}\n\n\ndef {name}({'monkeypatch' if faked.answers else ''}):\n{body}\n"
    )


def _import_block(lines: Collection[str]) -> str:
    """Return the import lines as people order them: standard library, then the rest."""
    ordered = sorted(lines, key=lambda line: (line.startswith("from"), line))
    standard = [
        line for line in ordered if line.split()[1].split(".")[0] in sys.stdlib_module_names
    ]
    others = [line for line in ordered if line not in standard]
    return "\n\n".join("\n".join(group) for group in (standard, others) if group)


def _assertion(writer: "_Writer", result: Tree) -> str:
    if result is None or isinstance(result, bool):
        return f"assert result is {result}"
    if isinstance(result, float) and not result.is_integer():
        writer.imports.add("import pytest")
        return f"assert result == pytest.approx({result!r})"
    return f"assert result == {writer.value(result)}"


def _import_name(site: Site) -> str:
    if site.module != "__main__":
        return site.module
    path = PurePosixPath(site.file)
    name = ".".join(path.with_suffix("").parts)
    if path.suffix != ".py" or not all(part.isidentifier() for part in name.split(".")):
        raise _Unreadable
    return name


class _Writer:
    """Writes one call; collects the lines before it and the imports."""

    def __init__(self, *, construct: bool, module: str) -> None:
        self.construct = construct
        self.module = module
        self.imports: set[str] = set()
        self.lines: list[str] = []
        self._names: set[str] = set()

    def call(self, site: Site, function: Function, inputs: Tree) -> str:
        values = dict(entries(inputs))
        owner, _, name = site.qualname.rpartition(".")
        top = site.qualname.partition(".")[0]
        self.imports.add(f"from {self.module} import {top}")
        kinds = {ast.unparse(item).rpartition(".")[2] for item in function.decorator_list}
        positional = [item.arg for item in (*function.args.posonlyargs, *function.args.args)]
        target = site.qualname
        if owner and "staticmethod" not in kinds and positional:
            first = positional.pop(0)
            receiver = values.pop(first, None)
            if "classmethod" not in kinds:
                target = f"{self.local(receiver, _snake(owner.rpartition('.')[2]))}.{name}"
        if "property" in kinds or "cached_property" in kinds:
            return target
        arguments = self.arguments(function, positional, values)
        return self.run(f"{target}({', '.join(arguments)})", site.shape)

    def run(self, call: str, shape: FunctionShape) -> str:
        """Return what runs `call` to its end, and has what it yields where it is a generator."""
        if shape is FunctionShape.GENERATOR:
            return f"list({call})"
        if shape is FunctionShape.SYNC:
            return call
        self.imports.add("import asyncio")
        if shape is FunctionShape.ASYNC:
            return f"asyncio.run({call})"
        self.lines += ["async def collect():", f"    return [item async for item in {call}]", ""]
        return "asyncio.run(collect())"

    def arguments(
        self, function: Function, positional: Sequence[str], values: dict[str, Tree]
    ) -> list[str]:
        only_positional = {item.arg for item in function.args.posonlyargs}
        more = values.pop(f"*{function.args.vararg.arg}", None) if function.args.vararg else None
        named_more = (
            values.pop(f"**{function.args.kwarg.arg}", None) if function.args.kwarg else None
        )
        bare = len(values) == 1 or bool(more and more != ["t"])
        arguments = []
        for name in positional:
            if name in values:
                text = self.value(values.pop(name))
                arguments.append(text if bare or name in only_positional else f"{name}={text}")
        if more is not None and more != ["t"]:
            arguments.append(f"*{self.value(more)}")
        arguments += [f"{name}={self.value(value)}" for name, value in values.items()]
        extra = entries(named_more) if named_more is not None else []
        if all(name.isidentifier() and not iskeyword(name) for name, _ in extra):
            arguments += [f"{name}={self.value(value)}" for name, value in extra]
        else:
            arguments.append(f"**{self.value(named_more)}")
        return arguments

    def value(self, tree: Tree) -> str:
        """Return an expression for `tree`; raises `_Unreadable`."""
        readable = literal(tree)
        if readable is not None:
            self.imports.update(readable.imports)
            return readable.expression
        if not isinstance(tree, list) or not tree:
            raise _Unreadable
        tag, *rest = tree
        if tag == "l":
            return f"[{', '.join(map(self.value, rest))}]"
        if tag == "t" and rest:
            return f"({', '.join(map(self.value, rest))}{',' if len(rest) == 1 else ''})"
        if tag == "d":
            keys, values = map(self.value, rest[::2]), map(self.value, rest[1::2])
            pairs = (f"{key}: {value}" for key, value in zip(keys, values, strict=False))
            return f"{{{', '.join(pairs)}}}"
        if tag == "o" and len(rest) == 2 and self.construct:
            arguments = [f"{name}={self.value(value)}" for name, value in _attributes(rest[1])]
            return f"{self.class_name(rest[0])}({', '.join(arguments)})"
        if tag == "o" and len(rest) == 2:
            return self.local(tree, _snake(str(rest[0]).rpartition(":")[2]))
        raise _Unreadable

    def local(self, tree: Tree, wish: str) -> str:
        """Write lines that make `tree` under a local name, and return that."""
        name = next(
            item
            for item in (wish, *(f"{wish}_{n}" for n in range(2, 99)))
            if item not in self._names
        )
        if not name.isidentifier():
            raise _Unreadable
        self._names.add(name)
        if self.construct or not isinstance(tree, list) or tree[:1] != ["o"] or len(tree) != 3:
            self.lines.append(f"{name} = {self.value(tree)}")
            return name
        kind = self.class_name(tree[1])
        attributes = [(key, self.value(value)) for key, value in _attributes(tree[2])]
        self.lines.append(f"{name} = {kind}.__new__({kind})")
        self.lines += [f"{name}.{key} = {text}" for key, text in attributes]
        return name

    def class_name(self, path: Tree) -> str:
        module, _, qualname = str(path).partition(":")
        if module == "__main__":
            module = self.module
        parts = [*module.split("."), *qualname.split(".")]
        if not all(part.isidentifier() for part in parts):
            raise _Unreadable
        self.imports.add(f"from {module} import {qualname.partition('.')[0]}")
        return qualname


def _attributes(tree: Tree) -> list[tuple[str, Tree]]:
    found = entries(tree)
    if not all(name.isidentifier() for name, _ in found):
        raise _Unreadable
    return found
