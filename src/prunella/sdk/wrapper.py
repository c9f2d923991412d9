"""Generates the wrapper of one function: its exact signature, its kind, almost no cost.

The wrapper's code is compiled from a template in which the parameters of the wrapped function
stand as parameters, so that Python itself binds arguments, refuses wrong ones and answers
`inspect`. On the fast path it counts down a closure cell and calls the function within a ``try``
that costs nothing: no clock, no flag, no lookup. When the countdown is used up, `begin` decides
what happens to this call and sets it anew.

Default values are shared by reference with the wrapped function; names can't smuggle code in,
because only identifiers are put into the template.
"""

from __future__ import annotations

import sys
from functools import cache, update_wrapper
from types import CellType, CodeType, FunctionType, SimpleNamespace

#: For type checkers; `typing` takes longer to import than this whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Hooks = Mapping[str, Callable[..., Any]]
    """``begin``, ``failed``, ``returned``, ``observe`` and ``inside`` of one site."""

# The flags of `inspect`, which takes longer to import than everything else here.
CO_VARARGS, CO_VARKEYWORDS, CO_GENERATOR = 0x04, 0x08, 0x20
CO_COROUTINE, CO_ITERABLE_COROUTINE, CO_ASYNC_GENERATOR = 0x80, 0x100, 0x200

#: What tracebacks of a stack dump show as the file of a wrapper.
FILENAME = "<prunella @heal>"

_FAST = """
        if {p}left > 0{condition}:
            {p}left -= 1
            try:
                return {call}
            except:
                try:
                    {p}hooks.failed(None, {values})
                except {p}hooks.fault:
                    pass
                raise
        try:
            {p}running = {p}hooks.begin({values})
        except {p}hooks.fault:
            {p}running = None
        try:
            {p}result = {slow_call}
        except:
            try:
                {p}hooks.failed({p}running, {values})
            except {p}hooks.fault:
                pass
            raise
        if {p}running is not None:
            try:
                {p}hooks.returned({p}running, {p}result)
            except {p}hooks.fault:
                pass
        return {p}result
"""

_ASYNC_GENERATOR = """
        if {p}left > 0{condition}:
            {p}left -= 1
            {p}running = None
        else:
            try:
                {p}running = {p}hooks.begin({values})
            except {p}hooks.fault:
                {p}running = None
        try:
            {p}inner = {p}hooks.observe({p}running, {p}function({arguments}))
            {p}value = await {p}inner.__anext__()
            while True:
                try:
                    {p}sent = yield {p}value
                except {p}hooks.closed:
                    await {p}inner.aclose()
                    raise
                except:
                    {p}value = await {p}inner.athrow({p}hooks.exception())
                else:
                    {p}value = await {p}inner.asend({p}sent)
        except {p}hooks.ended:
            pass
        except:
            try:
                {p}hooks.failed({p}running, {values})
            except {p}hooks.fault:
                pass
            raise
        if {p}running is not None:
            try:
                {p}hooks.returned({p}running, None)
            except {p}hooks.fault:
                pass
"""

_TEMPLATE = """
def {p}make({cells}):
    {keyword} wrapper({parameters}):
        nonlocal {p}left
{body}
"""

#: What every wrapper finds in ``hooks``, beside those of its site.
_FIXED: dict[str, Any] = {
    "closed": GeneratorExit,
    "ended": StopAsyncIteration,
    "exception": sys.exception,
    # The hooks keep their errors to themselves, but near the limit of the stack even calling one
    # may fail, and so it may while the interpreter ends and modules are emptied. Without a call,
    # nothing can go wrong in the wrapper's handlers. Others are those of the program's signal
    # handlers, which hooks let pass.
    "fault": (RecursionError, MemoryError, NameError, AttributeError, TypeError),
}


def parameter_names(code: CodeType) -> tuple[str, ...]:
    """Return the parameters in the order of the signature, ``*args`` and ``**kwargs`` starred."""
    positional = code.co_varnames[: code.co_argcount]
    end = code.co_argcount + code.co_kwonlyargcount
    keyword = code.co_varnames[code.co_argcount : end]
    star: tuple[str, ...] = ()
    if code.co_flags & CO_VARARGS:
        star, end = (f"*{code.co_varnames[end]}",), end + 1
    double = (f"**{code.co_varnames[end]}",) if code.co_flags & CO_VARKEYWORDS else ()
    return positional + star + keyword + double


def kind_of(code: CodeType) -> str:
    """Return the `prunella.model.records.FunctionShape` of a function's code."""
    if code.co_flags & CO_ASYNC_GENERATOR:
        return "async_generator"
    if code.co_flags & CO_COROUTINE:
        return "async"
    return "generator" if code.co_flags & CO_GENERATOR else "sync"


