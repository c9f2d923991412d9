"""The directory that commands about users, keys, tokens and projects work with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prunella.server.people import People


def database_at(root: Path | None, database: str | None) -> str:
    """Return the address of the teams' database; "" for an embedded store."""
    from prunella.model.project import find_root
    from prunella.model.settings import load

    if database is not None:
        return database
    return load(root or find_root(Path.cwd())).settings.database


@contextmanager
def people_of(root: Path | None, database: str | None) -> Iterator["People"]:
    """Give what manages the server's people, in the name of the user."""
    from prunella.model.project import find_root
    from prunella.server.people import People
    from prunella.wiring.directory import open_directory
    from prunella.wiring.fixes import user

    url = database_at(root, database)
    directory = open_directory(root or find_root(Path.cwd()), url)
    try:
        yield People(directory, actor=user())
    finally:
        directory.close()
