"""Makes the repair benchmark's data of the Refactory data set: the programs that crash.

    python benchmarks/refactory_data.py data.zip crashes.jsonl

`data.zip` lies in the root of the data set's repository (githubhuyang/refactory, Hu, Ahmed,
Mechtaev, Leong, Roychoudhury, ASE 2019). Every wrong program of its five questions runs its
question's tests in the sandbox; one that raises on any of them becomes a row, after a row for each
question (see `refactory.read`).
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from refactory import Program, source_of, tests_of
from repair import Bench

from prunella.adapters.replay import SandboxReplayer
from prunella.model.repair import ReplayEnding, ReplayOutcome
from prunella.model.settings import Settings

QUESTIONS = (1, 2, 3, 4, 5)


def question_row(archive: zipfile.ZipFile, number: int) -> dict[str, Any]:
    """Return a question: its prelude and the calls and answers of its tests."""
    folder = f"data/question_{number}"
    names = archive.namelist()
    tests = f"{folder}/ans/input_"  # codespell:ignore ans
    inputs = sorted(name for name in names if name.startswith(tests))
    prelude = f"{folder}/code/global.py"
    return {
        "id": f"question_{number}",
        "question": number,
        "prelude": _text(archive, prelude).strip() if prelude in names else "",
        "tests": [
            {
                "call": _text(archive, name).strip(),
                "expected": _text(archive, name.replace("/input_", "/output_")).strip(),
            }
            for name in inputs
        ],
    }


def programs(archive: zipfile.ZipFile, question: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the wrong programs of a question, as rows without outcomes."""
    folder = f"data/question_{question['question']}/code/wrong/"
    for name in sorted(archive.namelist()):
        if name.startswith(folder) and name.endswith(".py"):
            yield {
                "id": PurePosixPath(name).stem,
                "question": question["question"],
                "prelude": question["prelude"],
                "source": _text(archive, name),
                "tests": question["tests"],
            }


def _text(archive: zipfile.ZipFile, name: str) -> str:
    return archive.read(name).decode("utf-8", "replace").replace("\r\n", "\n")


def with_outcomes(row: dict[str, Any]) -> dict[str, Any] | None:
    """Return a program's row with what its tests do, ``None`` where none of them raises."""
    tests = row.pop("tests")
    program = Program(
        program_id=row["id"],
        question=row["question"],
        split="",
        exception="",
        source=source_of(row),
        tests=tests_of({**row, "tests": tests}),
        outcomes=(),
    )
    settings = replace(Settings(), replay_timeout_s=1.0, replay_memory_mb=512)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # a sandbox that root starts reads as an ordinary user
        bench = Bench(program, Path(folder).resolve(), SandboxReplayer(settings))
        bench.settle(program.source)
        [outcomes] = bench.run([program.source])
        names = [_outcome(bench, at, item) for at, item in enumerate(outcomes)]
    raised = Counter(name for name in names if name not in ("ok", "wrong", "timeout"))
    if not raised:
        return None
    return {**row, "outcomes": names, "exception": raised.most_common(1)[0][0]}


def _outcome(bench: Bench, number: int, outcome: ReplayOutcome) -> str:
    if outcome.ending is ReplayEnding.RETURNED:
        return "ok" if bench.right(number, outcome) else "wrong"
    if outcome.exception is not None:
        return outcome.exception.type_name
    return "timeout"


def main() -> None:
    """Write the data."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("archive", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    with zipfile.ZipFile(given.archive) as archive:
        questions = [question_row(archive, number) for number in QUESTIONS]
        wrong = [row for question in questions for row in programs(archive, question)]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = [row for row in pool.imap(with_outcomes, wrong, chunksize=8) if row is not None]
    rows = [*questions, *found]
    given.out.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    counts = Counter((row["question"], row["exception"]) for row in found)
    for (number, name), count in sorted(counts.items()):
        print(f"question {number}  {name:20}{count:>5}", file=sys.stderr)


if __name__ == "__main__":
    main()
