"""How often the built-in rules repair crashing programs, and how often rightly.

    python benchmarks/repair.py DATA [--split dev|held-out] [--limit N] [--every N] [--sample N]
                [--cross] [--in-process] [--json] [--resume FILE] [--beside FILE]
    python benchmarks/repair.py DATA --calibrate

Each program takes the real path: its tests are recorded, reproduced in the sandbox, the rules
propose, every candidate is judged by replay, and up to three that the evidence carries are
offered. A program that crashes in several ways is healed one incident after the other, each on top
of the patch offered first for the one before.

crash removed  with the patches offered first, no test crashes any more
plausible      besides, every test that passed before still passes
answers right  every test that crashed before gets its expected answer (others may stay wrong)
correct        all tests of the question pass, the hidden ones too
overfit        plausible, not correct
abstained      nothing was offered

Of questions kept aside, only the totals are printed. `--calibrate` runs the dev split alone and
writes the rules' priors. `--cross` prints, for limits of the score, how often offers of one dev
question are correct with priors of the other dev questions (see `calibration`). `--in-process`
runs the programs in the benchmark's own processes: much faster, with no sandbox around them.
`--sample` draws that many programs of each split, the same ones every time.

`--resume` keeps each result in a file; a run that was cut goes on there. `--beside` names such a
file of another run, and prints how far both agree.
"""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from calibration import cross, write_priors
from kept import Kept, rows
from refactory import FILE, Program, parameters, read
from repair_report import Incident as Healed
from repair_report import Result, agreement, holds, offers, reasons, restored, row, table

from in_process import InProcessReplayer
from prunella.adapters.replay import SandboxReplayer
from prunella.codec import decode, encode_mapping
from prunella.model.dossier import Dossier
from prunella.model.errors import PrunellaError, SourceUnavailable
from prunella.model.ids import CallId, IncidentId, OccurrenceId, ProcessId, SiteId
from prunella.model.incidents import Incident, IncidentStatus
from prunella.model.records import Call, Ending, Frame, Occurrence, Process, Site
from prunella.model.repair import (
    Baseline,
    Candidate,
    ReplayEnding,
    ReplayOutcome,
    ReplayRequest,
    SourceFunction,
    Verdict,
)
from prunella.model.settings import Settings
from prunella.patching import locate
from prunella.pipeline.second_edit import second_edits
from prunella.ports import Replayer
from prunella.propose.rules import propose_by_rules
from prunella.validate.judge import Trial, judge, reconsider
from prunella.validate.reproduce import reproduce

PRIORS = Path(__file__).parents[1] / "src/prunella/propose/rules/priors.json"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
#: Incidents of one program, healed one after the other.
MAX_ROUNDS = 3
#: Patches offered for one incident, at most.
MAX_OFFERED = 3
#: What samples are drawn with.
SEED = 1


