"""What two runs of the project's tests, before and after a patch, show about it."""

import ast
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from prunella.model.repair import Check, CheckOutcome, TestReport

_GOOD = frozenset({"passed"})
_BAD = frozenset({"failed", "error"})


def compare_reports(before: TestReport, after: TestReport | None, *, mentioned: bool) -> Check:
    """Return the check ``tests``.

    A test that failed before doesn't count against the patch; one that passed before and fails or
    is gone does. Passing shows something only when the tests mention the function (`mentioned`).
    """
    if after is None:
        return _check(CheckOutcome.NOT_SHOWN, "no tests were found with the patch")
    if before.timed_out:
        return _check(CheckOutcome.NOT_SHOWN, "the tests don't end in time on the base either")
    if after.timed_out:
        return _check(CheckOutcome.FAILED, f"the tests no longer end ({after.duration_s:.0f} s)")
    if not before.results or not after.results:
        return _by_exit_code(before, after, mentioned)
    passed = {name for name, result in before.results.items() if result in _GOOD}
    broken = sorted(name for name in passed if after.results.get(name, "gone") in _BAD | {"gone"})
    if broken:
        names = ", ".join(broken[:3])
        return _check(CheckOutcome.FAILED, f"{len(broken)} tests broke: {names}"[:400])
    if not passed:
        return _check(CheckOutcome.NOT_SHOWN, "no test passes on the base")
    detail = f"{len(passed)} tests that passed before pass"
    number = mended(before, after)
    if number:
        detail += f", and {number} that failed before pass now"
    if not mentioned and not number:
        return _check(CheckOutcome.NOT_SHOWN, f"{detail}, but none mentions the function")
    return _check(CheckOutcome.PASSED, detail)


def mended(before: TestReport, after: TestReport | None) -> int:
    """Return how many tests failed before and pass now."""
    if after is None:
        return 0
    return sum(
        result in _BAD and after.results.get(name) in _GOOD
        for name, result in before.results.items()
    )


def _by_exit_code(before: TestReport, after: TestReport, mentioned: bool) -> Check:
    if before.exit_code:
        detail = f"the test command fails on the base (exit code {before.exit_code})"
        last = next((line for line in reversed(before.tail.splitlines()) if line.strip()), "")
        detail = f"{detail}: {last.strip()}"[:400] if last else detail
        return _check(CheckOutcome.NOT_SHOWN, detail)
    if after.exit_code:
        return _check(CheckOutcome.FAILED, f"the test command fails (exit code {after.exit_code})")
    if not mentioned:
        return _check(CheckOutcome.NOT_SHOWN, "the tests pass, but none mentions the function")
    return _check(CheckOutcome.PASSED, "the test command succeeds as before")


def _check(outcome: CheckOutcome, detail: str) -> Check:
    return Check(name="tests", outcome=outcome, detail=detail)


def mention(tree: Path, report: TestReport, path: str, qualname: str) -> bool:
    """Whether a test below `tree` uses the function `qualname` of the file `path`.

    Read from the syntax of the test files: a function that is imported from its module (or a
    package around it) or taken from it, a method of that name where its class or module is
    imported. Comments and texts don't count; a test of `report` that is called after it does.
    """
    name = qualname.rpartition(".")[2]
    called_so = re.compile(rf"(?:^|[^A-Za-z0-9]){re.escape(name)}(?:$|[^A-Za-z0-9])")
    if not name.startswith("__") and any(called_so.search(test) for test in report.results):
        return True
    parts = PurePosixPath(path).with_suffix("").parts
    module = parts[:-1] if parts[-1] == "__init__" else parts
    owners = [part for part in qualname.split(".")[:-1] if part != "<locals>"]
    wanted = {owners[-1]} if owners and name.startswith("__") else {name}
    for file in _test_files(tree):
        try:
            source = file.read_bytes()
            if not any(word.encode() in source for word in wanted):
                continue
            used = _used_of(ast.parse(source), module)
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        if wanted & used:
            return True
    return False


def _used_of(test: ast.Module, module: Sequence[str]) -> set[str]:
    """Return the names that a test file imports from `module`, and all attributes if it does."""
    imported: set[str] = set()
    is_known = False
    attributes = {node.attr for node in ast.walk(test) if isinstance(node, ast.Attribute)}
    for node in ast.walk(test):
        if isinstance(node, ast.ImportFrom):
            source = (node.module or "").split(".") if node.module else []
            names = {alias.name for alias in node.names}
            if _is_within(source, module) or node.level:
                is_known = True
                imported |= names
            is_known |= any(_is_within([*source, name], module) for name in names)
        elif isinstance(node, ast.Import):
            is_known |= any(_is_within(alias.name.split("."), module) for alias in node.names)
    if "*" in imported:
        imported |= {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    return imported | attributes if is_known else set()


def _is_within(dotted: Sequence[str], module: Sequence[str]) -> bool:
    """Tell whether a dotted name is that of the module or of a package that it lies in."""
    size = len(dotted)
    return bool(size) and any(
        tuple(module[start : start + size]) == tuple(dotted) for start in range(len(module))
    )


def _test_files(tree: Path) -> list[Path]:
    found = [*tree.rglob("test_*.py"), *tree.rglob("*_test.py"), *tree.rglob("conftest.py")]
    inside_tests = [path for folder in tree.glob("test*") for path in folder.rglob("*.py")]
    return list(dict.fromkeys([*found, *inside_tests]))
