"""The Refactory data set as recorded programs: what the repair benchmark works on.

A row is a student's program that crashes on some tests of its question. Tests that pass are its
recorded successes, tests that crash its recorded failures; tests with a wrong answer or a time-out
stay hidden, as do all expected answers, until a repair is scored.
"""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Rules were written with the programs of question 1 in view, never with those of question 2.
SPLITS = {1: "dev", 3: "dev", 2: "held-out", 4: "held-out", 5: "held-out"}
#: The one file that a program is.
FILE = "program.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One test of a question: a call and the text of its right answer."""

    __test__ = False  # not a pytest class

    function: str
    arguments: tuple[Any, ...]
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A crashing program."""

    program_id: str
    question: int
    split: str
    #: The commonest exception of its tests.
    exception: str
    source: bytes
    tests: tuple[Test, ...]
    #: One a test: ``ok``, ``wrong``, ``timeout`` or the exception's name.
    outcomes: tuple[str, ...]

    def indexes(self, *, crashing: bool) -> list[int]:
        """Return the numbers of the tests that crash, or of those that pass."""
        silent = ("wrong", "timeout", "ok")
        return [
            number
            for number, outcome in enumerate(self.outcomes)
            if (outcome not in silent if crashing else outcome == "ok")
        ]


def read(path: Path) -> list[Program]:
    """Return the programs of the data set in the order of the file."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    questions = {row["question"]: row for row in rows if row["id"].startswith("question_")}
    tests = {number: tests_of(row) for number, row in questions.items()}
    return [
        Program(
            program_id=row["id"],
            question=row["question"],
            split=SPLITS[row["question"]],
            exception=row["exception"],
            source=source_of(row),
            tests=tests[row["question"]],
            outcomes=tuple(row["outcomes"]),
        )
        for row in rows
        if not row["id"].startswith("question_")
    ]


def source_of(row: Mapping[str, Any]) -> bytes:
    """Return the file that a program's row stands for."""
    return f"{row['prelude']}\n\n{row['source']}\n".lstrip("\n").encode()


def tests_of(question: Mapping[str, Any]) -> tuple[Test, ...]:
    """Return the tests of a question's row."""
    known = _constants(question["prelude"])
    found = []
    for item in question["tests"]:
        call = ast.parse(item["call"], mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.keywords:
            raise ValueError(f"{question['id']}: {item['call']!r} is no plain call")
        arguments = tuple(
            known[node.id] if isinstance(node, ast.Name) else ast.literal_eval(node)
            for node in call.args
        )
        found.append(Test(function=call.func.id, arguments=arguments, expected=item["expected"]))
    return tuple(found)


def _constants(prelude: str) -> dict[str, Any]:
    return {
        target.id: ast.literal_eval(statement.value)
        for statement in ast.parse(prelude).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def parameters(source: bytes, function: str) -> list[str]:
    """Return the names of a function's positional parameters; ``[]`` where there is none."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return []
    for node in reversed(body):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return [item.arg for item in (*node.args.posonlyargs, *node.args.args)]
    return []