class Bench:
    """Records, heals and scores one program in a folder of its own."""

    def __init__(self, program: Program, folder: Path, replayer: Replayer) -> None:
        self.program = program
        self.folder = folder
        self.replayer = replayer
        self.source = program.source
        self.process = Process(
            process_id=ProcessId("proc_bench"),
            pid=1,
            started_at=MOMENT,
            python_version=sys.version.partition(" ")[0],
            executable=sys.executable,
            sys_path=(str(folder),),
            root=str(folder),
            cwd=str(folder),
            argv=("",),
            hostname="bench",
            prunella_version="0",
        )
        self.requests = [self._request(number) for number in range(len(program.tests))]

    def _request(self, number: int) -> ReplayRequest:
        test = self.program.tests[number]
        names = parameters(self.program.source, test.function)
        inputs = encode_mapping(dict(zip(names, test.arguments, strict=False)))
        return ReplayRequest(
            request_id=CallId(f"call_{number}"),
            site_id=f"program:{test.function}",
            inputs=inputs.tree,
            started_at=MOMENT,
        )

    def run(self, variants: Sequence[bytes]) -> list[Sequence[ReplayOutcome]]:
        """Run every test on every variant of the program."""
        overlays = [{FILE: variant} for variant in variants]
        return list(self.replayer.replay(self.folder, self.process, self.requests, overlays))

    def settle(self, source: bytes) -> None:
        """Make `source` the program on disk: the base of the next incident."""
        self.source = source
        (self.folder / FILE).write_bytes(source)

    def right(self, number: int, outcome: ReplayOutcome) -> bool:
        """A test got its expected answer."""
        if outcome.ending is not ReplayEnding.RETURNED or not outcome.complete:
            return False
        try:
            value = decode(outcome.result, resolve=_no_class)
        except PrunellaError:
            return False
        return self.program.tests[number].expected in (str(value), repr(value))

    # --- recording

    def recorded(self) -> tuple[list[Occurrence], list[Call]]:
        """Return what the crashing and the passing tests leave behind on the present base."""
        [row] = self.run([self.source])
        failing = [
            self._occurrence(number, row[number])
            for number in self.program.indexes(crashing=True)
            if row[number].exception is not None
        ]
        passing = [
            Call(
                call_id=CallId(f"call_{number}"),
                site_id=SiteId(self.requests[number].site_id),
                source_hash="",
                process_id=self.process.process_id,
                trace_id="",
                started_at=MOMENT,
                duration_us=row[number].duration_us,
                inputs=self.requests[number].inputs,
                result=row[number].result,
                complete=row[number].complete,
            )
            for number in self.program.indexes(crashing=False)
            if row[number].ending is ReplayEnding.RETURNED
        ]
        return failing, passing

    def _occurrence(self, number: int, outcome: ReplayOutcome) -> Occurrence:
        assert outcome.exception is not None
        return Occurrence(
            occurrence_id=OccurrenceId(f"occ_{number}"),
            group="",
            site_id=SiteId(self.requests[number].site_id),
            source_hash="",
            process_id=self.process.process_id,
            trace_id="",
            call_id=CallId(f"call_{number}"),
            started_at=MOMENT,
            duration_us=outcome.duration_us,
            ending=Ending.ERROR,
            exception=outcome.exception,
            inputs=self.requests[number].inputs,
            complete=True,
        )

    # --- healing

    def dossier(self, failing: Sequence[Occurrence], baseline: Baseline) -> Dossier:
        """Return what is known about the incident of `failing`."""
        site_id = Counter(item.site_id for item in failing).most_common(1)[0][0]
        name = site_id.partition(":")[2]
        exception = failing[0].exception
        function, missing = None, "no frame lies in the program"
        frame = _innermost(failing[0])
        if frame is not None:
            try:
                function = self._function(frame)
            except SourceUnavailable as error:
                missing = str(error)
        return Dossier(
            incident=Incident(
                incident_id=IncidentId("inc_bench"),
                fingerprint="",
                scheme="",
                site_id=site_id,
                error_type=exception.type,
                error_code=exception.type_name,
                message=exception.message,
                location=None,
                status=IncidentStatus.OPEN,
                count=len(failing),
                first_seen_at=MOMENT,
                last_seen_at=MOMENT,
            ),
            site=Site(
                site_id=site_id,
                module="program",
                qualname=name,
                file=FILE,
                first_line=1,
                source_hash="",
            ),
            process=self.process,
            failing=tuple(failing),
            passing=tuple(call for call, _ in baseline.passing),
            function=function,
            function_missing=missing,
            baseline=baseline,
        )

    def _function(self, frame: Frame) -> SourceFunction:
        qualname = frame.qualname.partition(".<locals>.<")[0]
        span = locate(self.source, qualname, line=frame.line)
        return SourceFunction(
            path=FILE,
            module="program",
            qualname=qualname,
            first_line=span.first_line,
            last_line=span.last_line,
            text=span.text,
            file_source=self.source,
        )

    def heal(
        self, failing: Sequence[Occurrence], passing: Sequence[Call], result: Result
    ) -> list[Candidate]:
        """Return what is offered for one incident, best first; note the incident."""
        baseline = reproduce(self.replayer, self.folder, self.process, failing, passing)
        if not baseline.failing:
            result.abstention = "no failing call reproduced"
            return []
        dossier = self.dossier(failing, baseline)
        trials: list[Trial] = []
        verdicts = self._judged(propose_by_rules(dossier), baseline, trials)
        if not offers(verdicts):
            self._judged(second_edits(dossier, trials), baseline, trials)
            verdicts = reconsider(trials)
        result.candidates += len(trials)
        best = offers(verdicts)[:MAX_OFFERED]
        result.incidents.append(self._healed(failing, trials, verdicts, best))
        if not best:
            result.abstention = (
                "too little evidence" if any(holds(verdict) for verdict in verdicts)
                else "no candidate was accepted" if trials
                else dossier.function_missing if dossier.function is None
                else "no rule applies"
            )  # fmt: skip
        return [trials[at].candidate for at in best]

    def _judged(
        self, candidates: Sequence[Candidate], baseline: Baseline, trials: list[Trial]
    ) -> list[Verdict]:
        return judge(
            candidates,
            baseline,
            self.replayer,
            None,
            self.folder,
            self.process,
            earlier=trials,
        )

    def _healed(
        self,
        failing: Sequence[Occurrence],
        trials: Sequence[Trial],
        verdicts: Sequence[Verdict],
        best: Sequence[int],
    ) -> Healed:
        """Score every candidate that no check failed."""
        kept = [at for at, verdict in enumerate(verdicts) if holds(verdict)]
        rows = self.run([trials[at].candidate.patch.after for at in kept]) if kept else []
        outcomes = dict(zip(kept, rows, strict=True))
        crashing = [int(item.occurrence_id.partition("_")[2]) for item in failing]
        everything = range(len(self.program.tests))

        def right(tests: Iterable[int]) -> tuple[bool, ...]:
            numbers = list(tests)
            return tuple(
                at in outcomes and all(self.right(test, outcomes[at][test]) for test in numbers)
                for at in range(len(trials))
            )

        return Healed(
            trials=tuple(trials),
            right=right(crashing),
            correct=right(everything),
            offered=best[0] if best else None,
        )


