"""Logging in: passwords checked, guesses slowed down, sessions begun and ended.

A session's cookie holds 192 random bits; the directory keeps their digest. Its token against forged
forms is derived from the same bits, so that it needs no keeping and is void with the session.
"""

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from prunella.model.clock import now
from prunella.model.directory import Person, Session
from prunella.ports import Directory
from prunella.server.passwords import is_right
from prunella.server.people import digest_of, note

#: A session that wasn't used for so long is over; so is one that is this old.
IDLE, OLDEST = timedelta(hours=12), timedelta(days=7)
#: A session's last use is kept this exactly.
_TOUCH = timedelta(minutes=1)
#: Logins that may fail within `WINDOW`: of one name from one address, from one address, of one name.
_PER_NAME_AND_PLACE, _PER_PLACE, _PER_NAME = 5, 30, 50
WINDOW = timedelta(minutes=15)


class LoginRefused(Exception):
    """The name or password is wrong, or there were too many tries."""

    def __init__(self, message: str, status: int = 401) -> None:
        super().__init__(message)
        self.status = status


class Sessions:
    """The sessions of a server."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def log_in(self, name: str, password: str, *, place: str) -> str:
        """Check a password and begin a session; return what its cookie holds.

        `place` is the address of who tries. Raises `LoginRefused`.
        """
        name = name.strip().lower()[:100]
        self._slow_down(name, place)
        person = self._directory.person(name)
        if not is_right(password, person.password_hash if person else "") or person is None:
            for subject in _subjects(name, place):
                self._directory.note_failure(subject, at=now())
            self._note("login.failed", name, place)
            raise LoginRefused("the name or the password is wrong")
        self._directory.forget_failures(_subjects(name, place)[0], before=now())
        return self.begin(person, place=place)

    def begin(self, person: Person, *, place: str) -> str:
        """Begin a session of somebody who was recognized; return what its cookie holds."""
        at = now()
        self._directory.forget_sessions(seen_before=at - IDLE, made_before=at - OLDEST)
        self._directory.forget_failures(before=at - WINDOW)
        secret = secrets.token_urlsafe(24)
        self._directory.add_session(
            Session(digest=digest_of(secret), person=person.name, made_at=at, seen_at=at)
        )
        self._note("login", person.name, place)
        return secret

    def find(self, secret: str) -> Person | None:
        """Return whose session that is, ``None`` where it is over; it is used by that."""
        found = self._directory.session(digest_of(secret))
        if found is None:
            return None
        session, person = found
        at = now()
        if _is_over(session, at):
            self._directory.end_session(session.digest)
            return None
        if at - session.seen_at >= _TOUCH:
            self._directory.touch_session(session.digest, at=at)
        return person

    def look(self, secret: str) -> Person | None:
        """Return whose session that is, ``None`` where it is over, and leave it as it is."""
        found = self._directory.session(digest_of(secret))
        return None if found is None or _is_over(found[0], now()) else found[1]

    def end(self, secret: str, *, actor: str) -> None:
        """End a session."""
        self._directory.end_session(digest_of(secret))
        note(self._directory, actor=actor, action="logout", subject=actor)

    def _slow_down(self, name: str, place: str) -> None:
        since = now() - WINDOW
        limits = (_PER_NAME_AND_PLACE, _PER_PLACE, _PER_NAME)
        for subject, most in zip(_subjects(name, place), limits, strict=True):
            if self._directory.failures(subject, since=since) >= most:
                raise LoginRefused(
                    f"too many logins failed; try again in {WINDOW // timedelta(minutes=1)} minutes",
                    status=429,
                )

    def _note(self, action: str, name: str, place: str) -> None:
        note(
            self._directory, actor=name, action=action, subject=name, evidence={"from": place[:100]}
        )


def _is_over(session: Session, at: datetime) -> bool:
    return at - session.seen_at >= IDLE or at - session.made_at >= OLDEST


def csrf_token(secret: str) -> str:
    """Return the token that forms bring along which a browser with that cookie sends."""
    return hmac.new(secret.encode("utf-8", "replace"), b"csrf", sha256).hexdigest()


def _subjects(name: str, place: str) -> tuple[str, str, str]:
    return f"{name} {place}", f" {place}", f"{name} "
