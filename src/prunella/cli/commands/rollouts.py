"""``prunella rollouts``"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.groups import ListByDefault
from prunella.cli.session import Session
from prunella.cli.steering import steer

if TYPE_CHECKING:
    from prunella.pipeline.looking import Look

_reason = click.option(
    "--reason", default="", metavar="TEXT", help="Why; kept with the decision in the audit log."
)
_rollout = click.argument("rollout_id", metavar="ID")


@click.group(cls=ListByDefault, short_help="Show and steer how fixes are rolled out.")
def rollouts() -> None:
    """Show and steer how fixes are rolled out; `rollouts` alone lists.

    A rollout takes a fix from 5 % of the traffic to all of it, or back, by what running programs
    count. Each command takes the id of the rollout or of its fix, or the beginning of one.
    """


@rollouts.command("list")
@click.option("--all", "with_ended", is_flag=True, help="Also those that ended.")
@options.root
@options.as_json
@click.pass_obj
def list_rollouts(session: Session, with_ended: bool, root: Path | None) -> ExitCode:
    """List rollouts, the one that changed last first."""
    from prunella.cli.views.fixes import show_list
    from prunella.codec.plain import to_plain
    from prunella.model.rollouts import ENDED

    with session.healer(root) as healer:
        found = healer.fixes.list()
    shown = [item for item in found if with_ended or item.state not in ENDED]
    session.result(
        {"rollouts": to_plain(shown), "ended": len(found) - len(shown)},
        lambda console: show_list(console, shown, hidden=len(found) - len(shown)),
    )
    return ExitCode.DONE


@rollouts.command("show", short_help="Show one rollout: its ramp, both arms, and the evidence.")
@_rollout
@click.option("--watch", is_flag=True, help="Show it anew every two seconds, until it has ended.")
@options.root
@options.as_json
@click.pass_obj
def show_rollout(session: Session, rollout_id: str, watch: bool, root: Path | None) -> ExitCode:
    """Show one rollout: its ramp, both arms with confidence sequences, e-values and thresholds.

    The confidence sequences hold at every look at once, so that watching does no harm.
    """
    from time import sleep

    from prunella.model.rollouts import ENDED

    with session.healer(root) as healer:
        look = healer.fixes.look(rollout_id)
        _tell(session, look)
        while watch and look.rollout.state not in ENDED:
            sleep(2.0)
            healer.refresh()
            seen, look = look, healer.fixes.look(rollout_id)
            if look != seen:
                _tell(session, look)
    return ExitCode.DONE


def _tell(session: Session, look: "Look") -> None:
    from prunella.cli.views.rollouts import as_json, show_look

    session.result(as_json(look), lambda console: show_look(console, look))


@rollouts.command("pause", short_help="Stop a rollout for now.")
@_rollout
@_reason
@options.root
@options.as_json
@click.pass_obj
def pause_rollout(session: Session, rollout_id: str, reason: str, root: Path | None) -> ExitCode:
    """Stop a rollout for now: every running process leaves its fix within a second."""
    return steer(session, root, "is paused", lambda all_: all_.pause(rollout_id, reason=reason))


@rollouts.command("resume", short_help="Let a paused rollout go on.")
@_rollout
@_reason
@options.root
@options.as_json
@click.pass_obj
def resume_rollout(session: Session, rollout_id: str, reason: str, root: Path | None) -> ExitCode:
    """Let a paused rollout go on with the share it had; counts from before stay apart."""
    return steer(session, root, "goes on", lambda all_: all_.resume(rollout_id, reason=reason))


@rollouts.command("rollback", short_help="Take a fix back everywhere.")
@_rollout
@_reason
@options.root
@options.as_json
@click.pass_obj
def roll_back_rollout(
    session: Session, rollout_id: str, reason: str, root: Path | None
) -> ExitCode:
    """Take a fix back everywhere, for good: every running process leaves it within a second."""
    return steer(
        session, root, "is rolled back", lambda all_: all_.roll_back(rollout_id, reason=reason)
    )


@rollouts.command("promote", short_help="Let a fix act everywhere but on the holdback.")
@_rollout
@_reason
@options.root
@options.as_json
@click.pass_obj
def promote_rollout(session: Session, rollout_id: str, reason: str, root: Path | None) -> ExitCode:
    """Let a fix act everywhere but on the holdback, without waiting for evidence."""
    return steer(session, root, "is promoted", lambda all_: all_.promote(rollout_id, reason=reason))