def _no_class(path: str) -> object:
    raise SourceUnavailable(f"{path} is not wanted here")


def _innermost(occurrence: Occurrence) -> Frame | None:
    inside = [frame for frame in occurrence.exception.frames if frame.in_project]
    inside = [frame for frame in inside if frame.qualname != "<module>"]
    return inside[-1] if inside else None


def _incidents(failing: Iterable[Occurrence]) -> list[list[Occurrence]]:
    """Group failures as triage does, roughly: by exception and functions; the commonest first."""
    groups: dict[tuple[str, ...], list[Occurrence]] = {}
    for item in failing:
        inside = [frame.qualname for frame in item.exception.frames if frame.in_project]
        groups.setdefault((item.exception.type, *inside), []).append(item)
    return sorted(groups.values(), key=len, reverse=True)


def measure(program: Program, *, in_process: bool = False) -> Result:
    """Heal one program and score it."""
    result = Result(
        program_id=program.program_id,
        question=program.question,
        split=program.split,
        exception=program.exception,
    )
    settings = replace(Settings(), replay_timeout_s=0.5, replay_memory_mb=512)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # a sandbox that root starts reads as an ordinary user
        replayer = InProcessReplayer(settings) if in_process else SandboxReplayer(settings)
        bench = Bench(program, Path(folder).resolve(), replayer)
        bench.settle(program.source)
        alternatives = _rounds(bench, result)
        result.time_s = time.perf_counter() - started
        _score(bench, alternatives, result)
    return result


def _rounds(bench: Bench, result: Result) -> list[bytes]:
    """Heal incident after incident; return the alternatives offered in the last round."""
    alternatives: list[bytes] = []
    for _ in range(MAX_ROUNDS):
        failing, passing = bench.recorded()
        if not failing and not result.offered:
            result.abstention = "the function that the tests call isn't there"
        best: list[Candidate] = []
        for incident in _incidents(failing):
            best = bench.heal(incident, passing, result)
            if best:
                break
        if not best:
            break
        result.offered = True
        result.origins.append(best[0].origin)
        alternatives = [candidate.patch.after for candidate in best]
        bench.settle(alternatives[0])
    return alternatives


