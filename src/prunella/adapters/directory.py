"""People, keys and sessions of a server, in SQLite or PostgreSQL with the same queries."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from prunella.adapters.sql.connection import Connection, Database
from prunella.adapters.sql.rows import dump, load, moment, text
from prunella.model.audit import AuditEntry
from prunella.model.clock import from_us, to_us
from prunella.model.directory import Credential, Invitation, Person, Project, Session


class SqlDirectory:
    """Implements `prunella.ports.Directory`; see there for what each method promises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- projects
    def projects(self) -> Sequence[Project]:
        with self._database.reading() as db:
            rows = db.execute("SELECT body FROM project ORDER BY name").fetchall()
        return [load(Project, body) for (body,) in rows]

    def save_project(self, project: Project) -> None:
        with self._database.writing() as db:
            db.execute("DELETE FROM project WHERE name = ?", (text(project.name),))
            db.execute("INSERT INTO project VALUES (?, ?)", (text(project.name), dump(project)))

    def remove_project(self, name: str) -> bool:
        with self._database.writing() as db:
            db.execute("DELETE FROM credential WHERE project = ?", (text(name),))
            return bool(db.execute("DELETE FROM project WHERE name = ?", (text(name),)).rowcount)

    # --- people
    def people(self) -> Sequence[Person]:
        with self._database.reading() as db:
            rows = db.execute("SELECT body FROM person ORDER BY name").fetchall()
        return [load(Person, body) for (body,) in rows]

    def person(self, name: str) -> Person | None:
        with self._database.reading() as db:
            return _person(db, name)

    def person_of(self, subject: str) -> Person | None:
        with self._database.reading() as db:
            row = db.execute(
                "SELECT body FROM person WHERE subject = ?", (text(subject),)
            ).fetchone()
        return None if row is None else load(Person, row[0])

    def save_person(self, person: Person) -> None:
        with self._database.writing() as db:
            db.execute("DELETE FROM person WHERE name = ?", (text(person.name),))
            db.execute(
                "INSERT INTO person VALUES (?, ?, ?)",
                (text(person.name), text(person.subject) or None, dump(person)),
            )

    def remove_person(self, name: str) -> bool:
        with self._database.writing() as db:
            db.execute("DELETE FROM session WHERE person = ?", (text(name),))
            db.execute("DELETE FROM invitation WHERE person = ?", (text(name),))
            return bool(db.execute("DELETE FROM person WHERE name = ?", (text(name),)).rowcount)

    # --- sessions and invitations
    def add_session(self, session: Session) -> None:
        with self._database.writing() as db:
            db.execute(
                "INSERT INTO session VALUES (?, ?, ?, ?)",
                (
                    session.digest,
                    text(session.person),
                    moment(to_us(session.made_at)),
                    moment(to_us(session.seen_at)),
                ),
            )

    def session(self, digest: str) -> tuple[Session, Person] | None:
        with self._database.reading() as db:
            row = db.execute(
                "SELECT person, made_us, seen_us FROM session WHERE digest = ?", (digest,)
            ).fetchone()
            person = None if row is None else _person(db, row[0])
        if person is None:
            return None
        name, made_us, seen_us = row
        session = Session(
            digest=digest, person=name, made_at=from_us(made_us), seen_at=from_us(seen_us)
        )
        return session, person

    def touch_session(self, digest: str, *, at: datetime) -> None:
        with self._database.writing() as db:
            db.execute(
                "UPDATE session SET seen_us = ? WHERE digest = ?", (moment(to_us(at)), digest)
            )

    def end_session(self, digest: str) -> None:
        with self._database.writing() as db:
            db.execute("DELETE FROM session WHERE digest = ?", (digest,))

    def end_sessions(self, person: str) -> int:
        with self._database.writing() as db:
            return db.execute("DELETE FROM session WHERE person = ?", (text(person),)).rowcount

    def forget_sessions(self, *, seen_before: datetime, made_before: datetime) -> int:
        with self._database.writing() as db:
            db.execute("DELETE FROM invitation WHERE expires_us < ?", (moment(to_us(seen_before)),))
            return db.execute(
                "DELETE FROM session WHERE seen_us < ? OR made_us < ?",
                (moment(to_us(seen_before)), moment(to_us(made_before))),
            ).rowcount

    def add_invitation(self, invitation: Invitation) -> None:
        with self._database.writing() as db:
            db.execute(
                "INSERT INTO invitation VALUES (?, ?, ?)",
                (
                    invitation.digest,
                    text(invitation.person),
                    moment(to_us(invitation.expires_at)),
                ),
            )

    def invitation(self, digest: str, *, at: datetime) -> Invitation | None:
        with self._database.reading() as db:
            return _invitation(db, digest, at)

    def take_invitation(self, digest: str, *, at: datetime) -> Invitation | None:
        with self._database.writing() as db:
            found = _invitation(db, digest, at)
            db.execute("DELETE FROM invitation WHERE digest = ?", (digest,))
            return found

    # --- keys and tokens
    def add_credential(self, credential: Credential) -> None:
        with self._database.writing() as db:
            db.execute(
                "INSERT INTO credential (credential_id, digest, project, ended_us, body) "
                "VALUES (?, ?, ?, NULL, ?)",
                (
                    credential.credential_id,
                    credential.digest,
                    text(credential.project),
                    dump(credential),
                ),
            )

    def credential(self, digest: str) -> Credential | None:
        with self._database.reading() as db:
            row = db.execute("SELECT body FROM credential WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else load(Credential, row[0])

    def credentials(self) -> Sequence[Credential]:
        with self._database.reading() as db:
            rows = db.execute("SELECT body FROM credential ORDER BY seq").fetchall()
        return [load(Credential, body) for (body,) in rows]

    def end_credential(self, credential_id: str, *, at: datetime) -> bool:
        with self._database.writing() as db:
            row = db.execute(
                "SELECT body FROM credential WHERE credential_id = ? AND ended_us IS NULL",
                (text(credential_id),),
            ).fetchone()
            if row is None:
                return False
            ended = replace(load(Credential, row[0]), ended_at=at)
            db.execute(
                "UPDATE credential SET ended_us = ?, body = ? WHERE credential_id = ?",
                (moment(to_us(at)), dump(ended), ended.credential_id),
            )
            return True

    # --- what is counted
    def use(self, credential_id: str, *, day: str, requests: int, size_bytes: int) -> int:
        with self._database.writing() as db:
            db.execute(
                "INSERT INTO used (credential_id, day, requests, bytes) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (credential_id, day) DO UPDATE SET "
                "requests = used.requests + excluded.requests, "
                "bytes = used.bytes + excluded.bytes",
                (text(credential_id), day, requests, size_bytes),
            )
            db.execute("DELETE FROM used WHERE credential_id = ? AND day < ?", (credential_id, day))
            (used,) = db.execute(
                "SELECT bytes FROM used WHERE credential_id = ? AND day = ?",
                (text(credential_id), day),
            ).fetchone()
            return int(used)

    def note_failure(self, subject: str, *, at: datetime) -> None:
        with self._database.writing() as db:
            db.execute(
                "INSERT INTO failed_login (subject, at_us) VALUES (?, ?)",
                (text(subject), moment(to_us(at))),
            )

    def failures(self, subject: str, *, since: datetime) -> int:
        with self._database.reading() as db:
            (number,) = db.execute(
                "SELECT count(*) FROM failed_login WHERE subject = ? AND at_us >= ?",
                (text(subject), moment(to_us(since))),
            ).fetchone()
            return int(number)

    def forget_failures(self, subject: str | None = None, *, before: datetime) -> None:
        at_us = moment(to_us(before))
        with self._database.writing() as db:
            if subject is None:
                db.execute("DELETE FROM failed_login WHERE at_us < ?", (at_us,))
            else:
                db.execute(
                    "DELETE FROM failed_login WHERE subject = ? AND at_us < ?",
                    (text(subject), at_us),
                )

    # --- decisions
    def save_audit(self, entry: AuditEntry) -> None:
        with self._database.writing() as db:
            db.execute(
                "INSERT INTO audit (audit_id, body) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (entry.audit_id, dump(entry)),
            )

    def audit(self, *, limit: int = 1000) -> Sequence[AuditEntry]:
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT body FROM (SELECT seq, body FROM audit ORDER BY seq DESC LIMIT ?) AS latest "
                "ORDER BY seq",
                (limit,),
            ).fetchall()
        return [load(AuditEntry, body) for (body,) in rows]

    def close(self) -> None:
        self._database.close()


def _person(db: Connection, name: str) -> Person | None:
    row = db.execute("SELECT body FROM person WHERE name = ?", (text(name),)).fetchone()
    return None if row is None else load(Person, row[0])


def _invitation(db: Connection, digest: str, at: datetime) -> Invitation | None:
    row = db.execute(
        "SELECT person, expires_us FROM invitation WHERE digest = ? AND expires_us > ?",
        (digest, moment(to_us(at))),
    ).fetchone()
    if row is None:
        return None
    return Invitation(digest=digest, person=row[0], expires_at=from_us(row[1]))
