"""Incidents in a table."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from prunella.cli.incident_list import IncidentList
from prunella.cli.text import ago, one_line, plural
from prunella.cli.views.parts import STATUS_STYLES, class_name, failed_function, words
from prunella.model.clock import now
from prunella.model.incidents import Incident


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
    table.add_column("function", overflow="fold")
    table.add_column("error", overflow="fold", ratio=1)
    table.add_column("times", justify="right")
    table.add_column("last", no_wrap=True)
    table.add_column("since", no_wrap=True)
    table.add_column("status", no_wrap=True)
    moment = now()
    for item in incidents:
        table.add_row(
            words(item.incident_id),
            words(failed_function(item)),
            error_line(item, max_chars=90),
            f"{item.count:,}",
            ago(item.last_seen_at, moment),
            ago(item.first_seen_at, moment),
            Text(item.status.value, STATUS_STYLES[item.status]),
        )
    return table


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