def _score(bench: Bench, alternatives: Sequence[bytes], result: Result) -> None:
    if not alternatives:
        return
    rows = bench.run(alternatives)
    count = range(len(bench.program.tests))
    first = rows[0]
    crashing = bench.program.indexes(crashing=True)
    result.crash_removed = all(first[at].ending is ReplayEnding.RETURNED for at in crashing)
    result.plausible = result.crash_removed and all(
        bench.right(at, first[at]) for at in bench.program.indexes(crashing=False)
    )
    result.right_on_crashing = all(bench.right(at, first[at]) for at in crashing)
    result.correct = all(bench.right(at, first[at]) for at in count)
    result.correct_among_offered = any(
        all(bench.right(at, row[at]) for at in count) for row in rows
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path, help="refactory_crashes.jsonl")
    parser.add_argument("--split", choices=("dev", "held-out"))
    parser.add_argument("--limit", type=int)
    parser.add_argument("--every", type=int, default=1, help="each Nth program only")
    parser.add_argument("--json", action="store_true", help="one JSON object a program")
    parser.add_argument("--calibrate", action="store_true", help="write the rules' priors")
    parser.add_argument("--cross", action="store_true", help="priors of the other dev questions")
    parser.add_argument("--in-process", action="store_true", help="fast, without a sandbox")
    parser.add_argument("--sample", type=int, help="so many programs of each split")
    parser.add_argument("--resume", type=Path, help="file of results: done programs are left out")
    parser.add_argument("--beside", type=Path, help="file of another run's results, to compare")
    given = parser.parse_args(arguments)
    if given.resume and (given.calibrate or given.cross):
        parser.error("--calibrate and --cross need every candidate, which no file keeps")
    split = "dev" if given.calibrate else given.split
    programs = [item for item in read(given.data) if split in (None, item.split)]
    programs = sampled(programs, given.sample)[:: given.every][: given.limit]
    kept = Kept(given.resume, {"in_process": given.in_process})
    results = run_all(programs, kept, in_process=given.in_process)
    if given.calibrate:
        write_priors(results, PRIORS)
        print(f"wrote {PRIORS}")
    if given.json:
        for item in results:
            print(json.dumps(row(item)))
    else:
        print(tables(results))
    if given.cross:
        dev = [item for item in results if item.split == "dev"]
        print(f"\npriors of the other dev questions\n{cross(dev)}")
    if given.beside:
        others = {name: restored(item) for name, item in rows(given.beside).items()}
        print(f"\n{agreement(results, others)}")


def sampled(programs: Sequence[Program], count: int | None) -> list[Program]:
    """Return `count` programs of each split, always the same ones; all of them for ``None``."""
    chosen: list[Program] = []
    for split in dict.fromkeys(item.split for item in programs):
        own = [item for item in programs if item.split == split]
        numbers = list(range(len(own)))
        if count is not None and count < len(own):
            numbers = sorted(random.Random(SEED).sample(numbers, count))
        chosen += [own[number] for number in numbers]
    return chosen


def tables(results: Sequence[Result]) -> str:
    """Return the figures of each question and split."""
    lines = []
    for number in sorted({item.question for item in results}):
        own = [item for item in results if item.question == number]
        split = own[0].split
        lines.append(f"\nquestion {number}, {split}\n{table(own, whole=split == 'dev')}")
    for name in dict.fromkeys(item.split for item in results):
        own = [item for item in results if item.split == name]
        lines.append(f"\n{name}\n{table(own, whole=name == 'dev')}")
        lines.append(f"abstained because: {reasons(own)}")
    return "\n".join(lines)


def run_all(programs: Sequence[Program], kept: Kept, *, in_process: bool) -> list[Result]:
    """Measure the programs that aren't kept on two cores; tells a waiting person how far it is."""
    done = {
        item.program_id: restored(found)
        for item in programs
        if (found := kept.get(item.program_id))
    }
    left = [item for item in programs if item.program_id not in done]
    one = partial(measure, in_process=in_process)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for number, result in enumerate(pool.imap_unordered(one, left, chunksize=2), 1):
            done[result.program_id] = result
            kept.add(result.program_id, row(result))
            correct = sum(item.correct for item in done.values())
            end = "\r" if sys.stderr.isatty() else "\n"
            if end == "\n" and number % 20:
                continue
            text = f"{len(done)}/{len(programs)} programs, {correct} repaired correctly"
            print(text, end=end, file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return [done[item.program_id] for item in programs]


if __name__ == "__main__":
    main()
