"""Who may do what on a server: people, what programs identify themselves with, projects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

#: Stands for every project, in roles.
EVERYWHERE = "*"
#: The project of an embedded store.
LOCAL = "local"
#: What a key or token may do where nobody says otherwise.
PER_MINUTE, BYTES_PER_DAY = 6_000, 10_000_000_000


class Role(IntEnum):
    """What somebody may do; each may do what those before may."""

    #: Report what a program recorded, and hear of its fixes; read nothing.
    REPORTER = 0
    #: Look.
    VIEWER = 1
    #: Steer incidents, jobs, fixes.
    OPERATOR = 2
    #: Manage keys, tokens, users, settings.
    ADMIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What programs report to, people look at, and a healer works for."""

    #: Lower-case letters, digits, ``-`` and ``_``.
    name: str
    made_at: datetime
    made_by: str
    #: Folder of its source on servers and workers; empty where they have none, so that nothing can
    #: be replayed there.
    root: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may log in."""

    name: str
    #: Project name to role; `EVERYWHERE` stands for every project.
    roles: Mapping[str, Role]
    made_at: datetime
    made_by: str
    #: Argon2's encoded hash; empty where they log in by OpenID Connect, or haven't set one yet.
    password_hash: str = field(default="", repr=False)
    #: Issuer and subject at an OpenID Connect provider; empty for those who have a password.
    subject: str = ""
    #: Whether roles are taken anew from the provider at each login.
    is_provided: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser in which somebody is logged in."""

    #: SHA-256 of what the cookie holds, in hexadecimal.
    digest: str = field(repr=False)
    person: str
    made_at: datetime
    #: When it was used last, to a minute.
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Lets somebody set a password, once."""

    digest: str = field(repr=False)
    person: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a program identifies itself with: a project key, which may only report, or a token."""

    credential_id: str
    #: SHA-256 of it, in hexadecimal; it has 128 random bits, so that nothing slower is needed.
    digest: str = field(repr=False)
    #: For people.
    name: str
    #: A project's name, or `EVERYWHERE`.
    project: str
    #: `Role.REPORTER` makes it a project key.
    role: Role
    made_at: datetime
    made_by: str
    expires_at: datetime | None = None
    ended_at: datetime | None = None
    #: Requests that it may make a minute, in bursts of as many.
    per_minute: int = PER_MINUTE
    #: Bytes that it may send a day (UTC).
    bytes_per_day: int = BYTES_PER_DAY

    @property
    def is_key(self) -> bool:
        """It may report and do nothing else."""
        return self.role is Role.REPORTER
