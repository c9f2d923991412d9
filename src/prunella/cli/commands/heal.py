"""``prunella heal``"""

from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session


@click.command(short_help="Diagnose, propose patches, prove them; --pr publishes.")
@click.argument("function", required=False)
@click.option(
    "--all", "everything", is_flag=True, help="Heal every open incident, the worst first."
)
@click.option(
    "--test",
    "tests",
    multiple=True,
    metavar="TEST",
    help="Heal what makes this test fail: a node id of pytest, a file or a folder; repeatable.",
)
@options.lookback
@click.option(
    "--pr", is_flag=True, help="Put accepted patches on branches, with a pull-request text."
)
@click.option("--dry-run", is_flag=True, help="Print what would be done and sent; write nothing.")
@click.option("--force", is_flag=True, help="Try now, whatever was tried within the cooldown.")
@click.option(
    "--model",
    metavar="PROVIDER:NAME",
    help="Language model to ask, such as openai:gpt-4.1.  [default: the setting model]",
)
@options.root
@options.as_json
@click.pass_obj
def heal(
    session: Session,
    function: str | None,
    everything: bool,
    tests: tuple[str, ...],
    lookback_minutes: int | None,
    pr: bool,
    dry_run: bool,
    force: bool,
    model: str | None,
    root: Path | None,
) -> ExitCode:
    """Diagnose why a function fails, propose patches and prove them by replaying recorded calls.

    FUNCTION is a name as `prunella incidents` shows it, the last part of one, or an incident id.
    With --test nothing needs to be recorded: the failing tests say what is right. Without --pr
    nothing of yours is changed: the proven patch is shown. Ends with 1 where nothing could be healed.
    """
    if everything + bool(tests) + (function is not None) != 1:
        raise click.UsageError(
            "give either FUNCTION, --all or --test; `prunella incidents` lists functions"
        )
    if pr and dry_run:
        raise click.UsageError("--pr and --dry-run exclude each other")
    from prunella.cli.attempts import attempt_tests, attempts
    from prunella.cli.views.healing import show_attempts

    if tests:
        if dry_run:
            raise click.UsageError(
                "--test and --dry-run exclude each other: leave out --pr instead"
            )
        with session.healer(root, model, refresh=False) as healer:
            session.warn_of_no_sandbox(healer)
            with session.progress("Healing"):
                tried = [attempt_tests(healer, tests, create_pr=pr)]
    else:
        with session.healer(root, model, activity="" if dry_run else "heal") as healer:
            session.warn_of_no_sandbox(healer)
            pending = healer.pending(lookback_minutes, function)
            with session.progress("Healing"):
                tried = list(attempts(healer, pending, create_pr=pr, keep=not dry_run, force=force))
    healed = sum(item.healed for item in tried)
    plain = {
        "healed": healed,
        "dry_run": dry_run,
        "healings": [item.to_plain() for item in tried],
    }
    session.result(plain, lambda console: show_attempts(console, tried, dry_run=dry_run))
    return ExitCode.DONE if healed or dry_run or not tried else ExitCode.NEGATIVE
