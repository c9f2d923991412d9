"""The demo, told live."""

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from prunella.cli.attempts import Attempt
from prunella.cli.evening import Evening, Partner, Phase
from prunella.cli.example import Traffic, tests_can_run
from prunella.cli.journey import Journey
from prunella.cli.views.evening import EveningScreen, before_and_after
from prunella.cli.views.healing import cause, publication_facts
from prunella.cli.views.incidents import error_line, incident_table
from prunella.cli.views.parts import (
    candidate_line,
    changed_lines,
    class_name,
    facts,
    failed_function,
    verdict_line,
    words,
)
from prunella.model.incidents import Incident
from prunella.model.repair import CheckOutcome, Verdict
from prunella.model.wording import one_line, plural
from prunella.pipeline.results import Healing


class Silence:
    """Watches the demo and says nothing: for ``--json``."""

    def copied(self, folder: Path) -> None: ...

    def logged(self, line: str) -> None: ...

    def drove(self, traffic: Traffic) -> None: ...

    def found(self, incidents: Sequence[Incident]) -> None: ...

    def tried(self, attempt: Attempt) -> None: ...

    def arrived(self, journey: Journey) -> None: ...

    def evening_began(self) -> None: ...

    def second_passed(self, partners: Sequence[Partner], phase: Phase) -> None: ...

    def decided(self, partners: Sequence[Partner], phase: Phase) -> None: ...

    def evening_ended(self, evening: Evening) -> None: ...

    def parted(self, journey: Journey) -> None: ...


class Narrator:
    """Tells the demo on a console while it happens."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._step = 0
        self._seen: set[str] = set()
        self._evening = EveningScreen(console)

    def copied(self, folder: Path) -> None:
        self._title("A program")
        self._console.print(
            "  Fern & Fig, a shop that sends plants by post. Its functions carry @heal."
        )
        self._console.print(facts([("folder", words(str(folder)))]))
        if not tests_can_run():
            missing = (
                "pytest is not installed: its tests can't speak for a patch (pip install pytest)"
            )
            self._console.print(facts([("tests", Text(missing, "yellow"))]))
        self._title("It runs, and some of it fails")

    def logged(self, line: str) -> None:
        """Print a line of the program's log, the first of its sort."""
        # What stands in front of the values: the function and the exception's class.
        sort = line.partition("(")[0]
        if sort not in self._seen:
            self._seen.add(sort)
            self._console.print(words(f"  {line}", "red", max_chars=110))

    def drove(self, traffic: Traffic) -> None:
        self._console.print(
            f"  … {plural(traffic.requests, 'request')}, {traffic.failed:,} of them failed. "
            "The callers got their exceptions unchanged; Prunella wrote down what happened."
        )

    def found(self, incidents: Sequence[Incident]) -> None:
        self._title(f"{plural(len(incidents), 'incident')}: failures that look alike are one")
        self._console.print(incident_table(incidents))
        self._title("Diagnosis, patches, proof")

    def tried(self, attempt: Attempt) -> None:
        incident = attempt.incident
        name = one_line(failed_function(incident))
        self._console.print(
            Text.assemble((name, "bold cyan"), "  ", error_line(incident, max_chars=80))
        )
        if attempt.healing is None:
            self._console.print(facts([("not tried", words(attempt.problem, "yellow"))]))
        else:
            self._tell_healing(attempt.healing)
        self._console.print()

    def _tell_healing(self, healing: Healing) -> None:
        rows = [("cause", cause(healing.diagnosis))]
        if healing.best is not None:
            rows.append(("patch", candidate_line(healing.best.candidate)))
            rows.append(("", verdict_line(healing.best.verdict)))
            if healing.best.accepted:
                rows.append(("", changed_lines(healing.best.candidate.patch.diff)))
        if healing.publication is not None:
            rows.append(publication_facts(healing.publication)[0])
        else:
            rows.append(("abstains", words(healing.explanation, "yellow")))
        self._console.print(facts(rows))

    def arrived(self, journey: Journey) -> None:
        healed, tried = len(journey.healed), len(journey.attempts)
        self._title(f"{healed} of {plural(tried, 'incident')} healed in {journey.duration_s:.0f} s")
        self._console.print(_healed_table(journey))
        left = [item for item in journey.attempts if not item.healed]
        if left or journey.ignored:
            self._console.print(Text("Not healed, and why", "bold"))
        for item in left:
            why = item.healing.explanation if item.healing else item.problem
            self._tell_left(item.incident, why)
        for incident in journey.ignored:
            self._tell_left(incident, f"ignored by {incident.ignored_by}")
        self._console.print()
        self._console.print(
            "A proven patch no longer fails on the recorded failures, and changes none of the "
            "recorded successes. Whether the new answer is the one you want is yours to review: "
            "nothing was merged, and no file of the program was touched."
        )

    def evening_began(self) -> None:
        self._title("An evening: what can't wait for a patch is healed while it runs")
        self._console.print(
            "  The shop asks four partners over HTTP, and each has a fault of its own."
        )
        self._evening.begin()

    def second_passed(self, partners: Sequence[Partner], phase: Phase) -> None:
        self._evening.show(partners, phase)

    def decided(self, partners: Sequence[Partner], phase: Phase) -> None:
        self._evening.decided(partners, phase)

    def evening_ended(self, evening: Evening) -> None:
        self._evening.end()
        self._title(
            f"{len(evening.healed)} of {plural(len(evening.partners), 'partner')} healed by fixes "
            f"in {evening.duration_s:.0f} s"
        )
        self._console.print(before_and_after(evening))

    def parted(self, journey: Journey) -> None:
        self._evening.end()
        self._console.print()
        self._console.print(Text("Next", "bold"))
        for command in journey.next_commands:
            self._console.print(words(f"  {command}", "green"), soft_wrap=True)

    def _tell_left(self, incident: Incident, why: str) -> None:
        name = one_line(failed_function(incident))
        error = one_line(class_name(incident.error_type))
        self._console.print(Text.assemble("  ", (name, "cyan"), f"  {error}"))
        self._console.print(Padding(words(why), (0, 0, 0, 4)))

    def _title(self, text: str) -> None:
        self._step += 1
        self._console.print()
        self._console.print(Text(f"{self._step}. {text}", "bold"))


def _healed_table(journey: Journey) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("function and branch", overflow="fold")
    table.add_column("error", overflow="fold")
    table.add_column("no longer fail", justify="right")
    table.add_column("unchanged", justify="right")
    table.add_column("tests", justify="right")
    for item in journey.healed:
        healing = item.healing
        if healing is None or healing.best is None:
            continue
        verdict = healing.best.verdict
        branch = healing.publication.branch if healing.publication else None
        name = one_line(failed_function(item.incident))
        table.add_row(
            Text.assemble((name, "cyan"), "\n", (one_line(branch or "no branch"), "green")),
            words(class_name(item.incident.error_type)),
            f"{verdict.replays.failing_healed} of {verdict.replays.failing_reproduced}",
            f"{verdict.replays.passing_equal} of {verdict.replays.passing_reproduced}",
            _tests(verdict),
        )
    return table


def _tests(verdict: Verdict) -> str:
    ran = any(
        item.name == "tests" and item.outcome is CheckOutcome.PASSED for item in verdict.checks
    )
    return "pass" if ran else "not run"
