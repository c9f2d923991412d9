"""Addresses with a password in them, as they may be shown."""

from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

#: Parameters of a database's address that are secrets.
_SECRET_PARAMETERS = frozenset({"password", "sslpassword", "sslkey", "passfile"})


def without_password(url: str) -> str:
    """Return an address without its password; of one that can't be read, the scheme alone.

    >>> without_password("postgresql://ana:s3cret@db.example/prod?sslpassword=x&sslmode=require")
    'postgresql://ana@db.example/prod?sslmode=require'
    """
    if not url:
        return ""
    try:
        parts = _split(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        scheme, is_address, _ = url.partition("://")
        return f"{scheme[:20]}://…" if is_address else "…"
    user, at, host = parts.netloc.rpartition("@")
    shown = urlencode([item for item in query if item[0] not in _SECRET_PARAMETERS], safe="/")
    netloc = f"{user.partition(':')[0]}{at}{host}"
    return f"{parts.scheme}://{netloc}{parts.path}{shown and '?'}{shown}"


def has_password(url: str) -> bool:
    """Say whether an address holds a password; of one that can't be read, that it may."""
    return bool(url) and bool(_secrets(url))


def scrubbed(message: str, url: str) -> str:
    """Return a message about an address without the passwords that the address holds."""
    for secret in _secrets(url):
        message = message.replace(secret, "***")
    return message


def _split(url: str) -> SplitResult:
    """Split an address; raises `ValueError` for what is none: its secrets may be anywhere."""
    if "://" not in url:
        raise ValueError(url)
    return urlsplit(url)


def _secrets(url: str) -> list[str]:
    try:
        parts = _split(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return [url]
    user = parts.netloc.rpartition("@")[0]
    raw = user.partition(":")[2]
    found = [raw, unquote(raw), *(value for name, value in query if name in _SECRET_PARAMETERS)]
    return sorted({item for item in found if item}, key=len, reverse=True)
