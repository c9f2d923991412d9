"""Users, keys, tokens and projects of a server."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from prunella.cli.views.parts import words
from prunella.model.directory import Credential, Person, Project


def show_people(console: Console, people: Sequence[Person]) -> None:
    """Print one line a user."""
    if not people:
        console.print("Nobody may log in yet: prunella users add NAME --role admin")
        return
    table = _table("name", "roles", "since", "made by")
    for person in people:
        roles = [
            role.name.lower() if project == "*" else f"{project}={role.name.lower()}"
            for project, role in person.roles.items()
        ]
        table.add_row(
            words(person.name),
            words(", ".join(roles) or "none"),
            f"{person.made_at:%Y-%m-%d}",
            words(person.made_by),
        )
    console.print(table)


def show_credentials(console: Console, found: Sequence[Credential], *, keys: bool) -> None:
    """Print one line a key or token."""
    if not found:
        console.print("There is none.")
        return
    table = _table("id", "name", "project", "a day at most" if keys else "role", "since", "until")
    for item in found:
        limit = f"{item.bytes_per_day / 10**6:,.0f} MB"
        table.add_row(
            words(item.credential_id),
            words(item.name),
            words(item.project),
            limit if keys else item.role.name.lower(),
            f"{item.made_at:%Y-%m-%d}",
            f"{item.expires_at:%Y-%m-%d}" if item.expires_at else "",
        )
    console.print(table)


def show_projects(console: Console, projects: Sequence[Project]) -> None:
    """Print one line a project."""
    if not projects:
        console.print("There is no project yet: prunella projects add NAME")
        return
    table = _table("name", "since", "made by", "source")
    for project in projects:
        table.add_row(
            words(project.name),
            f"{project.made_at:%Y-%m-%d}",
            words(project.made_by),
            words(project.root),
        )
    console.print(table)


def show_secret(console: Console, secret: str) -> None:
    """Print a secret alone on its line, so that a script can take it."""
    console.print(secret, soft_wrap=True)


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table
