"""How many of QuixBugs' programs Prunella repairs with their tests as the oracle.

    python benchmarks/quixbugs.py FOLDER [--only NAME …] [--resume FILE] [--json]

FOLDER is a clone of QuixBugs (Lin, Koppel, Chen, Solar-Lezama, SPLASH 2017 companion). Each program
becomes a project of its own: the program, its test module, what that imports. Then
``prunella heal --test`` works on it; the corrected programs are used for scoring only.

crash      a failing test ends with another exception than a failed assertion or a time-out
plausible  with the patch offered first all of the program's tests pass, in a fresh run
correct    besides, the function is the corrected one, compared as syntax tree; a plausible patch
           that is written otherwise is not counted, though it may be right
ambiguous  the verdict says that the tests allow other behaviours too

`--resume` keeps each result in a file; a run that was cut goes on there.
"""

import argparse
import ast
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kept import Kept

from prunella.model.errors import PrunellaError
from prunella.pipeline.results import Healing
from prunella.wiring.healer import Healer

PROGRAMS, TESTS, CORRECT = "python_programs", "python_testcases", "correct_python_programs"
#: Modules of the test folder that no program owns.
SHARED = ("node.py", "load_testdata.py")
#: Ways of a test to fail that are no crash.
NO_CRASH = ("AssertionError", "Failed")


@dataclass(slots=True, kw_only=True)
class Result:
    """What became of one program."""

    name: str
    failure: str = ""
    crash: bool = False
    plausible: bool = False
    correct: bool = False
    ambiguous: bool = False
    origin: str = ""
    edit: str = ""
    #: Why nothing was offered.
    abstention: str = ""
    time_s: float = 0.0


def names(folder: Path) -> list[str]:
    """Return the programs that have a test module."""
    found = sorted(path.stem.removeprefix("test_") for path in (folder / TESTS).glob("test_*.py"))
    return [name for name in found if (folder / PROGRAMS / f"{name}.py").is_file()]


def build(folder: Path, name: str, into: Path) -> None:
    """Make the project of one program."""
    parts = [
        "conftest.py",
        f"{PROGRAMS}/{name}.py",
        f"{TESTS}/test_{name}.py",
        f"json_testcases/{name}.json",
        *(f"{TESTS}/{shared}" for shared in SHARED),
    ]
    for part in parts:
        if (folder / part).is_file():
            (into / part).parent.mkdir(exist_ok=True)
            shutil.copy(folder / part, into / part)


def measure(folder: Path, name: str) -> Result:
    """Heal one program and score the patch that is offered first."""
    result = Result(name=name)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place).resolve()
        root.chmod(0o755)  # a sandbox that root starts reads as an ordinary user
        build(folder, name, root)
        started = time.perf_counter()
        try:
            healing = Healer(root=root).heal_tests([f"{TESTS}/test_{name}.py"])
        except PrunellaError as error:
            result.abstention = str(error)
        else:
            _score(healing, folder / CORRECT / f"{name}.py", result)
        result.time_s = time.perf_counter() - started
    return result


def _score(healing: Healing, correct: Path, result: Result) -> None:
    result.failure = healing.incident.error_type.partition(":")[2]
    result.crash = result.failure not in NO_CRASH
    best = healing.best
    if best is None or not best.accepted:
        result.abstention = healing.explanation
        return
    patch = best.candidate.patch
    result.plausible = True
    result.origin, result.edit = best.candidate.origin, best.candidate.description
    result.correct = _function(patch.after, patch.qualname) == _function(
        correct.read_bytes(), patch.qualname
    )
    result.ambiguous = any(
        check.name == "agreement" and check.outcome == "not_shown" for check in best.verdict.checks
    )


def _function(source: bytes, name: str) -> str:
    """Return a function's syntax tree as text."""
    found = [item for item in ast.parse(source).body if getattr(item, "name", "") == name]
    return ast.dump(found[-1]) if found else ""


def run(folder: Path, only: Sequence[str], kept: Kept) -> list[Result]:
    """Heal the programs that aren't kept, one after the other; tells a waiting person of each."""
    results = []
    for name in only:
        found = kept.get(name)
        results.append(Result(**found) if found else measure(folder, name))
        if found is None:
            kept.add(name, asdict(results[-1]))
        said = "plausible" if results[-1].plausible else "not repaired"
        print(f"{name}: {said} ({results[-1].time_s:.0f} s)", file=sys.stderr, flush=True)
    return results


def table(results: Sequence[Result]) -> str:
    """Return one line a program, and the sums, in Markdown."""
    lines = ["| program | fails with | plausible | correct | ambiguous | s | patch or reason |"]
    lines.append("|---|---|---|---|---|---|---|")
    for item in results:
        marks = " | ".join(
            "yes" if value else "-" for value in (item.plausible, item.correct, item.ambiguous)
        )
        said = " ".join((item.edit or item.abstention).split()).replace("|", "\\|")
        lines.append(f"| {item.name} | {item.failure} | {marks} | {item.time_s:.1f} | {said} |")
    return "\n".join([*lines, "", sums(results)])


def sums(results: Sequence[Result]) -> str:
    """Return the totals in sentences."""
    plausible = [item for item in results if item.plausible]
    crashes = [item for item in results if item.crash]
    median = statistics.median(item.time_s for item in results) if results else 0.0
    return (
        f"QuixBugs: {len(plausible)} of {len(results)} plausible, "
        f"{sum(item.correct for item in plausible)} the corrected program itself, "
        f"{sum(item.ambiguous for item in plausible)} said to be ambiguous; of the "
        f"{len(crashes)} that crash {sum(item.plausible for item in crashes)} plausible; "
        f"median {median:.1f} s, longest {max((item.time_s for item in results), default=0):.1f} s"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="a clone of QuixBugs")
    parser.add_argument("--only", nargs="+", help="names of programs")
    parser.add_argument("--resume", type=Path, help="file of results: done programs are left out")
    parser.add_argument("--json", action="store_true", help="one JSON object a program")
    given = parser.parse_args(arguments)
    results = run(given.folder, given.only or names(given.folder), Kept(given.resume))
    if given.json:
        for item in results:
            print(json.dumps(asdict(item)))
    else:
        print(table(results))


if __name__ == "__main__":
    main()
