"""``prunella heal``"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session
from prunella.pipeline.results import Healing, HealingOutcome

if TYPE_CHECKING:
    from prunella.wiring import Healer

#: Outcomes after which there is a patch that wasn't there before.
_HEALED = frozenset({HealingOutcome.PUBLISHED, HealingOutcome.PROVEN})


@click.command()
@click.argument("function", required=False)
@click.option("--all", "everything", is_flag=True, help="Heal every open incident, the worst first.")
@options.lookback
@click.option("--pr", is_flag=True, help="Put accepted patches on branches, with a pull-request text.")
@click.option("--dry-run", is_flag=True, help="Print what would be done and sent; write nothing.")
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
    lookback_minutes: int | None,
    pr: bool,
    dry_run: bool,
    model: str | None,
    root: Path | None,
) -> ExitCode:
    """Diagnose why a function fails, propose patches and prove them by replaying recorded calls.

    FUNCTION is a name as `prunella incidents` shows it, the last part of one, or an incident id.
    Without --pr nothing of yours is changed: the proven patch is shown. Ends with 1 where nothing
    could be healed.
    """
    if everything == (function is not None):
        raise click.UsageError("give either FUNCTION or --all; `prunella incidents` lists functions")
    if pr and dry_run:
        raise click.UsageError("--pr and --dry-run exclude each other")
    with session.healer(root, model) as healer:
        healings = _heal(session, healer, function, lookback_minutes, pr=pr, dry_run=dry_run)
    healed = sum(healing.outcome in _HEALED for healing in healings)
    plain = {
        "healed": healed,
        "dry_run": dry_run,
        "healings": [healing.to_plain() for healing in healings],
    }

    from prunella.cli.views.healing import show_healings

    session.result(plain, lambda console: show_healings(console, healings, dry_run=dry_run))
    return ExitCode.DONE if healed or dry_run or not healings else ExitCode.NEGATIVE


def _heal(
    session: Session,
    healer: "Healer",
    function: str | None,
    lookback_minutes: int | None,
    *,
    pr: bool,
    dry_run: bool,
) -> list[Healing]:
    if lookback_minutes is None:
        lookback_minutes = healer.loaded.settings.lookback_minutes
    pending = healer.pending(lookback_minutes, function)
    with session.progress("Healing") as progress:
        return [
            healer.heal(incident, create_pr=pr, dry_run=dry_run, progress=progress)
            for incident in pending
        ]
