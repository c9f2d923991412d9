"""People, keys and sessions of a server, in each database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import AT
from prunella.adapters.directory import SqlDirectory
from prunella.adapters.postgres import PostgresDatabase
from prunella.adapters.postgres_schema import drop, migrate
from prunella.adapters.sql.directory_plan import DIRECTORY
from prunella.adapters.sqlite import SqliteDatabase
from prunella.model.audit import AuditEntry
from prunella.model.directory import Credential, Invitation, Person, Project, Role, Session
from stores import DATABASES, new_project, server_url

DAY = timedelta(days=1)


@pytest.fixture(params=DATABASES)
def directory(request, tmp_path):
    if request.param == "sqlite":
        found = SqlDirectory(SqliteDatabase(tmp_path / "server.db", DIRECTORY, create=True))
        yield found
        found.close()
        return
    database = PostgresDatabase(server_url(), f"directory_{new_project()}", DIRECTORY)
    migrate(database)
    yield SqlDirectory(database)
    drop(database)


def person(name="ana", **changes):
    values = {"name": name, "roles": {"*": Role.ADMIN}, "made_at": AT, "made_by": "root"}
    return Person(**(values | changes))


def credential(number=1, **changes):
    values = {
        "credential_id": f"key_{number}",
        "digest": f"d{number}",
        "name": "web",
        "project": "shop",
        "role": Role.REPORTER,
        "made_at": AT,
        "made_by": "ana",
    }
    return Credential(**(values | changes))


def test_projects_and_people_are_kept_by_name(directory):
    """What is saved is found, saving again replaces, and what is removed is gone."""
    shop = Project(name="shop", made_at=AT, made_by="ana")
    directory.save_project(shop)
    directory.save_project(replace(shop, root="/srv/shop"))
    assert directory.projects() == [replace(shop, root="/srv/shop")]
    directory.save_person(person("ben", subject="issuer|7"))
    directory.save_person(person())
    directory.save_person(person(roles={"shop": Role.VIEWER}))
    assert [item.name for item in directory.people()] == ["ana", "ben"]
    assert directory.person("ana").roles == {"shop": Role.VIEWER}
    assert directory.person_of("issuer|7").name == "ben"
    assert directory.person_of("issuer|8") is directory.person("eve") is None
    assert (directory.remove_person("ana"), directory.remove_person("ana")) == (True, False)
    assert (directory.remove_project("shop"), directory.remove_project("shop")) == (True, False)


def test_a_session_lasts_until_it_is_ended_or_its_person_is_gone(directory):
    """A session is found with its person; ending, forgetting and removing take it away."""
    directory.save_person(person())
    for digest, age in (("a", 0), ("b", 1), ("c", 5)):
        seen = AT - age * DAY
        directory.add_session(Session(digest=digest, person="ana", made_at=seen, seen_at=seen))
    session, whose = directory.session("a")
    assert (session.seen_at, whose) == (AT, person())
    directory.touch_session("a", at=AT + DAY)
    assert directory.session("a")[0].seen_at == AT + DAY
    assert directory.forget_sessions(seen_before=AT - 2 * DAY, made_before=AT - 9 * DAY) == 1
    assert directory.session("c") is None
    directory.end_session("b")
    assert directory.session("b") is None
    assert directory.end_sessions("ana") == 1
    directory.add_session(Session(digest="d", person="ana", made_at=AT, seen_at=AT))
    directory.remove_person("ana")
    assert directory.session("d") is None


def test_an_invitation_is_used_once_and_in_time(directory):
    """Of two that use an invitation one gets it; an expired one is none."""
    directory.add_invitation(Invitation(digest="i", person="ana", expires_at=AT + DAY))
    assert directory.invitation("i", at=AT + DAY) is None
    assert directory.invitation("i", at=AT).person == "ana"
    assert directory.take_invitation("i", at=AT).person == "ana"
    assert directory.take_invitation("i", at=AT) is None


def test_keys_and_tokens_end_once_and_go_with_their_project(directory):
    """An ended one is kept to be seen; those of a removed project are forgotten."""
    directory.add_credential(credential(1))
    directory.add_credential(credential(2, project="*", role=Role.VIEWER))
    assert directory.credential("d1") == credential(1)
    assert directory.credential("d9") is None
    assert directory.end_credential("key_1", at=AT)
    assert not directory.end_credential("key_1", at=AT)
    assert [item.ended_at for item in directory.credentials()] == [AT, None]
    directory.remove_project("shop")
    assert [item.credential_id for item in directory.credentials()] == ["key_2"]


def test_use_adds_up_by_the_day(directory):
    """Bytes of a day add up, and the next day begins at nothing."""
    used = [
        directory.use("key_1", day=day, requests=1, size_bytes=size)
        for day, size in (("2026-11-22", 5), ("2026-11-22", 7), ("2026-11-23", 1))
    ]
    assert used == [5, 12, 1]


def test_failures_are_counted_within_a_window(directory):
    """Only what failed lately counts, for each way of grouping on its own."""
    for age in range(3):
        directory.note_failure("ana", at=AT - age * DAY)
    directory.note_failure("ben", at=AT)
    assert directory.failures("ana", since=AT - DAY) == 2
    directory.forget_failures(before=AT)
    assert directory.failures("ana", since=AT - 9 * DAY) == 1
    directory.forget_failures("ana", before=AT + DAY)
    assert directory.failures("ana", since=AT - 9 * DAY) == 0
    assert directory.failures("ben", since=AT) == 1


def test_decisions_are_kept_in_order_and_once(directory):
    """The latest decisions come oldest first; the same one isn't kept twice."""
    entries = [
        AuditEntry(
            audit_id=f"aud_{number}",
            at=AT,
            actor="ana",
            action="login",
            subject="ana",
            reason="",
            evidence={"from": "here"},
        )
        for number in range(3)
    ]
    for entry in [*entries, entries[0]]:
        directory.save_audit(entry)
    assert directory.audit(limit=2) == entries[1:]
