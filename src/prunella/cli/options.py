"""Options that several commands share, so that they mean the same everywhere."""

from pathlib import Path

import click

from prunella.cli.session import Session


def _remember_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.find_root().ensure_object(Session).as_json |= value


as_json = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_remember_json,
    help="Print one JSON document instead of text for people.",
)

root = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the project.  [default: found from the working directory upwards]",
)

lookback = click.option(
    "--lookback",
    "lookback_minutes",
    type=click.IntRange(min=1),
    metavar="MINUTES",
    help="How far back to look, in minutes.  [default: the setting lookback_minutes, 60]",
)
