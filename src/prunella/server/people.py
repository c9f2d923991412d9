"""People, keys and tokens, as commands and API manage them: every change is kept with who made it.

Secrets are random, shown once, and kept as digests; passwords as Argon2 hashes.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from prunella.codec.plain import to_plain
from prunella.model.audit import AuditEntry
from prunella.model.clock import now
from prunella.model.directory import (
    BYTES_PER_DAY,
    EVERYWHERE,
    PER_MINUTE,
    Credential,
    Invitation,
    Person,
    Project,
    Role,
)
from prunella.model.errors import ConfigurationError, UnknownName
from prunella.model.ids import AuditId, new_id
from prunella.ports import Directory
from prunella.server.passwords import hashed

#: How long an invitation may be used.
INVITED_FOR = timedelta(days=3)
#: What keys and tokens begin with, so that people and secret scanners know them.
KEY_PREFIX, TOKEN_PREFIX = "prk_", "prt_"
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")
_PROJECT = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def digest_of(secret: str) -> str:
    """Return what is kept of a random secret."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


class People:
    """Changes the directory, in the name of `actor`."""

    def __init__(self, directory: Directory, *, actor: str) -> None:
        self._directory, self._actor = directory, actor

    # --- projects
    def add_project(self, name: str, *, root: str = "") -> Project:
        """Keep a project; raises `ConfigurationError` for a bad name or one that is there."""
        if not _PROJECT.fullmatch(name):
            raise ConfigurationError(
                f"{name[:80]!r} is no project's name: a lower-case letter, then letters, digits, - "
                "and _, 63 at the most"
            )
        if any(project.name == name for project in self._directory.projects()):
            raise ConfigurationError(f"there is a project {name} already")
        project = Project(name=name, made_at=now(), made_by=self._actor, root=root)
        self._directory.save_project(project)
        self._note("project.added", name, {"root": root})
        return project

    def remove_project(self, name: str) -> None:
        """Forget a project with its keys and tokens; its records stay. Raises `UnknownName`."""
        if not self._directory.remove_project(name):
            raise UnknownName(f"there is no project {name[:80]!r}")
        self._note("project.removed", name)

    def projects(self) -> Sequence[Project]:
        """Return the projects by name."""
        return self._directory.projects()

    # --- people
    def everybody(self) -> Sequence[Person]:
        """Return the people by name."""
        return self._directory.people()

    def add_person(
        self, name: str, roles: Mapping[str, Role], *, password: str | None = None
    ) -> tuple[Person, str]:
        """Keep a person; without a password also return an invitation to set one, else "".

        Raises `ConfigurationError` for a bad name or password, or a name that is there.
        """
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"{name[:80]!r} is no user's name: lower-case letters, digits and . _ @ + -"
            )
        if self._directory.person(name) is not None:
            raise ConfigurationError(f"there is a user {name} already")
        person = Person(
            name=name,
            roles=self._checked(roles),
            made_at=now(),
            made_by=self._actor,
            password_hash="" if password is None else hashed(password),
        )
        self._directory.save_person(person)
        self._note("user.added", name, _named(person.roles))
        return person, self.invite(name) if password is None else ""

    def set_roles(self, name: str, roles: Mapping[str, Role]) -> Person:
        """Give a person other roles; raises `UnknownName`, `ConfigurationError`."""
        before = self._known(name)
        after = replace(before, roles=self._checked(roles))
        self._keep_an_admin(before, after)
        self._directory.save_person(after)
        self._note("user.roles_changed", name, {"was": _named(before.roles), **_named(after.roles)})
        return after

    def set_password(self, name: str, password: str) -> None:
        """Set a password, and log the person out everywhere. Raises `UnknownName`."""
        person = self._known(name)
        self._directory.save_person(replace(person, password_hash=hashed(password)))
        self._directory.end_sessions(name)
        self._note("user.password_set", name)

    def remove_person(self, name: str) -> None:
        """Forget a person; their sessions end. Raises `UnknownName`, `ConfigurationError`."""
        self._keep_an_admin(self._known(name), None)
        self._directory.remove_person(name)
        self._note("user.removed", name)

    def invite(self, name: str) -> str:
        """Return a secret with which the person may set a password, once. Raises `UnknownName`."""
        self._known(name)
        secret = secrets.token_urlsafe(24)
        self._directory.add_invitation(
            Invitation(digest=digest_of(secret), person=name, expires_at=now() + INVITED_FOR)
        )
        self._note("user.invited", name)
        return secret

    # --- keys and tokens
    def add_credential(
        self,
        name: str,
        project: str,
        role: Role,
        *,
        expires_at: datetime | None = None,
        per_minute: int = PER_MINUTE,
        bytes_per_day: int = BYTES_PER_DAY,
    ) -> tuple[Credential, str]:
        """Make a key (`Role.REPORTER`) or a token; return it with its secret, which is shown once.

        Raises `ConfigurationError`, `UnknownName`.
        """
        if not 0 < len(name.strip()) <= 100:
            raise ConfigurationError("a key or token needs a name of at most 100 characters")
        if role is Role.REPORTER and project == EVERYWHERE:
            raise ConfigurationError("a key is of one project")
        if expires_at is not None and expires_at <= now():
            raise ConfigurationError(f"{expires_at:%Y-%m-%d %H:%M} is in the past")
        self._checked({project: role})
        secret = (KEY_PREFIX if role is Role.REPORTER else TOKEN_PREFIX) + secrets.token_hex(16)
        credential = Credential(
            credential_id=new_id("key" if role is Role.REPORTER else "tok"),
            digest=digest_of(secret),
            name=name.strip(),
            project=project,
            role=role,
            made_at=now(),
            made_by=self._actor,
            expires_at=expires_at,
            per_minute=per_minute,
            bytes_per_day=bytes_per_day,
        )
        self._directory.add_credential(credential)
        what = "key" if credential.is_key else "token"
        self._note(
            f"{what}.made",
            credential.credential_id,
            {"name": credential.name, "project": project, "role": role.name.lower()},
        )
        return credential, secret

    def credentials(
        self, *, keys: bool, project: str | None = None, with_ended: bool = False
    ) -> Sequence[Credential]:
        """Return keys, or tokens, of one project or all, the oldest first."""
        return [
            item
            for item in self._directory.credentials()
            if item.is_key == keys
            and (project is None or item.project == project)
            and (with_ended or item.ended_at is None)
        ]

    def end_credential(self, credential_id: str, *, keys: bool, project: str | None = None) -> None:
        """End a key or token; raises `UnknownName` where there is none of that kind and project."""
        found = self.credentials(keys=keys, project=project)
        if not any(item.credential_id == credential_id for item in found):
            what = "key" if keys else "token"
            raise UnknownName(f"there is no {what} {credential_id[:80]!r}, or it has ended")
        self._directory.end_credential(credential_id, at=now())
        self._note("key.ended" if keys else "token.ended", credential_id)

    def _known(self, name: str) -> Person:
        person = self._directory.person(name)
        if person is None:
            raise UnknownName(f"there is no user {name[:80]!r}")
        return person

    def _checked(self, roles: Mapping[str, Role]) -> Mapping[str, Role]:
        """Return roles; raises `UnknownName` where a project isn't there."""
        known = {project.name for project in self._directory.projects()} | {EVERYWHERE}
        for project in roles:
            if project not in known:
                raise UnknownName(
                    f"there is no project {project[:80]!r}; there are "
                    f"{', '.join(sorted(known - {EVERYWHERE})) or 'none yet'}"
                )
        return dict(roles)

    def _keep_an_admin(self, before: Person, after: Person | None) -> None:
        """Refuse to lock everybody out."""
        if not _is_admin(before) or (after is not None and _is_admin(after)):
            return
        others = [item for item in self._directory.people() if item.name != before.name]
        if not any(_is_admin(item) for item in others):
            raise ConfigurationError(
                f"{before.name} is the only admin of the server; make another one first"
            )

    def _note(self, action: str, subject: str, evidence: Mapping[str, Any] | None = None) -> None:
        note(self._directory, actor=self._actor, action=action, subject=subject, evidence=evidence)


def note(
    directory: Directory,
    *,
    actor: str,
    action: str,
    subject: str,
    evidence: Mapping[str, Any] | None = None,
) -> None:
    """Keep what was done, in the server's audit log."""
    directory.save_audit(
        AuditEntry(
            audit_id=AuditId(new_id("aud")),
            at=now(),
            actor=actor,
            action=action,
            subject=subject[:500],
            reason="",
            evidence=evidence or {},
        )
    )


def plain_person(person: Person) -> dict[str, Any]:
    """Return a person as others may see them."""
    return {
        "name": person.name,
        "roles": _named(person.roles),
        "made_at": person.made_at.isoformat(),
        "made_by": person.made_by,
        "has_password": bool(person.password_hash),
    }


def plain_credential(credential: Credential) -> dict[str, Any]:
    """Return a key or token as JSON types, without what would help to guess it."""
    plain: dict[str, Any] = to_plain(credential)
    del plain["digest"]
    return {**plain, "role": credential.role.name.lower()}


def _is_admin(person: Person) -> bool:
    return person.roles.get(EVERYWHERE) is Role.ADMIN


def _named(roles: Mapping[str, Role]) -> dict[str, str]:
    return {project: role.name.lower() for project, role in roles.items()}
