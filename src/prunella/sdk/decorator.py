"""``@heal``: puts a function under observation."""

from __future__ import annotations

import os
from functools import partial
from types import FunctionType

from prunella.model.roles import roles_of
from prunella.sdk import runtime
from prunella.sdk.counters import count, guarded
from prunella.sdk.site import site_of
from prunella.sdk.trace import current
from prunella.sdk.wrapper import build, parameter_names
from prunella.sdk.yields import observe

#: For type checkers; `typing` takes longer to import than this whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Literal, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any])
    Kind = Literal["function", "tool", "llm", "agent"]
    Capture = Literal["full", "errors", "none"]
else:

    def overload(function):
        return function


@overload
def heal(function: F, /) -> F: ...


@overload
def heal(  # noqa: F811 - overloads of one function
    *,
    kind: Kind = "function",
    boundary: bool = False,
    capture: Capture | None = None,
    redact: Iterable[str] = (),
    idempotent: bool = False,
) -> Callable[[F], F]: ...


def heal(  # noqa: F811 - what the overloads above describe
    function: F | None = None,
    /,
    *,
    kind: Kind = "function",
    boundary: bool = False,
    capture: Capture | None = None,
    redact: Iterable[str] = (),
    idempotent: bool = False,
) -> F | Callable[[F], F]:
    """Record what the decorated function does: each failure, and a sample of its successes.

    ``@heal`` or ``@heal(…)``, on functions, methods, static and class methods (above or below
    those decorators), coroutines, generators and async generators. The function keeps its
    signature, name, attributes and kind; its exceptions reach the caller unchanged.

    `kind` says what sort of work it does. `boundary` marks a function that reaches outside (network,
    database, clock): its recorded answers stand in for it when a caller is replayed. `capture`
    overrides the setting of that name for this function. `redact` names arguments, keys and local
    variables whose values are secrets here. `idempotent` declares that a call may be repeated: fixes
    retry no other function unless a person approved it.

    Raises `TypeError` for what is no Python function, with what to do instead. With
    ``PRUNELLA_DISABLED=1`` the function is returned as it is.
    """
    return marked(
        function,
        kind=kind,
        boundary=boundary,
        capture=capture,
        redact=redact,
        idempotent=idempotent,
    )


def marked(function: F | None, *, redact: Iterable[str], **options: Any) -> F | Callable[[F], F]:
    """Return `function` under observation, or a decorator where it is ``None``.

    `options` are those of `heal`, and the `name` and the `roles` of a tool, llm or agent.
    """
    is_replay = os.environ.get("PRUNELLA_REPLAY") == "1"
    if runtime.is_switched_off() and not is_replay:
        return function if function is not None else _unchanged
    options["redact"] = (redact,) if isinstance(redact, str) else tuple(redact)
    if function is None:
        return partial(_decorate, **options)
    decorated: F = _decorate(function, **options)
    return decorated


def _unchanged(function: F) -> F:
    return function


def _decorate(function: Any, **options: Any) -> Any:
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(_decorate(function.__func__, **options))
    if type(function) is not FunctionType:
        raise TypeError(
            f"@heal takes a Python function, not {function!r}: put it directly above the `def`, "
            "below decorators such as @property or @lru_cache, and on the methods of a class "
            "instead of the class"
        )
    if hasattr(function, "__prunella_site__") or options["capture"] == "none":
        return function
    options["roles"] = roles_of(parameter_names(function.__code__), options.pop("roles", {}))
    wrapped = guarded("decorate", _wrap, function, options)
    if wrapped is None:
        count("dropped_sites")
        return function
    return wrapped


def _wrap(function: FunctionType, options: dict[str, Any]) -> FunctionType | None:
    if os.environ.get("PRUNELLA_REPLAY") == "1":
        from prunella.sdk.standin import stand_in

        return stand_in(function) if options["boundary"] else function
    site = site_of(function, **options)
    if site is None:
        return None
    hooks: dict[str, Callable[..., Any]] = {
        "begin": partial(runtime.begin, site),
        "failed": partial(runtime.failed, site),
        "returned": runtime.returned,
        "observe": observe,
        "inside": current.get,
    }
    wrapper = build(function, site.left, hooks, boundary=site.boundary)
    wrapper.__prunella_site__ = site.site_id  # type: ignore[attr-defined]  # read by the replay
    site.add_wrapper(wrapper)
    fixing = runtime.get_fixing()
    if fixing is not None:
        fixing.attach(site, wrapper)
    return wrapper
