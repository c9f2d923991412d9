"""What classification looks at: one view of living exceptions and of recorded ones.

Nothing here calls into the program: classes are read from the type, values from the instance's own
dict, C-level slots through their descriptors. What a class of the program defines (``__str__``,
``__getattr__``, properties) is never run. Texts and chains are bounded.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from prunella.model.records import ExceptionInfo

#: Exceptions of one chain that are looked at.
MAX_CHAIN = 6
#: Characters of a message that patterns are matched against.
MAX_MESSAGE = 600
#: Classes of one exception that are looked at.
MAX_CLASSES = 40

#: Other names of packages: forks, C accelerators, and the modules that re-export.
_ALIASES = {
    "httpcore2": "httpcore",
    "httpx2": "httpx",
    "psycopg2": "psycopg",
    "pydantic_core": "pydantic",
}


class View(Protocol):
    """One exception, living or recorded."""

    #: ``package:Class`` of the class and its bases, most derived first; packages without what
    #: stands behind their first dot and without leading underscores.
    names: tuple[str, ...]

    def message(self) -> str:
        """Return what it says, bounded, in lower case."""
        ...

    def fact(self, name: str) -> str:
        """Return ``status``, ``sqlstate``, ``errno`` or ``provider``; empty where it has none."""
        ...

    def cause(self) -> "tuple[View, bool] | None":
        """Return the next of the chain, and whether the program said itself that it is the cause.

        It did with ``raise … from`` and in a group; not where one was raised while handling another.
        """
        ...


def name_of(path: str) -> str:
    """Return ``package:Class`` of a ``module:qualname``."""
    module, _, qualname = path.rpartition(":")
    package = module.partition(".")[0].lstrip("_")
    return f"{_ALIASES.get(package, package)}:{qualname}"


# --- living exceptions --------------------------------------------------------------------------


def _reader(slot: Any) -> Callable[[Any], Any]:
    """Return what reads a C-level slot, whatever a class of the program says of attributes."""
    read: Callable[[Any], Any] = slot.__get__
    return read


_arguments = _reader(BaseException.args)
_cause = _reader(BaseException.__cause__)
_context = _reader(BaseException.__context__)
_suppressed = _reader(BaseException.__suppress_context__)
_members = _reader(BaseExceptionGroup.exceptions)
_errno = _reader(OSError.errno)
_strerror = _reader(OSError.strerror)
_mro = _reader(type.__dict__["__mro__"])
_module = _reader(type.__dict__["__module__"])
_qualname = _reader(type.__dict__["__qualname__"])


class _ClassFacts(NamedTuple):
    """What a class says, found out once."""

    #: Keeps its id its own.
    cls: type
    names: tuple[str, ...]
    #: What it has for its instances: psycopg's and asyncpg's classes have one each.
    sqlstate: str
    is_os_error: bool
    is_group: bool


_classes: dict[int, _ClassFacts] = {}
_MAX_KNOWN = 2_000


def _class_facts(cls: type) -> _ClassFacts:
    found = _classes.get(id(cls))
    if found is None:
        if len(_classes) >= _MAX_KNOWN:
            _classes.clear()
        bases = _mro(cls)[:MAX_CLASSES]
        found = _classes[id(cls)] = _ClassFacts(
            cls,
            tuple(name_of(_path(base)) for base in bases),
            next(filter(None, (_state(base.__dict__.get("sqlstate")) for base in bases)), ""),
            OSError in bases,
            BaseExceptionGroup in bases,
        )
    return found


def _path(cls: type) -> str:
    module = _module(cls)
    return f"{module if type(module) is str else '?'}:{_qualname(cls)}"


class Living:
    """An exception of this process."""

    __slots__ = ("_class", "_error", "_left", "names")

    def __init__(self, error: BaseException, left: int = MAX_CHAIN) -> None:
        self._error = error
        self._left = left
        self._class = _class_facts(type(error))
        self.names = self._class.names

    def message(self) -> str:
        """Return the arguments that are texts, or what the operating system says."""
        error = self._error
        texts = [item[:MAX_MESSAGE] for item in _arguments(error)[:4] if type(item) is str]
        if self._class.is_os_error and type(_strerror(error)) is str:
            texts.append(_strerror(error)[:MAX_MESSAGE])
        if not texts and self.names[0] == "pydantic:ValidationError":
            return _kinds_of_errors(error)
        return " ".join(texts)[:MAX_MESSAGE].lower()

    def fact(self, name: str) -> str:
        """Return one of `facts`."""
        return _FACTS[name](self._error, self._class)

    def cause(self) -> tuple[View, bool] | None:
        """Return the next of the chain, unless it is at its bound."""
        error, is_told = self._error, True
        cause = _cause(error)
        if cause is None and not _suppressed(error):
            cause, is_told = _context(error), False
        if cause is None and self._class.is_group:
            cause, is_told = _members(error)[0], True
        if cause is None or self._left <= 1:
            return None
        return Living(cause, self._left - 1), is_told


#: Errors of one validation up to which they are looked at: all are built at once.
_MANY = 100


def _kinds_of_errors(error: Any) -> str:
    """Return what stands in the text of a validation error; the text itself shows inputs."""
    try:
        if error.error_count() > _MANY:
            return f"{error.error_count()} validation errors"
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return " ".join(f"[type={item['type']}," for item in found)
    except Exception:  # noqa: BLE001 - another class of that name: what it does is unknown
        return ""


def facts(error: BaseException) -> dict[str, str]:
    """Return what an exception carries beside class and message, as far as it has it.

    ``status``: the HTTP status of an answer; ``sqlstate``: five characters; ``errno``: a number;
    ``provider``: the codes that a service gave the error, in lower case, separated by spaces.
    """
    of_class = _class_facts(type(error))
    if not (of_class.is_os_error or of_class.sqlstate or _own(error)):
        return {}
    found = {name: read(error, of_class) for name, read in _FACTS.items()}
    return {name: value for name, value in found.items() if value}


def _own(thing: object) -> dict[str, Any]:
    """Return the dict of an instance, whatever its class says of attributes."""
    try:
        found = object.__getattribute__(thing, "__dict__")
    except Exception:  # noqa: BLE001 - slots only, or a class that hides it
        return {}
    return found if type(found) is dict else {}


def _errno_of(error: BaseException, of_class: _ClassFacts) -> str:
    number = _errno(error) if of_class.is_os_error else None
    return str(number) if type(number) is int else ""


def _sqlstate_of(error: BaseException, of_class: _ClassFacts) -> str:
    own = _own(error)
    found = (_state(own.get("sqlstate")) or _state(own.get("pgcode"))) if own else ""
    return found or of_class.sqlstate


def _state(value: Any) -> str:
    return value if type(value) is str and len(value) == 5 and value.isalnum() else ""


_STATUS_NAMES = ("status_code", "status", "http_status")


def _status_of(error: BaseException, of_class: _ClassFacts) -> str:
    own = _own(error)
    if not own:
        return ""
    status = _status_in(own)
    if not status and "urllib:HTTPError" in of_class.names:
        status = _status(own.get("code"))
    response = own.get("response")
    if status or response is None:
        return status
    if type(response) is not dict:
        return _status_in(_own(response))
    parts = response.get("ResponseMetadata")  # botocore's
    return _status(parts.get("HTTPStatusCode")) if type(parts) is dict else ""


def _status_in(attributes: Mapping[str, Any]) -> str:
    return next(
        filter(None, (_status(attributes[name]) for name in _STATUS_NAMES if name in attributes)),
        "",
    )


def _status(value: Any) -> str:
    if not issubclass(type(value), int):
        return ""
    number = int.__int__(value)  # of http.HTTPStatus, and of what the program derives from int
    return str(number) if 100 <= number <= 599 else ""


def _provider_of(error: BaseException, _of_class: _ClassFacts) -> str:
    own = _own(error)
    if not own:
        return ""
    found = [own.get("code"), own.get("type")]
    body = own.get("body")
    if type(body) is dict:
        nested = body.get("error")
        for part in (body, nested if type(nested) is dict else {}):
            found += [part.get("code"), part.get("type")]
    response = own.get("response")
    if type(response) is dict and type(response.get("Error")) is dict:
        found.append(response["Error"].get("Code"))
    words = (item.lower() for item in found if type(item) is str and len(item) <= 60)
    return " ".join(dict.fromkeys(word for word in words if " " not in word))


_FACTS: Mapping[str, Callable[[BaseException, _ClassFacts], str]] = {
    "errno": _errno_of,
    "provider": _provider_of,
    "sqlstate": _sqlstate_of,
    "status": _status_of,
}


Look = tuple[Any, ...]
"""What of an exception anything here looks at; as ids of classes, texts and numbers."""
#: Characters of a text in a look.
_MAX_TEXT = 200
#: Attributes that `facts` may read.
_READ = ("code", "type", "body", "response", "sqlstate", "pgcode", *_STATUS_NAMES)


def look_of(error: BaseException, left: int = MAX_CHAIN) -> tuple[Look, tuple[type, ...]] | None:
    """Return what decides on an exception, and the classes in its chain.

    Exceptions of equal looks are the same to `Living`. ``None`` for one that carries more than texts
    and causes, or long ones. A look holds as long as its classes are kept.
    """
    cls = type(error)
    of_class = _class_facts(cls)
    own = _own(error)
    if of_class.is_group or (own and any(name in own for name in _READ)):
        return None
    look: list[Any] = [id(cls)]
    for item in _arguments(error)[:4]:
        if type(item) is str:
            if len(item) > _MAX_TEXT:
                return None
            look.append(item)
    if of_class.is_os_error:
        number, text = _errno(error), _strerror(error)
        look.append(number if type(number) is int else None)
        look.append(text[:MAX_MESSAGE] if type(text) is str else None)
    elif len(look) == 1 and of_class.names[0] == "pydantic:ValidationError":
        return None
    cause, is_told = _cause(error), True
    if cause is None and not _suppressed(error):
        cause, is_told = _context(error), False
    if cause is None or left <= 1:
        return tuple(look), (cls,)
    below = look_of(cause, left - 1)
    if below is None:
        return None
    return (*look, is_told, below[0]), (cls, *below[1])


# --- recorded exceptions ------------------------------------------------------------------------


class Recorded:
    """An exception as the spool has it."""

    __slots__ = ("_info", "_left", "names")

    def __init__(self, info: "ExceptionInfo", left: int = MAX_CHAIN) -> None:
        self._info = info
        self._left = left
        paths = info.mro[:MAX_CLASSES] or (info.type,)
        self.names = tuple(name_of(path) for path in paths)

    def message(self) -> str:
        """Return the recorded message."""
        return self._info.message[:MAX_MESSAGE].lower()

    def fact(self, name: str) -> str:
        """Return what was recorded of `facts`."""
        return self._info.attributes.get(name, "")

    def cause(self) -> tuple[View, bool] | None:
        """Return the recorded cause, unless the chain is at its bound."""
        if self._info.cause is None or self._left <= 1:
            return None
        return Recorded(self._info.cause, self._left - 1), self._info.relation != "context"
