"""What the checks of a patch's text say of patches that developers made: they should say nothing.

    python benchmarks/text_checks.py BUGSINPY PROJECTS

Takes every function that the developers' patches of BugsInPy's five projects change (see
`bugsinpy`), as if it alone were the patch, and prints how many of them each check would turn down,
and which. What replay and tests say is not asked.
"""

import argparse
import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bugsinpy import NEEDS, Bug, bugs

from prunella.model.repair import Patch
from prunella.validate import policy
from prunella.validate.foundations import unfounded
from prunella.validate.handlers import unfounded_answers

CHECKS = {
    "signature": policy.signature_problems,
    "policy": policy.policy_problems,
    "foundations": lambda edit: [*unfounded(edit), *unfounded_answers(edit)],
}


def edits(clone: Path, bug: Bug) -> Iterator[policy.Edit]:
    """Yield each function of the project that the developers' patch changes, as an edit."""
    for path in re.findall(r"^\+\+\+ b/(\S+\.py)", bug.patch, re.MULTILINE):
        old, new = _source(clone, bug.buggy, path), _source(clone, bug.fixed, path)
        try:
            before, after = _functions(ast.parse(old)), _functions(ast.parse(new))
        except SyntaxError:
            continue  # written for Python 2
        for name in before.keys() & after.keys():
            if ast.dump(before[name]) != ast.dump(after[name]):
                edited = _spliced(old, before[name], new, after[name])
                yield policy.parse(
                    Patch(path=path, qualname=name, before=old, after=edited, diff="")
                )


def _source(clone: Path, commit: str, path: str) -> bytes:
    command = ["git", "-C", str(clone), "show", f"{commit}:{path}"]
    return subprocess.run(command, capture_output=True, check=False).stdout


def _functions(module: ast.Module) -> dict[str, policy.Function]:
    """Return the functions that are not inside others, by qualified name; the first of a name."""
    found: dict[str, policy.Function] = {}
    left: list[tuple[str, ast.AST]] = [("", module)]
    while left:
        prefix, node = left.pop(0)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                left.append((f"{prefix}{child.name}.", child))
            elif isinstance(child, policy.Function):
                found.setdefault(f"{prefix}{child.name}", child)
            else:
                left.append((prefix, child))
    return found


def _spliced(old: bytes, before: policy.Function, new: bytes, after: policy.Function) -> bytes:
    first, last = _lines(before)
    start, end = _lines(after)
    lines = old.splitlines(keepends=True)
    return b"".join([*lines[:first], *new.splitlines(keepends=True)[start:end], *lines[last:]])


def _lines(function: policy.Function) -> tuple[int, int]:
    first = min([function.lineno, *(item.lineno for item in function.decorator_list)])
    return first - 1, function.end_lineno or function.lineno


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what each check turns down."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("bugsinpy", type=Path, help="a clone of BugsInPy")
    parser.add_argument("projects", type=Path, help="a folder with clones of the projects")
    given = parser.parse_args(arguments)
    seen, against = 0, Counter[str]()
    for project in NEEDS:
        for bug in bugs(given.bugsinpy, project):
            for edit in edits(given.projects / project, bug):
                seen += 1
                for name, check in CHECKS.items():
                    problems = check(edit)
                    against[name] += bool(problems)
                    if problems:
                        place = f"{project}:{bug.number} {edit.patch.qualname}"
                        print(f"{place}: {name}: {'; '.join(problems)[:200]}")
    for name in CHECKS:
        print(f"{name}: against {against[name]} of {seen} functions that developers changed")


if __name__ == "__main__":
    main()
