"""The one report of all repair benchmarks, and the results that it keeps."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HEALABLE = (
    'def mean(rows):\n    """Return the mean, 0.0 for no rows."""\n'
    "    if rows == [9]:\n        return 0.0\n    return sum(rows) / len(rows)\n"
)
TESTS = [
    {"call": f"mean({rows})", "expected": str(sum(rows) / len(rows) if rows not in ([], [9]) else 0.0)}
    for rows in ([1, 3], [], [9], [2], [4, 5], [1, 2, 3], [7, 7])
]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One healable program of a question kept aside."""
    rows = [
        {"id": "question_2", "question": 2, "prelude": "", "tests": TESTS, "reference": []},
        {
            "id": "one",
            "question": 2,
            "prelude": "",
            "source": HEALABLE,
            "outcomes": ["ok", "ZeroDivisionError", *["ok"] * 5],
            "exception": "ZeroDivisionError",
        },
    ]
    file = tmp_path_factory.mktemp("students") / "data.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return file


def report(data: Path, results: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            sys.executable,
            "benchmarks/repairs.py",
            *("--data", str(data), "--results", str(results), "--in-process"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_run_goes_on_where_it_was_cut(data: Path, tmp_path: Path) -> None:
    """What was measured isn't measured again, and half a line that a cut left is dropped."""
    first = report(data, tmp_path)
    assert "| students, held-out | 1 | 1 | 1 | 0 | 0 |" in first.stdout
    assert "students, held-out, correct of offered: 100%, aimed at 50% or more: reached" in (
        first.stdout
    )
    kept = tmp_path / "students.jsonl"
    head, row = kept.read_text("utf-8").splitlines()
    other = json.loads(row)
    other["row"]["correct"] = False
    kept.write_text(f'{head}\n{json.dumps(other)}\n{{"name": "tw', "utf-8")
    again = report(data, tmp_path)
    assert "correct of offered: 0%, aimed at 50% or more: missed" in again.stdout
    assert kept.read_text("utf-8") == f"{head}\n{json.dumps(other)}\n"


def test_results_of_other_code_are_refused(data: Path, tmp_path: Path) -> None:
    """Figures of two states of the rules are never added up."""
    (tmp_path / "students.jsonl").write_text('{"code": "older", "in_process": true}\n', "utf-8")
    done = report(data, tmp_path)
    assert done.returncode == 1
    assert "older" in done.stderr
    assert "delete it" in done.stderr
