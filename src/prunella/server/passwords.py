"""Passwords: hashed by Argon2id, a few at a time, because each takes tens of megabytes."""

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from prunella.model.errors import ConfigurationError

LEAST_CHARS = 10
_MOST_CHARS = 1_000
_hasher = PasswordHasher()
_at_once = BoundedSemaphore(4)


def hashed(password: str) -> str:
    """Return the encoded hash; raises `ConfigurationError` for a password that is too short."""
    if not LEAST_CHARS <= len(password) <= _MOST_CHARS:
        raise ConfigurationError(
            f"a password needs at least {LEAST_CHARS} characters (and at most {_MOST_CHARS})"
        )
    with _at_once:
        return _hasher.hash(_bytes(password))


def is_right(password: str, password_hash: str) -> bool:
    """Say whether the password is that of the hash; takes as long where there is no hash."""
    if len(password) > _MOST_CHARS:
        return False
    with _at_once:
        try:
            _hasher.verify(password_hash or _nobodys(), _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
    return bool(password_hash)


@cache
def _nobodys() -> str:
    return _hasher.hash(b"nobody has this password")


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
