"""``prunella demo``"""

from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session


@click.command(short_help="Let an example program fail, and watch it heal.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="D",
    help="Folder to copy the example program into; new or empty.  [default: a temporary one]",
)
@options.as_json
@click.pass_obj
def demo(session: Session, folder: Path | None) -> ExitCode:
    """Let an example program fail, and watch it heal.

    Copies a small shop with real faults and tests into D, a git repository of its own; drives a day
    of traffic through it; then diagnoses what failed, proposes patches, proves them by replay and by
    the tests, and puts them on branches. Then an evening: four partners fail over HTTP, fixes are
    proposed and approved, and heal the calls while they are made. Needs no key; takes about two
    minutes.
    """
    import os

    from prunella.cli.journey import travel
    from prunella.cli.views.journey import Narrator, Silence
    from prunella.model.settings import variable_name

    # The example keeps its records in its own folder, never where a team keeps its own.
    os.environ.pop(variable_name("database"), None)
    journey = travel(session, folder, Silence() if session.as_json else Narrator(session.console()))
    if session.as_json:
        session.result(journey.to_plain(), lambda _console: None)
    return ExitCode.DONE if journey.healed else ExitCode.NEGATIVE
