"""``prunella calls``"""

from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.groups import ListByDefault
from prunella.cli.session import Session


@click.group(cls=ListByDefault, short_help="Show recorded calls, and mark those to judge by.")
def calls() -> None:
    """Show recorded calls that returned, and mark those to judge by; `calls` alone lists.

    A golden call is one that a person vouches for: its result is right. It is kept whatever its
    age and the store's size, and patches are judged by golden calls before any others.
    """


@calls.command("list")
@click.argument("function", required=False)
@click.option("--golden", "golden_only", is_flag=True, help="Only golden calls.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="How many, at most.",
)
@options.root
@options.as_json
@click.pass_obj
def list_calls(
    session: Session, function: str | None, golden_only: bool, limit: int, root: Path | None
) -> ExitCode:
    """List the latest recorded calls of FUNCTION, or of all, newest first."""
    from prunella.cli.views.calls import show_calls
    from prunella.codec.plain import to_plain

    with session.healer(root) as healer:
        found = healer.calls(function, golden_only=golden_only, limit=limit)
    session.result({"calls": to_plain(found)}, lambda console: show_calls(console, found))
    return ExitCode.DONE


@calls.command("show", short_help="Show one recorded call.")
@click.argument("call_id", metavar="ID")
@options.root
@options.as_json
@click.pass_obj
def show_call(session: Session, call_id: str, root: Path | None) -> ExitCode:
    """Show inputs and result of one recorded call; the beginning of its id is enough."""
    from prunella.cli.views.calls import show_kept_call
    from prunella.codec.plain import to_plain

    with session.healer(root) as healer:
        found = healer.call(call_id)
    session.result(to_plain(found), lambda console: show_kept_call(console, found))
    return ExitCode.DONE


@calls.command("golden", short_help="Mark calls as references.")
@click.argument("call_ids", metavar="ID...", nargs=-1, required=True)
@options.root
@options.as_json
@click.pass_obj
def golden(session: Session, call_ids: tuple[str, ...], root: Path | None) -> ExitCode:
    """Mark calls as references: their results are right, and they are never forgotten."""
    return _mark(session, call_ids, root, golden=True)


@calls.command("ungolden", short_help="Take the mark back.")
@click.argument("call_ids", metavar="ID...", nargs=-1, required=True)
@options.root
@options.as_json
@click.pass_obj
def ungolden(session: Session, call_ids: tuple[str, ...], root: Path | None) -> ExitCode:
    """Make golden calls ordinary ones again, which are forgotten with time."""
    return _mark(session, call_ids, root, golden=False)


def _mark(
    session: Session, call_ids: tuple[str, ...], root: Path | None, *, golden: bool
) -> ExitCode:
    from prunella.cli.views.calls import show_marked
    from prunella.codec.plain import to_plain

    with session.healer(root) as healer:
        marked = healer.mark_golden(call_ids, golden=golden)
    session.result({"calls": to_plain(marked)}, lambda console: show_marked(console, marked))
    return ExitCode.DONE
