"""Options that several commands share, so that they mean the same everywhere."""

from pathlib import Path

import click

#: `prunella.cli.app.run` looks for it itself, because bad usage is answered in JSON too.
as_json = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
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

database = click.option(
    "--database",
    metavar="URL",
    help="PostgreSQL database of a server for teams.  [default: the setting database]",
)
