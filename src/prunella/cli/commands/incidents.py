"""``prunella incidents``"""

from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.groups import ListByDefault
from prunella.cli.session import Session

#: The values of `IncidentStatus`, which ``--help`` doesn't load; a test compares them.
STATUSES = ("open", "mitigated", "cured", "regressed", "ignored")


@click.group(cls=ListByDefault, short_help="Show what fails, how often, since when.")
def incidents() -> None:
    """Show what fails, how often, since when; `incidents` alone lists.

    An incident is all failures that look alike: same exception, same place, same sort of message.
    """


@incidents.command("list")
@click.option(
    "--status", type=click.Choice(STATUSES), help="Only these.  [default: all but ignored ones]"
)
@click.option("--function", metavar="NAME", help="Only those with this in the function's name.")
@click.option(
    "--lookback",
    "lookback_minutes",
    type=click.IntRange(min=1),
    metavar="MINUTES",
    help="Only those that failed within so many minutes.  [default: all]",
)
@options.root
@options.as_json
@click.pass_obj
def list_incidents(
    session: Session,
    status: str | None,
    function: str | None,
    lookback_minutes: int | None,
    root: Path | None,
) -> ExitCode:
    """List incidents, the one seen last first."""
    from prunella.cli.incident_list import IncidentList
    from prunella.cli.views.incidents import show_list

    with session.healer(root) as healer:
        found = IncidentList.read(healer, status, function, lookback_minutes)
    session.result(found.to_plain(), lambda console: show_list(console, found))
    return ExitCode.DONE


@incidents.command("show", short_help="Tell the story of one incident.")
@click.argument("incident_id", metavar="ID")
@options.root
@options.as_json
@click.pass_obj
def show_incident(session: Session, incident_id: str, root: Path | None) -> ExitCode:
    """Tell the story of one incident; the beginning of its id is enough.

    Frames with locals, inputs, error code, similar incidents, diagnosis, candidates, verdicts.
    """
    from prunella.cli.views.story import show_story
    from prunella.pipeline.results import plain_story

    with session.healer(root) as healer:
        story = healer.story(incident_id)
    session.result(plain_story(story), lambda console: show_story(console, story))
    return ExitCode.DONE


@incidents.command("ignore", short_help="Stop healing and reporting an incident.")
@click.argument("incident_id", metavar="ID")
@options.root
@options.as_json
@click.pass_obj
def ignore_incident(session: Session, incident_id: str, root: Path | None) -> ExitCode:
    """Stop healing and reporting an incident; its failures are still recorded.

    To ignore a whole class of errors before it fails, write .prunellaignore.
    """
    from prunella.cli.views.incidents import show_ignored
    from prunella.codec.plain import to_plain

    with session.healer(root) as healer:
        incident = healer.ignore(incident_id)
    session.result(to_plain(incident), lambda console: show_ignored(console, incident))
    return ExitCode.DONE
