"""Rounds of the bot, a few lines each."""

from typing import Any

from rich.console import Console
from rich.text import Text

from prunella.cli.views.parts import failed_function, words
from prunella.model.clock import now
from prunella.model.errors import PrunellaError
from prunella.model.wording import one_line, plural
from prunella.pipeline.results import HealingOutcome
from prunella.pipeline.rounds import Agenda, Turn
from prunella.wiring.bot import Round

_MARKS = {
    HealingOutcome.PUBLISHED: ("✓", "green"),
    HealingOutcome.PROVEN: ("✓", "green"),
    HealingOutcome.WITHDRAWN: ("?", "yellow"),
    HealingOutcome.UNPROVEN: ("?", "yellow"),
    HealingOutcome.ABSTAINED: ("–", "yellow"),
}


def plain_round(done: Round) -> dict[str, Any]:
    """Return a round as JSON types."""
    return {
        "at": now().isoformat(),
        "tried": [_plain_turn(turn) for turn in done.turns],
        "waiting": {item.incident_id: why for item, why in done.agenda.waiting},
        "note": done.note,
    }


def _plain_turn(turn: Turn) -> dict[str, Any]:
    healing = turn.healing
    return {
        "incident_id": turn.incident.incident_id,
        "outcome": "not_tried" if healing is None else healing.outcome.value,
        "explanation": turn.problem if healing is None else healing.explanation,
        "branch": None if healing is None else healing["branch"],
        "pr_url": None if healing is None else healing["pr_url"],
    }


def show_round(console: Console, done: Round) -> None:
    """Print what a round tried; a round with nothing to do is one line."""
    stamp = f"{now():%H:%M:%S} "
    if not done.turns:
        waiting = f", {plural(len(done.agenda.waiting), 'incident')} wait" * bool(
            done.agenda.waiting
        )
        console.print(Text(f"{stamp}nothing is due{waiting}", "dim"))
    for turn in done.turns:
        console.print(Text.assemble((stamp, "dim"), _turn_line(turn)))
    if done.note:
        console.print(words(f"{stamp}{done.note}", "yellow"))


def _turn_line(turn: Turn) -> Text:
    name = one_line(failed_function(turn.incident))
    if turn.healing is None:
        return Text.assemble(("– ", "dim"), name, f": {one_line(turn.problem)}")
    mark, style = _MARKS[turn.healing.outcome]
    said = turn.healing["pr_url"] or turn.healing["branch"] or turn.healing.explanation
    return Text.assemble((f"{mark} ", style), name, f": {one_line(str(said), 300)}")


def show_agenda(console: Console, todo: Agenda) -> None:
    """Print what a round would heal, and what waits for which reason."""
    for item in todo.due:
        console.print(Text.assemble(("due    ", "green"), one_line(failed_function(item))))
    for item, why in todo.waiting:
        console.print(
            Text.assemble(("waits  ", "dim"), one_line(failed_function(item)), f": {one_line(why)}")
        )
    if not (todo.due or todo.waiting):
        console.print("Nothing has failed in the window.")


def show_error(console: Console, error: PrunellaError) -> None:
    """Print what stopped a round."""
    console.print(words(f"{now():%H:%M:%S} {error}", "red"))
