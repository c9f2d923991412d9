"""``prunella incidents``"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session
from prunella.codec.plain import to_plain, to_tagged
from prunella.model.clock import now
from prunella.model.incidents import Incident, IncidentStatus
from prunella.pipeline.results import Story, plain_candidate


class _ListByDefault(click.Group):
    """A group whose ``list`` command is meant where no other is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        wants_help = any(item in ctx.help_option_names for item in args[:1])
        if not wants_help and (not args or args[0].startswith("-")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListByDefault)
def incidents() -> None:
    """Show what fails, how often, since when; `incidents` alone lists.

    An incident is all failures that look alike: same exception, same place, same sort of message.
    """


@incidents.command("list")
@click.option(
    "--status",
    type=click.Choice([status.value for status in IncidentStatus]),
    help="Only these.  [default: all but ignored ones]",
)
@click.option("--function", metavar="NAME", help="Only those of a function, by any part of its name.")
@options.lookback
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
    with session.healer(root) as healer:
        since = None if lookback_minutes is None else now() - timedelta(minutes=lookback_minutes)
        wanted = None if status is None else IncidentStatus(status)
        found = [
            incident
            for incident in healer.store.incidents(status=wanted, since=since)
            if _is_of(incident, function)
        ]
    shown = [item for item in found if wanted or item.status is not IncidentStatus.IGNORED]
    plain = {"incidents": to_plain(shown), "ignored": len(found) - len(shown)}

    from prunella.cli.views.incidents import show_list

    session.result(plain, lambda console: show_list(console, shown, ignored=len(found) - len(shown)))
    return ExitCode.DONE


@incidents.command("show")
@click.argument("incident_id", metavar="ID")
@options.root
@options.as_json
@click.pass_obj
def show_incident(session: Session, incident_id: str, root: Path | None) -> ExitCode:
    """Tell the story of one incident; the beginning of its id is enough.

    Frames with locals, inputs, error code, similar incidents, diagnosis, candidates, verdicts.
    """
    with session.healer(root) as healer:
        story = healer.story(incident_id)

    from prunella.cli.views.story import show_story

    session.result(_plain_story(story), lambda console: show_story(console, story))
    return ExitCode.DONE


@incidents.command("ignore")
@click.argument("incident_id", metavar="ID")
@options.root
@options.as_json
@click.pass_obj
def ignore_incident(session: Session, incident_id: str, root: Path | None) -> ExitCode:
    """Stop healing and reporting an incident; its failures are still recorded.

    To ignore a whole class of errors before it fails, write .prunellaignore.
    """
    with session.healer(root) as healer:
        incident = healer.store.incident(incident_id)
        healer.store.set_status(
            incident.incident_id, IncidentStatus.IGNORED, ignored_by="prunella incidents ignore"
        )
        incident = healer.store.incident(incident.incident_id)

    from prunella.cli.views.incidents import show_ignored

    session.result(to_plain(incident), lambda console: show_ignored(console, incident))
    return ExitCode.DONE


def _is_of(incident: Incident, function: str | None) -> bool:
    if function is None:
        return True
    names = [incident.site_id]
    if incident.location is not None:
        names.append(f"{incident.location.module}:{incident.location.qualname}")
    return any(function in name for name in names)


def _plain_story(story: Story) -> dict[str, Any]:
    return {
        "incident": to_plain(story.incident),
        "site": to_plain(story.site),
        "occurrences": to_plain(story.occurrences),
        "similar": to_plain(story.similar),
        "diagnoses": to_plain(story.diagnoses),
        "candidates": [
            {**plain_candidate(candidate), "verdict": None if verdict is None else to_tagged(verdict)}
            for candidate, verdict in story.candidates
        ],
        "publications": to_plain(story.publications),
    }
