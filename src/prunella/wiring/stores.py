"""Which store serves a project: the embedded file, or a schema of a PostgreSQL database."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prunella.model.errors import ConfigurationError, MissingExtra
from prunella.model.places import scrubbed
from prunella.model.project import data_folder

if TYPE_CHECKING:
    from prunella.adapters.postgres import PostgresDatabase
    from prunella.model.settings import Settings
    from prunella.ports import Store

STORE_NAME = "prunella.db"
#: Stands for what spans projects, among the projects.
_SERVER = "(the server's)"
_SCHEMES = ("postgresql://", "postgres://")


def open_store(root: Path, settings: "Settings", *, create: bool) -> "Store":
    """Open the store of the project at `root` as its settings say.

    With `create` the embedded file is made where there is none; a schema is made by `migrate` alone.
    Raises `StoreError`, `ConfigurationError` for an address of no known kind, and `MissingExtra`.
    """
    if settings.database:
        _require_postgres(settings.database)
        from prunella.adapters import postgres_store

        return postgres_store.open_store(settings.database, settings.project)
    from prunella.adapters import sqlite_store

    return sqlite_store.open_store(data_folder(root) / STORE_NAME, create=create)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaReport:
    """How far the schema of one project is, and what is to be done or was done."""

    project: str
    #: Name of the schema in the database.
    schema: str
    #: 0 where it isn't there.
    version: int
    #: What this release needs.
    known: int
    #: The oldest version that a release must know to use it.
    least: int
    #: This release works with it.
    is_usable: bool
    #: The steps that are missing, or that were run, each with its statements.
    steps: tuple[tuple[int, tuple[str, ...]], ...] = ()


def schemas(settings: "Settings") -> Sequence[SchemaReport]:
    """Return how far the schemas in the configured database are: of the project, and of all others."""
    return [_report(database, project) for project, database in _databases(settings)]


def migrate(settings: "Settings", *, dry_run: bool = False) -> Sequence[SchemaReport]:
    """Bring every project's schema up to date, making that of the configured project; tell the steps.

    With `dry_run` nothing is written. Raises `StoreError`; what was migrated until then stays so.
    """
    from prunella.adapters import postgres_schema

    reports = []
    for project, database in _databases(settings):
        steps = {
            number: tuple(statements) for number, statements in postgres_schema.pending(database)
        }
        if not dry_run:
            ran = postgres_schema.migrate(database)
            steps = {number: steps.get(number, ()) for number in ran}
        reports.append(_report(database, project, tuple(steps.items())))
    return reports


def _databases(settings: "Settings") -> Sequence[tuple[str, "PostgresDatabase"]]:
    if not settings.database:
        raise ConfigurationError(
            "no database is configured: the embedded store brings itself up to date. Set "
            "PRUNELLA_DATABASE to the address of a PostgreSQL database, postgresql://…"
        )
    _require_postgres(settings.database)
    from prunella.adapters import postgres_schema
    from prunella.adapters.postgres_store import PREFIX, database_at, schema_of
    from prunella.wiring.directory import database_of_directory

    mine = schema_of(settings.project)
    probe = database_at(settings.database, mine)
    others = [name for name in postgres_schema.schemas(probe, PREFIX) if name != mine]
    return [
        (settings.project, probe),
        *((name.removeprefix(PREFIX), database_at(settings.database, name)) for name in others),
        (_SERVER, database_of_directory(settings.database)),
    ]


def _report(
    database: "PostgresDatabase", project: str, steps: tuple[tuple[int, tuple[str, ...]], ...] = ()
) -> SchemaReport:
    from prunella.adapters import postgres_schema

    state = postgres_schema.state_of(database)
    return SchemaReport(
        project=project,
        schema=state.schema,
        version=state.version,
        known=state.known,
        least=state.least,
        is_usable=state.is_usable,
        steps=steps,
    )


def _require_postgres(url: str) -> None:
    if not url.startswith(_SCHEMES):
        raise ConfigurationError(
            f"the setting `database` is {scrubbed(url, url).partition('://')[0][:20]!r}…, which is no "
            "address of a PostgreSQL database; give postgresql://USER@HOST/NAME, or nothing for the "
            "embedded store"
        )
    try:
        import psycopg  # noqa: F401 - whether it is there
    except ImportError:
        raise MissingExtra("postgres", "A store on PostgreSQL") from None
