"""The repair benchmark on a data set of two programs, in the real sandbox."""

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
HOPELESS = "def mean(rows):\n    return mean(rows)\n"
TESTS = [
    {"call": "mean([1, 3])", "expected": "2.0"},
    {"call": "mean([])", "expected": "0.0"},
    {"call": "mean([9])", "expected": "0.0"},
    {"call": "mean([2])", "expected": "2.0"},
    {"call": "mean([4, 5])", "expected": "4.5"},
    {"call": "mean([1, 2, 3])", "expected": "2.0"},
    {"call": "mean([7, 7])", "expected": "7.0"},
]


@pytest.mark.parametrize("options", [(), ("--in-process",)])
def test_programs_are_healed_and_scored(tmp_path: Path, options: tuple[str, ...]) -> None:
    """A right patch counts as correct on all tests; a hopeless program is an abstention."""
    rows = [
        {"id": "question_1", "question": 1, "prelude": "", "tests": TESTS, "reference": []},
        _program("one", HEALABLE, ["ok", "ZeroDivisionError", *["ok"] * 5]),
        _program("two", HOPELESS, ["RecursionError"] * len(TESTS)),
    ]
    data = tmp_path / "data.jsonl"
    data.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    done = subprocess.run(
        [sys.executable, "benchmarks/repair.py", str(data), "--json", *options],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    one, two = (json.loads(line) for line in done.stdout.splitlines())
    assert one["offered"]
    assert one["correct"]
    assert one["origins"][0].startswith("rule:zero.")
    assert not two["offered"]
    assert two["abstention"] == "no rule applies"


def _program(name: str, source: str, outcomes: list[str]) -> dict[str, object]:
    crash = next(item for item in outcomes if item != "ok")
    return {
        "id": name, "question": 1, "prelude": "", "source": source, "outcomes": outcomes,
        "exception": crash,
    }  # fmt: skip
