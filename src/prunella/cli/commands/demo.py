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
@click.option(
    "--serve",
    "serving",
    is_flag=True,
    help="Open the dashboard on it while its traffic goes on, and let you heal it there.",
)
@click.option(
    "--port",
    default=8787,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port of the dashboard.",
)
@options.as_json
@click.pass_context
def demo(context: click.Context, folder: Path | None, serving: bool, port: int) -> ExitCode:
    """Let an example program fail, and watch it heal.

    Copies a small shop with real faults and tests into D, a git repository of its own; drives a day
    of traffic through it; then diagnoses what failed, proposes patches, proves them by replay and by
    the tests, and puts them on branches. Then an evening: four partners fail over HTTP, fixes are
    proposed and approved, and heal the calls while they are made. Needs no key; takes about two
    minutes.

    With --serve nothing is healed by itself: the evening goes on and on, and the dashboard shows it.
    """
    import os

    from prunella.model.settings import variable_name

    # The example keeps its records in its own folder, never where a team keeps its own.
    for setting in ("database", "dsn"):
        os.environ.pop(variable_name(setting), None)
    session: Session = context.obj
    if serving:
        return _serve(context, session, folder, port)
    from prunella.cli.journey import travel
    from prunella.cli.views.journey import Narrator, Silence

    journey = travel(session, folder, Silence() if session.as_json else Narrator(session.console()))
    if session.as_json:
        session.result(journey.to_plain(), lambda _console: None)
    return ExitCode.DONE if journey.healed else ExitCode.NEGATIVE


def _serve(context: click.Context, session: Session, folder: Path | None, port: int) -> ExitCode:
    """Serve the dashboard of a fresh example program until somebody ends it."""
    from prunella.cli.commands.serve import serve
    from prunella.cli.evening import running
    from prunella.cli.journey import begin
    from prunella.cli.views.journey import Narrator, Silence

    witness = Silence() if session.as_json else Narrator(session.console())
    found, _ = begin(folder, witness)
    with running(found):
        ended: ExitCode = context.invoke(serve, root=found, port=port)
    return ended
