"""``prunella replay``"""

from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session
from prunella.codec.plain import to_plain
from prunella.pipeline.results import Difference

#: What makes `prunella replay` say "it differs". A healed call does what everyone wants it to do.
_DIFFERENT = frozenset({Difference.CHANGED, Difference.BROKEN})


@click.command()
@click.argument("function")
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PATCHFILE",
    help="Replay on the committed code with this patch applied.  [default: the present code]",
)
@options.root
@options.as_json
@click.pass_obj
def replay(session: Session, function: str, against: Path | None, root: Path | None) -> ExitCode:
    """Run a function's recorded calls again, in a sandbox, and show what differs.

    Ends with 1 where a call that returned now fails or returns something else.
    """
    with session.healer(root) as healer, session.progress("Replaying"):
        report = healer.replay(function, None if against is None else against.read_bytes())

    from prunella.cli.views.replay import show_report

    session.result(to_plain(report), lambda console: show_report(console, report))
    differs = any(row.difference in _DIFFERENT for row in report.rows)
    return ExitCode.NEGATIVE if differs else ExitCode.DONE
