"""All that is known of how often Prunella repairs, in one report.

    python benchmarks/repairs.py [--data FILE] [--quixbugs FOLDER]
                                 [--bugsinpy FOLDER --projects FOLDER]
                                 [--results FOLDER] [--in-process]

Runs the sets that are given: crashing students' programs (`repair`), QuixBugs (`quixbugs`), and the
crashes of BugsInPy's five projects (`bugsinpy`), each with its own report, and prints last how many
programs of each set end how, beside what was aimed at. A model is used in none of them.

--results     keeps each program's result there: a run that was cut goes on where it was
--in-process  the students' programs run without a sandbox: much faster

correct    all hidden tests pass; for QuixBugs and BugsInPy: the patched code is the known right one,
           compared as syntax trees, so that right patches which are written otherwise don't count
plausible  what the tests or replays that chose the patch show, and no more; correct ones included
wrong      offered, and not even that
abstained  nothing was offered
"""

import argparse
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import bugsinpy
import quixbugs
import repair
import repair_report
from kept import Kept
from refactory import read

#: Seconds after which a bug of BugsInPy is given up.
LIMIT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one program ended."""

    offered: bool
    plausible: bool
    correct: bool
    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something that was aimed at, and what came of it."""

    what: str
    found: float
    wanted: float

    @property
    def line(self) -> str:
        shares = self.wanted < 1
        found, wanted = (
            f"{number:.0%}" if shares else f"{number:g}" for number in (self.found, self.wanted)
        )
        verdict = "reached" if self.found >= self.wanted else "missed"
        return f"{self.what}: {found}, aimed at {wanted} or more: {verdict}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One line of the report."""

    name: str
    programs: Sequence[Ended]
    targets: Sequence[Target] = ()


def students(results: Sequence[repair_report.Result]) -> Iterator[Part]:
    """Yield a part for each split of the students' programs."""
    for split in dict.fromkeys(item.split for item in results):
        own = [item for item in results if item.split == split]
        ended = [
            Ended(
                offered=item.offered,
                plausible=item.plausible,
                correct=item.correct,
                time_s=item.time_s,
            )
            for item in own
        ]
        name = f"students, {split}"
        offered = sum(item.offered for item in ended)
        correct = sum(item.correct for item in ended)
        targets = (
            Target(what=f"{name}, correct of offered", found=correct / max(offered, 1), wanted=0.5),
            Target(what=f"{name}, correct of all", found=correct / len(own), wanted=0.25),
        )
        yield Part(name=name, programs=ended, targets=targets)


def quix(results: Sequence[quixbugs.Result]) -> Part:
    """Return the part of QuixBugs."""
    crashes = [item for item in results if item.crash]
    return Part(
        name="QuixBugs",
        programs=[
            Ended(
                offered=item.plausible,
                plausible=item.plausible,
                correct=item.correct,
                time_s=item.time_s,
            )
            for item in results
        ],
        targets=(
            Target(
                what=f"QuixBugs, plausible of {len(results)}",
                found=sum(item.plausible for item in results),
                wanted=20,
            ),
            Target(
                what=f"QuixBugs, plausible of the {len(crashes)} that crash",
                found=sum(item.plausible for item in crashes),
                wanted=8,
            ),
        ),
    )


def real(results: Sequence[bugsinpy.Result]) -> Iterator[Part]:
    """Yield a part for each project of BugsInPy, and one for all."""
    projects = list(dict.fromkeys(item.bug.partition(":")[0] for item in results))
    for name in [*projects, ""]:
        own = [item for item in results if name in ("", item.bug.partition(":")[0])]
        ended = [
            Ended(
                offered=item.plausible,
                plausible=item.plausible,
                correct=item.correct,
                time_s=item.time_s,
            )
            for item in own
            if item.time_s
        ]
        yield Part(name=f"BugsInPy, {name or 'all'}", programs=ended)


def summary(parts: Sequence[Part]) -> str:
    """Return how the programs of each part ended, and what was aimed at."""
    lines = ["| set | programs | correct | plausible | wrong | abstained | median s |"]
    lines.append("|---|---|---|---|---|---|---|")
    for part in parts:
        ended = part.programs
        offered = sum(item.offered for item in ended)
        plausible = sum(item.plausible for item in ended)
        correct = sum(item.correct for item in ended)
        median = f"{statistics.median(item.time_s for item in ended):.1f}" if ended else "-"
        numbers = (len(ended), correct, plausible, offered - plausible, len(ended) - offered)
        lines.append(f"| {part.name} | {' | '.join(map(str, numbers))} | {median} |")
    lines += ["", *(target.line for part in parts for target in part.targets)]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is given, and print the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="refactory_crashes.jsonl")
    parser.add_argument("--quixbugs", type=Path, help="a clone of QuixBugs")
    parser.add_argument("--bugsinpy", type=Path, help="a clone of BugsInPy")
    parser.add_argument("--projects", type=Path, help="a folder with clones of its projects")
    parser.add_argument("--results", type=Path, help="folder that keeps each program's result")
    parser.add_argument("--in-process", action="store_true", help="students' programs: no sandbox")
    given = parser.parse_args(arguments)
    if not (given.data or given.quixbugs or given.bugsinpy):
        parser.error("say where the data are: --data, --quixbugs, or --bugsinpy with --projects")
    if bool(given.bugsinpy) != bool(given.projects):
        parser.error("--bugsinpy and --projects go together")

    def kept(name: str, **options: object) -> Kept:
        return Kept(given.results / f"{name}.jsonl" if given.results else None, options)

    parts: list[Part] = []
    if given.data:
        options = {"in_process": given.in_process}
        seen = repair.run_all(read(given.data), kept("students", **options), **options)
        print(f"# Students' programs\n{repair.tables(seen)}", flush=True)
        parts += students(seen)
    if given.quixbugs:
        names = quixbugs.names(given.quixbugs)
        repaired = quixbugs.run(given.quixbugs, names, kept("quixbugs"))
        print(f"\n# QuixBugs\n\n{quixbugs.table(repaired)}", flush=True)
        parts.append(quix(repaired))
    if given.bugsinpy:
        options = {"every": False, "limit_s": LIMIT_S}
        healed = bugsinpy.run(
            given.bugsinpy, given.projects, [], kept("bugsinpy", **options), **options
        )
        print(f"\n# BugsInPy\n\n{bugsinpy.report(healed)}", flush=True)
        parts += real(healed)
    print(f"\n# All\n\n{summary(parts)}")


if __name__ == "__main__":
    main()
