"""Looking at classes and instances without running any of their code.

Attribute access on a foreign object may run properties, ``__getattr__``, ``__getattribute__`` or a
metaclass's methods, and hashing a class may run the metaclass's ``__hash__``. Everything here goes
through the descriptors of `type` itself and compares by identity.
"""

import sys
import types
from typing import Any

from prunella.model.errors import RecordError

_mro = type.__dict__["__mro__"].__get__
_dict = type.__dict__["__dict__"].__get__
_module = type.__dict__["__module__"].__get__
_qualname = type.__dict__["__qualname__"].__get__
_module_dict: Any = types.ModuleType.__dict__["__dict__"].__get__  # type: ignore[index]  # typeshed has the instance's

MISSING: Any = object()


def mro(cls: type) -> tuple[type, ...]:
    """Return the method resolution order of `cls`."""
    order: tuple[type, ...] = _mro(cls)
    return order


def lookup(cls: type, name: str) -> Any:
    """Return what `name` means on `cls`, unbound, or `MISSING`."""
    for base in _mro(cls):
        found = _dict(base).get(name, MISSING)
        if found is not MISSING:
            return found
    return MISSING


def derives(cls: type, base: type) -> bool:
    """Tell whether `cls` has `base` among its real bases."""
    return any(one is base for one in _mro(cls))


def path_of(cls: type) -> str:
    """Return ``module:qualname`` of a class, as it says of itself.

    What a main script has defined is called so in a process that `multiprocessing` spawned, too.
    """
    try:
        module, qualname = _module(cls), _qualname(cls)
    except AttributeError:  # a class whose __module__ was deleted
        module, qualname = "?", _qualname(cls)
    if module == "__mp_main__":
        module = "__main__"
    return f"{module if type(module) is str else '?'}:{qualname}"


def find(path: str) -> Any:
    """Return what ``module:qualname`` names among the loaded modules, or `MISSING`."""
    module_name, _, qualname = path.partition(":")
    module = sys.modules.get(module_name)
    if not qualname or module is None or not derives(type(module), types.ModuleType):
        return MISSING
    namespace: Any = _module_dict(module)
    found: Any = MISSING
    for name in qualname.split("."):
        found = namespace.get(name, MISSING)
        if type(found) is staticmethod or type(found) is classmethod:
            found = found.__func__
        if found is MISSING:
            return MISSING
        namespace = _dict(found) if derives(type(found), type) else {}
    return found


def import_by_path(path: str) -> Any:
    """Return what ``module:qualname`` names, importing the module.

    Raises `RecordError` where there is none. Importing runs the module's code: for use inside the
    sandbox only.
    """
    module_name, _, qualname = path.partition(":")
    if not module_name or not all(part.isidentifier() for part in qualname.split(".")):
        raise RecordError(f"{path[:200]!r} is no path of a class or function (module:qualname)")
    if module_name not in sys.modules:
        try:
            __import__(module_name)
        except Exception as error:
            raise RecordError(f"module {module_name[:200]!r} can't be imported: {error}") from error
    found = find(path)
    if found is MISSING:
        raise RecordError(f"module {module_name[:200]!r} has no {qualname[:200]!r} any more")
    return found


def instance_dict(cls: type) -> Any:
    """Return the getter of the instances' ``__dict__``, or ``None`` if they have none.

    A property named ``__dict__`` is passed over.
    """
    for base in _mro(cls):
        found = _dict(base).get("__dict__")
        if type(found) is types.GetSetDescriptorType:
            return found.__get__
    return None


def slots(cls: type) -> dict[str, Any]:
    """Return the descriptors of the instances' ``__slots__`` by their real (mangled) names."""
    found: dict[str, Any] = {}
    for base in _mro(cls):
        if "__slots__" in _dict(base):
            for name, item in _dict(base).items():
                if type(item) is types.MemberDescriptorType:
                    found.setdefault(name, item)
    return found


def built_in_field(cls: type, name: str) -> Any:
    """Return the descriptor of a field that a built-in exception keeps, or ``None``."""
    found = lookup(cls, name) if derives(cls, BaseException) else None
    return found if type(found) is types.MemberDescriptorType else None


#: Built-in types that hold state outside of attributes and that classes derive from.
_STATE_HOLDERS = (
    *(str, int, float, complex, bytes, bytearray, list, tuple, set, frozenset, dict, object),
)
#: The same, in modules that a program may not have loaded.
_LOADED_STATE_HOLDERS = (
    *("collections:OrderedDict", "collections:defaultdict", "collections:deque"),
    *("datetime:datetime", "datetime:date", "datetime:time", "datetime:timedelta"),
)
#: What their ``__new__`` doesn't do without.
_NEEDED = {"datetime:datetime": (1, 1, 1), "datetime:date": (1, 1, 1)}
_LOADED_OBJECTS = ("datetime:tzinfo",)


def base_of(cls: type) -> type:
    """Return the built-in class that makes and holds what isn't in an instance's attributes.

    It is `object` for ordinary classes, and the nearest built-in exception for exceptions.
    """
    holders = {id(holder) for holder in _STATE_HOLDERS}
    holders |= {id(find(path)) for path in _LOADED_STATE_HOLDERS + _LOADED_OBJECTS}
    is_exception = derives(cls, BaseException)
    for base in mro(cls):
        if id(base) in holders or (is_exception and find(f"builtins:{base.__name__}") is base):
            return base
    return object


def is_plain(base: type) -> bool:
    """Tell whether instances made by this `base_of` something hold nothing but attributes."""
    return base is object or base is find("datetime:tzinfo")


def obstacle(cls: type) -> str:
    """Return why an instance of `cls` can't be made anew from its state, or ``""``."""
    if lookup(cls, "__del__") is not MISSING:
        return "owns a resource (__del__)"
    if not derives(cls, BaseException):
        try:
            # CPython refuses this where a class in C between the two holds state of its own.
            maker: Any = base_of(cls)
            maker.__new__(cls, *_NEEDED.get(path_of(maker), ()))
        except Exception:  # noqa: BLE001 - whatever the reason is
            return "holds state outside its attributes"
    return ""


def why_not_rebuilt(cls: type) -> str:
    """As `obstacle`, for a class that has to be importable as well."""
    path = path_of(cls)
    return obstacle(cls) if find(path) is cls else f"can't be imported as {path}"
