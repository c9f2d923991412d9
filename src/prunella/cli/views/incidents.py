"""Incidents in a table."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from prunella.cli.incident_list import IncidentList
from prunella.cli.views.parts import STATUS_STYLES, class_name, failed_function, words
from prunella.model.clock import now
from prunella.model.incidents import Incident
from prunella.model.wording import ago, one_line, plural, span

#: ``inc_`` and six hex digits.
_LEAST_ID_CHARS = 10


def show_list(console: Console, found: IncidentList) -> None:
    """Print one line an incident, and what to do next."""
    if found.incidents:
        console.print(incident_table(found.incidents))
        hint = "The story of one: prunella incidents show ID. Repair: prunella heal FUNCTION"
        console.print(Text(hint, "dim"))
    else:
        console.print("No incidents: nothing that is asked for has failed under @heal.")
    if found.ignored:
        hint = f"{plural(found.ignored, 'ignored incident')}: prunella incidents --status ignored"
        console.print(Text(hint, "dim"))


def incident_table(incidents: Sequence[Incident]) -> Table:
    """Return id, function, error, count, times and status of each."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("id", no_wrap=True, style="cyan")
    table.add_column("function and error", overflow="fold")
    table.add_column("times", justify="right", no_wrap=True)
    table.add_column("last", no_wrap=True)
    table.add_column("since", no_wrap=True)
    table.add_column("status", no_wrap=True)
    moment = now()
    shown_chars = _id_chars([item.incident_id for item in incidents])
    for item in incidents:
        what = Text.assemble(one_line(failed_function(item)), "\n", error_line(item, max_chars=100))
        table.add_row(
            words(item.incident_id[:shown_chars]),
            what,
            f"{item.count:,}",
            ago(item.last_seen_at, moment),
            span(moment - item.first_seen_at),
            Text(item.status.value, STATUS_STYLES[item.status]),
        )
    return table


def _id_chars(ids: Sequence[str]) -> int:
    """Return how many characters tell the ids apart; their beginning is enough for commands."""
    chars = _LEAST_ID_CHARS
    while len({item[:chars] for item in ids}) < len(set(ids)):
        chars += 1
    return chars


def error_line(incident: Incident, *, max_chars: int = 300) -> Text:
    """Return the exception's class and message."""
    name = one_line(class_name(incident.error_type), 80)
    message = one_line(incident.message, max_chars)
    return Text.assemble((name, "bold"), (f": {message}" if message else "", "dim"))


def show_ignored(console: Console, incident: Incident) -> None:
    """Print that an incident is ignored from now on."""
    console.print(
        Text.assemble(
            (one_line(incident.incident_id), "cyan"),
            f" is ignored from now on: {one_line(failed_function(incident))} raises ",
            error_line(incident, max_chars=100),
        )
    )
