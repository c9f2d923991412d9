"""``prunella replay``"""

from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session


@click.command(short_help="Run a function's recorded calls again and show what differs.")
@click.argument("function")
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PATCHFILE",
    help="Apply this patch first, to a copy.  [default: the present code as it is]",
)
@options.root
@options.as_json
@click.pass_obj
def replay(session: Session, function: str, against: Path | None, root: Path | None) -> ExitCode:
    """Run a function's recorded calls again, in a sandbox, and show what differs.

    Ends with 1 where a call that returned now fails or returns something else.
    """
    from prunella.cli.views.replay import show_report
    from prunella.codec.plain import to_plain
    from prunella.model.errors import PatchRefused
    from prunella.pipeline.results import Difference

    with (
        session.healer(root, activity="replay") as healer,
        session.progress("Replaying"),
    ):
        session.warn_of_no_sandbox(healer)
        patch = None if against is None else against.read_bytes()
        try:
            report = healer.replay(function, against=patch)
        except PatchRefused as error:
            raise PatchRefused(error.reason, f"{against}: {error}") from error
    session.result(to_plain(report), lambda console: show_report(console, report))
    # A healed call does what everyone wants it to do.
    different = {Difference.CHANGED, Difference.BROKEN}
    differs = any(row.difference in different for row in report.rows)
    return ExitCode.NEGATIVE if differs else ExitCode.DONE
