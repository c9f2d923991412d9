"""``prunella alerts``"""

from datetime import timedelta
from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.groups import ListByDefault
from prunella.cli.interval import Interval
from prunella.cli.session import Session

_what = click.argument("what", metavar="SITE_OR_CODE")


@click.group(cls=ListByDefault, short_help="Show and send what people are told by themselves.")
def alerts() -> None:
    """Show and send what people are told by themselves; `alerts` alone lists.

    New, regressed and spiking incidents, fixes that wait, graduate or are rolled back, and pull
    requests; once each. The bot sends them; where they go is set by PRUNELLA_ALERT_URLS and
    PRUNELLA_ALERT_WEBHOOK.
    """


@alerts.command("list", short_help="List the latest alerts, and what is muted.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most."
)
@options.root
@options.as_json
@click.pass_obj
def list_alerts(session: Session, limit: int, root: Path | None) -> ExitCode:
    """List the alerts of the last week with how far each got, and what is muted."""
    from prunella.cli.views.alerts import show_list
    from prunella.codec.plain import to_plain
    from prunella.pipeline.deliver import plain_told

    with session.healer(root, refresh=False) as healer:
        told, mutes = healer.alerts.list(limit=limit), healer.alerts.mutes()
    session.result(
        {"alerts": [plain_told(item) for item in told], "mutes": to_plain(mutes)},
        lambda console: show_list(console, told, mutes),
    )
    return ExitCode.DONE


@alerts.command("send", short_help="Decide and send what is due now.")
@options.root
@options.as_json
@click.pass_obj
def send_alerts(session: Session, root: Path | None) -> ExitCode:
    """Decide what people have to be told, and send it; for cron, where no bot runs.

    Ends with 1 where a place did not take an alert; it is tried again the next time.
    """
    from prunella.cli.views.alerts import show_sent
    from prunella.codec.plain import to_plain

    with session.healer(root) as healer, session.progress("Sending"):
        report = healer.alerts.send()
    session.result(to_plain(report), lambda console: show_sent(console, report))
    return ExitCode.NEGATIVE if report.failed else ExitCode.DONE


@alerts.command("test", short_help="Send a test to every place.")
@options.root
@options.as_json
@click.pass_obj
def test_alerts(session: Session, root: Path | None) -> ExitCode:
    """Send a test to every place; ends with 1 where one did not take it."""
    from prunella.cli.views.alerts import show_sent
    from prunella.codec.plain import to_plain

    with session.healer(root, refresh=False) as healer, session.progress("Sending"):
        report = healer.alerts.test()
    session.result(to_plain(report), lambda console: show_sent(console, report))
    return ExitCode.NEGATIVE if report.failed else ExitCode.DONE


@alerts.command("mute", short_help="Tell nobody of a site or an error code for a while.")
@_what
@click.option(
    "--for",
    "duration",
    type=Interval(most=timedelta(days=366)),
    default="2h",
    show_default=True,
    metavar="TIME",
    help="How long: 30m, 2h, 7d.",
)
@options.root
@options.as_json
@click.pass_obj
def mute(session: Session, what: str, duration: timedelta, root: Path | None) -> ExitCode:
    """Tell nobody of a site, or of an error code and all below it, for a while.

    A site is its id or the last part of it: shop.prices:average or average. NET mutes NET.DNS.… too.
    What is due meanwhile is never sent.
    """
    from prunella.codec.plain import to_plain

    with session.healer(root, refresh=False) as healer:
        muted = healer.alerts.mute(what, duration)
    session.result(
        to_plain(muted),
        lambda console: console.print(
            f"{muted.what} is muted until {muted.until:%Y-%m-%d %H:%M} UTC."
        ),
    )
    return ExitCode.DONE


@alerts.command("unmute", short_help="End a mute.")
@_what
@options.root
@options.as_json
@click.pass_obj
def unmute(session: Session, what: str, root: Path | None) -> ExitCode:
    """End a mute; ends with 2 where there is none of that name."""
    with session.healer(root, refresh=False) as healer:
        healer.alerts.unmute(what)
    session.result(
        {"unmuted": what}, lambda console: console.print(f"{what} is not muted any more.")
    )
    return ExitCode.DONE
