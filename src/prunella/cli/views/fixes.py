"""Fixes in a table, and the story of one."""

import json
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from prunella.cli.views.parts import facts, words
from prunella.model.clock import now
from prunella.model.hypotheses import FixHypothesis, FixTrial
from prunella.model.rollouts import Rollout, RolloutState
from prunella.model.wording import ago, block, one_line, plural
from prunella.pipeline.fixes import Suggestion
from prunella.pipeline.rollouts import FixInProcess, FixStory

STATE_STYLES = {
    RolloutState.CANDIDATE: "yellow",
    RolloutState.TESTING: "cyan",
    RolloutState.GRADUATED: "green",
    RolloutState.ROLLED_BACK: "red",
    RolloutState.INCONCLUSIVE: "dim",
    RolloutState.RETIRED: "dim",
}


def show_list(console: Console, rollouts: Sequence[Rollout], *, hidden: int) -> None:
    """Print one line a fix, and what to do next."""
    if rollouts:
        console.print(_table(rollouts))
        hint = "One of them: prunella fixes show ID. Let a candidate act: prunella fixes approve ID"
        console.print(Text(hint, "dim"))
    else:
        console.print("No fixes. Add one: prunella fixes add FILE")
    if hidden:
        console.print(Text(f"{plural(hidden, 'ended fix', 'ended fixes')}: --all", "dim"))


def _table(rollouts: Sequence[Rollout]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("fix", overflow="fold", style="cyan")
    table.add_column("type", no_wrap=True)
    table.add_column("acts on", overflow="fold")
    table.add_column("state", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("changed", no_wrap=True)
    table.add_column("why", overflow="fold")
    moment = now()
    for item in rollouts:
        table.add_row(
            words(item.fix_id, max_chars=60),
            words(str(item.document["fix_type"])),
            words(_target(item), max_chars=80),
            state_text(item),
            f"{item.ratio:.0%}" if item.ratio else "–",
            ago(item.changed_at, moment),
            words(item.reason, "dim", max_chars=120),
        )
    return table


def state_text(rollout: Rollout) -> Text:
    """Return where a rollout stands, in its colour."""
    name = rollout.state.value.replace("_", " ")
    notes = [word for word in ("paused", "shadow") if getattr(rollout, word)]
    return Text(", ".join([name, *notes]), STATE_STYLES[rollout.state])


def _target(rollout: Rollout) -> str:
    target = rollout.document.get("target") or {}
    named = [*target.get("sites", ()), *target.get("error_codes", ())]
    return ", ".join(map(str, named)) or "every site"


def show_suggestions(console: Console, suggestions: Sequence[Suggestion]) -> None:
    """Print proposed fixes with what trying them showed, the surest first."""
    if not suggestions:
        console.print("No fix fits what is recorded of it. A patch may: prunella heal")
    for item in suggestions:
        sure = Text(f"{item.confidence:.2f}  ", "bold")
        fix_id = Text(one_line(str(item.hypothesis.document["fix_id"])), "cyan")
        console.print(Text.assemble(sure, fix_id))
        trial = item.trial
        rows = [
            ("why", words(item.hypothesis.reasoning)),
            ("prior", words(_prior(item.hypothesis))),
            ("tried", words(f"{trial.summary} By {trial.basis}.")),
            ("cost", words(_cost(trial))),
            (
                "now",
                words(item.reason.partition(":")[0] + (f"; {trial.needs}" if trial.needs else "")),
            ),
        ]
        console.print(facts(rows))


def _prior(hypothesis: FixHypothesis) -> str:
    tried = hypothesis.helped + hypothesis.failed
    return f"{hypothesis.prior:.2f}, from {plural(tried, 'outcome', 'outcomes')}"


def _cost(trial: FixTrial) -> str:
    calls = plural(trial.added_calls, "further call", "further calls")
    return f"{calls}, {trial.added_s:.2f} s a failing call"


def show_step(console: Console, rollout: Rollout, note: str) -> None:
    """Print where a fix stands after a step."""
    console.print(
        Text.assemble((one_line(rollout.fix_id), "cyan"), f" {note}: ", state_text(rollout))
    )
    console.print(words(f"  {rollout.reason}", "dim"))


def show_story(console: Console, story: FixStory) -> None:
    """Print a fix's document, where it stands, and what was decided about it."""
    rollout, moment = story.rollout, now()
    console.print(
        Text.assemble((one_line(rollout.fix_id), "bold cyan"), "  ", state_text(rollout), "  ")
    )
    rows = [
        ("rollout", words(f"{rollout.rollout_id}, version {rollout.version}")),
        ("acts on", words(_target(rollout))),
        ("share", words(f"{rollout.ratio:.0%} of the traffic, epoch {rollout.epoch}")),
        ("why", words(rollout.reason)),
        ("made", words(f"by {rollout.made_by}, {ago(rollout.made_at, moment)}")),
    ]
    if rollout.incident_id is not None:
        rows.append(("for", words(rollout.incident_id)))
    console.print(facts(rows))
    console.print(Text("\nDocument", "bold"))
    console.print(Text(block(json.dumps(rollout.document, indent=2))))
    if story.processes:
        console.print(Text("\nIn the programs", "bold"))
        console.print(_programs(story.processes))
    console.print(Text("\nHistory", "bold"))
    console.print(
        facts(
            [
                (
                    f"{entry.at:%Y-%m-%d %H:%M:%S}",
                    words(f"{entry.action} by {entry.actor}: {entry.reason}"),
                )
                for entry in story.history
            ]
        )
    )


#: Processes that are shown; the JSON has all.
_MAX_PROCESSES = 10
_EVENTS = {
    "skipped": "skipped because",
    "fault": "fault",
    "disabled": "switched off because of",
}


def _programs(processes: Sequence[FixInProcess]) -> Table:
    rows: list[tuple[str, Text]] = []
    for item in processes[:_MAX_PROCESSES]:
        counts = item.counts
        numbers = [
            (counts.triggers, "met it"),
            (counts.acted, "acted"),
            (counts.healed, "healed"),
            (counts.treated_failures, "failed all the same"),
            (counts.shadow, "in shadow"),
            (counts.skipped, "skipped"),
            (counts.fault, "faults"),
        ]
        said = ", ".join(f"{name} {number:,}" for number, name in numbers if number)
        rows.append((_process_name(item), words(said)))
        rows += [
            ("", words(f"would {what}: {times:,}", "dim", max_chars=200))
            for what, times in sorted(counts.would.items(), key=lambda pair: -pair[1])
        ]
        rows += [
            ("", words(f"{saying} {counts.latest[event]}", "dim", max_chars=240))
            for event, saying in _EVENTS.items()
            if event in counts.latest
        ]
    if len(processes) > _MAX_PROCESSES:
        rows.append(("", words(f"and {len(processes) - _MAX_PROCESSES} more", "dim")))
    return facts(rows)


def _process_name(item: FixInProcess) -> str:
    process = item.process
    return item.process_id if process is None else one_line(f"{process.pid}@{process.hostname}")
