"""How a call ended, and what of its arguments can't have changed by then."""

import sys
from typing import Any

from prunella.codec import Redactor, encode_mapping
from prunella.codec.texts import mapping_text, to_json
from prunella.sdk.site import Site

#: Ids of the types of scalars: looking up a class itself would run its metaclass's ``__hash__``.
SCALARS = frozenset(
    id(kind) for kind in (str, int, float, bool, bytes, complex, type(None), type(Ellipsis))
)


def inputs_at_failure(values: dict[str, Any], read: Any, redactor: Redactor) -> tuple[str, bool]:
    """Return a failed call's arguments `values` as JSON text of a tree, and whether it is whole.

    `read` is the tree of those that are no scalars as they were before the call, or ``None`` where
    nothing was read; then only what can't have changed since is in it, and marks for the rest.
    """
    if read is None:
        late = {name: value for name, value in values.items() if is_unchanged(name, value)}
    else:
        late = {name: value for name, value in values.items() if id(type(value)) in SCALARS}
    if len(late) == len(values):
        return mapping_text(late, redactor=redactor)
    tree: Any
    tree, complete = encode_mapping(late, redactor=redactor)
    whole: list[Any] = ["d"]
    encoded = iter(zip(tree[1::2], tree[2::2], strict=True))
    early = iter(zip(read[1::2], read[2::2], strict=True)) if read else iter(())
    for name, value in values.items():
        if name in late:
            whole += next(encoded)
        else:
            cls = type(value)
            place = f"{cls.__module__}:{cls.__qualname__}"
            whole += next(early, (name, ["?", place, "not read before the call"]))
    return to_json(whole), complete and read is not None


def ending_of(site: Site, error: BaseException) -> str:
    """Return the `prunella.model.records.Ending` of an exception; ``""`` for the end of iteration."""
    if isinstance(error, Exception):
        if isinstance(error, (StopIteration, StopAsyncIteration)) and site.is_iteration_step:
            return ""
        return "error"
    asyncio = sys.modules.get("asyncio.exceptions")
    if asyncio is not None and isinstance(error, asyncio.CancelledError):
        return "cancelled"
    return "interrupted"


def is_unchanged(name: str, value: Any) -> bool:
    """Tell whether the argument `name` is after a call what it was before."""
    if name.startswith("**"):  # the function got a copy of this dict
        return all(is_immutable(item) for item in value.values())
    return is_immutable(value)


def is_immutable(value: Any, depth: int = 4) -> bool:
    """Tell whether nothing can have changed `value`: a scalar, or a small tuple of such."""
    kind = type(value)
    if id(kind) in SCALARS:
        return True
    if (kind is tuple or kind is frozenset) and depth and len(value) <= 20:
        return all(is_immutable(item, depth - 1) for item in value)
    return f"{kind.__module__}.{kind.__qualname__}" in _IMMUTABLE


_IMMUTABLE = frozenset(
    {
        "decimal.Decimal", "fractions.Fraction", "datetime.datetime", "datetime.date",
        "datetime.time", "datetime.timedelta", "uuid.UUID", "pathlib.PosixPath",
        "pathlib.PurePosixPath", "builtins.range",
    }
)  # fmt: skip