def build(
    function: FunctionType, left: CellType, hooks: Hooks, *, boundary: bool = False
) -> FunctionType:
    """Return a wrapper of `function` that counts `left` down and calls `hooks`.

    Name, documentation, annotations, defaults, attributes and async-ness are those of `function`;
    ``__wrapped__`` leads to it.
    """
    code = function.__code__
    prefix = prefix_for(code)
    template = _compile(
        parameter_names(code),
        (code.co_posonlyargcount, code.co_argcount),
        code.co_flags & _KINDS,
        boundary,
        prefix,
    )
    named = template.replace(
        co_name=code.co_name,
        co_qualname=code.co_qualname,
        co_flags=template.co_flags | (code.co_flags & CO_ITERABLE_COROUTINE),
    )
    values = {
        "hooks": SimpleNamespace(**_FIXED, **hooks),
        "inside": hooks["inside"],
        "function": function,
    }
    closure = tuple(
        left if name == f"{prefix}left" else CellType(values[name.removeprefix(prefix)])
        for name in named.co_freevars
    )
    wrapper = FunctionType(named, function.__globals__, function.__name__, None, closure)
    update_wrapper(wrapper, function)
    wrapper.__defaults__ = function.__defaults__
    wrapper.__kwdefaults__ = function.__kwdefaults__
    return wrapper


_KINDS = CO_ASYNC_GENERATOR | CO_COROUTINE | CO_GENERATOR


def prefix_for(code: CodeType) -> str:
    """Return what our own names in generated code begin with: no parameter does."""
    prefix = "_prunella_"
    while any(name.lstrip("*").startswith(prefix) for name in parameter_names(code)):
        prefix = f"_{prefix}"
    return prefix


@cache
def _compile(
    names: tuple[str, ...], counts: tuple[int, int], kind: int, boundary: bool, prefix: str
) -> CodeType:
    """Return the code of a wrapper for a signature; functions of one signature share it."""
    check_identifiers(names)
    is_async = kind & (CO_COROUTINE | CO_ASYNC_GENERATOR)
    positional_only, positional = counts
    arguments = argument_list(names, positional)
    plain = f"{prefix}function({arguments})"
    call = slow_call = plain
    if kind & CO_COROUTINE:
        call = slow_call = f"await {plain}"
    elif kind & CO_GENERATOR:
        call = f"(yield from {plain})"
        slow_call = f"yield from {prefix}hooks.observe({prefix}running, {plain})"
    # As few as can be: each call of the wrapper copies all that it uses.
    cells = ("hooks", "inside", "function", "left")
    body = (_ASYNC_GENERATOR if kind & CO_ASYNC_GENERATOR else _FAST).format(
        p=prefix,
        call=call,
        slow_call=slow_call,
        arguments=arguments,
        values=value_tuple(names),
        condition=f" and {prefix}inside() is None" if boundary else "",
    )
    text = _TEMPLATE.format(
        p=prefix,
        cells=", ".join(prefix + name for name in cells),
        keyword="async def" if is_async else "def",
        parameters=parameter_list(names, positional_only, positional),
        body=body,
    )
    maker = only_code(compile(text, FILENAME, "exec"))
    return only_code(maker)


def check_identifiers(names: tuple[str, ...]) -> None:
    """Raise `ValueError` for a parameter that can't be put into generated code."""
    for name in names:
        if not name.lstrip("*").isidentifier():
            raise ValueError(f"parameter {name!r} is no identifier")


def only_code(outer: CodeType) -> CodeType:
    """Return the code of the one function in a module or a function."""
    return next(constant for constant in outer.co_consts if isinstance(constant, CodeType))


def parameter_list(names: tuple[str, ...], positional_only: int, positional: int) -> str:
    """Return a parameter list without defaults, which belong to the function, not to its code."""
    parts = list(names)
    rest = parts[positional:]
    if rest and not rest[0].startswith("*"):
        parts.insert(positional, "*")
    if positional_only:
        parts.insert(positional_only, "/")
    return ", ".join(parts)


def argument_list(names: tuple[str, ...], positional: int) -> str:
    """Return the arguments that hand every parameter on as it came in."""
    rest = (name if name.startswith("*") else f"{name}={name}" for name in names[positional:])
    return ", ".join((*names[:positional], *rest))


def value_tuple(names: tuple[str, ...]) -> str:
    """Return the values of all parameters in order: a tuple, which is made faster than a dict."""
    return f"({''.join(name.lstrip('*') + ', ' for name in names)})"
