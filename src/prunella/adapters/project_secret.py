"""A project's secret, which approval links are signed with: a file that only its owner reads."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from prunella.model.errors import ConfigurationError

#: Name of the file in the data folder.
FILE_NAME = "secret"
_BYTES = 32


def project_secret(folder: Path) -> bytes:
    """Return the secret of the data folder `folder`, which is made where there is none.

    Raises `ConfigurationError` for a file that others may read or write, or that is no secret.
    """
    path = folder / FILE_NAME
    with suppress(FileExistsError):
        _make(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            content = file.read(1_000)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror or error}") from error
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise ConfigurationError(
            f"{path} may be read or written by others (mode {status.st_mode & 0o777:o}, user "
            f"{status.st_uid}), so that anybody could approve fixes. Remove it: another one is made, "
            "and links made so far are void"
        )
    try:
        secret = bytes.fromhex(content.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != _BYTES:
        raise ConfigurationError(f"{path} is no secret of Prunella's; remove it to have one made")
    return secret


def _make(path: Path) -> None:
    """Write a new secret, whole or not at all; raises `FileExistsError` where there is one."""
    if path.exists():
        raise FileExistsError(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{secrets.token_hex(_BYTES)}\n")
        os.link(unfinished, path)  # fails where another process was faster
    except FileExistsError:
        raise
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
