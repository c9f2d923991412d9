"""Who may do what on a server."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from prunella.model.audit import AuditEntry
from prunella.model.directory import Credential, Invitation, Person, Project, Session


class Directory(Protocol):
    """Who may do what on a server, kept beside the projects' stores. Raises `StoreError`."""

    # --- projects
    def projects(self) -> Sequence[Project]:
        """Return the projects by name."""
        ...

    def save_project(self, project: Project) -> None:
        """Keep a project; one of the same name is replaced."""
        ...

    def remove_project(self, name: str) -> bool:
        """Forget a project, its keys and its tokens, not its records; False where there is none."""
        ...

    # --- people
    def people(self) -> Sequence[Person]:
        """Return the people by name."""
        ...

    def person(self, name: str) -> Person | None: ...

    def person_of(self, subject: str) -> Person | None:
        """Return who has that subject at a provider."""
        ...

    def save_person(self, person: Person) -> None:
        """Keep a person; one of the same name is replaced."""
        ...

    def remove_person(self, name: str) -> bool:
        """Forget a person with their sessions and invitations; False where there is none."""
        ...

    # --- sessions and invitations
    def add_session(self, session: Session) -> None: ...

    def session(self, digest: str) -> tuple[Session, Person] | None: ...

    def touch_session(self, digest: str, *, at: datetime) -> None:
        """Keep that a session was used."""
        ...

    def end_session(self, digest: str) -> None: ...

    def end_sessions(self, person: str) -> int:
        """End all sessions of a person, and return how many there were."""
        ...

    def forget_sessions(self, *, seen_before: datetime, made_before: datetime) -> int:
        """Remove the sessions that are over, and return how many."""
        ...

    def add_invitation(self, invitation: Invitation) -> None: ...

    def invitation(self, digest: str, *, at: datetime) -> Invitation | None:
        """Return an invitation that is valid."""
        ...

    def take_invitation(self, digest: str, *, at: datetime) -> Invitation | None:
        """Use an invitation up; of two that try at once one gets it."""
        ...

    # --- keys and tokens
    def add_credential(self, credential: Credential) -> None: ...

    def credential(self, digest: str) -> Credential | None: ...

    def credentials(self) -> Sequence[Credential]:
        """Return all keys and tokens, the ended ones too, the oldest first."""
        ...

    def end_credential(self, credential_id: str, *, at: datetime) -> bool:
        """End a key or token; False where there is none, or it has ended."""
        ...

    # --- what is counted
    def use(self, credential_id: str, *, day: str, requests: int, size_bytes: int) -> int:
        """Add to what a key or token used that day (``2026-11-22``); return its bytes of the day."""
        ...

    def note_failure(self, subject: str, *, at: datetime) -> None:
        """Count a login that failed, for one way of grouping them."""
        ...

    def failures(self, subject: str, *, since: datetime) -> int: ...

    def forget_failures(self, subject: str | None = None, *, before: datetime) -> None: ...

    # --- decisions
    def save_audit(self, entry: AuditEntry) -> None: ...

    def audit(self, *, limit: int = 1000) -> Sequence[AuditEntry]:
        """Return the latest decisions about the server, oldest first."""
        ...

    def close(self) -> None: ...
