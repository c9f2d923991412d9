"""``prunella approvals``"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.interval import Interval
from prunella.cli.session import Session


@click.group(short_help="Let others approve fixes by signed links.")
def approvals() -> None:
    """Let others approve fixes by signed links that expire and work once.

    `prunella fixes approve` approves at once; these are for chats, mails and endpoints.
    """


@approvals.command("link", short_help="Make a token that approves one fix.")
@click.argument("fix_id", metavar="FIX_ID")
@click.option(
    "--expires",
    type=Interval(most=timedelta(days=30)),
    default="24h",
    show_default=True,
    metavar="TIME",
    help="How long it is valid: 30m, 24h, 7d.",
)
@options.root
@options.as_json
@click.pass_obj
def make_link(session: Session, fix_id: str, expires: timedelta, root: Path | None) -> ExitCode:
    """Make a token that approves one waiting fix; whoever has it may redeem it, once.

    It is void as soon as anything else is decided about the fix. It is signed with a secret of the
    teams' database; with an embedded store, with the file .prunella/secret. Both are made where
    there is none. Where the setting server_url is set, the address to follow is printed, too.
    """
    from prunella.codec.plain import to_plain

    with session.healer(root, refresh=False) as healer:
        made = healer.approvals.link(fix_id, expires=expires)

    def show(console: Any) -> None:
        # Alone on its line, so that a script can take it.
        console.print(made.token, soft_wrap=True)
        if made.url:
            console.print(made.url, soft_wrap=True)

    session.result(to_plain(made), show)
    return ExitCode.DONE


@approvals.command("redeem", short_help="Approve by a token.")
@click.argument("token")
@click.option("--as", "who", default="", metavar="NAME", help="Who approves.  [default: you]")
@options.root
@options.as_json
@click.pass_obj
def redeem(session: Session, token: str, who: str, root: Path | None) -> ExitCode:
    """Approve the fix that a token is for; ends with 1 where it is forged, expired or used."""
    from prunella.cli.views.fixes import show_step
    from prunella.codec.plain import to_plain

    with session.healer(root, refresh=False) as healer:
        after = healer.approvals.redeem(token, who=who)
    session.result(to_plain(after), lambda console: show_step(console, after, "is approved"))
    return ExitCode.DONE
