"""Gives functions that are already loaded another body, without importing anything anew."""

import ast
import gc
import os
from collections.abc import Iterator
from types import CodeType, FunctionType


class NotSwappable(Exception):
    """A function that can't get its new body in this process, and why."""


def live_functions(file: str, qualname: str, first_line: int) -> list[FunctionType]:
    """Return the function objects made from the text at that place; decorators keep theirs alive."""
    found = [
        item
        for item in gc.get_objects()
        if type(item) is FunctionType
        and item.__code__.co_qualname == qualname
        and os.path.realpath(item.__code__.co_filename) == file
    ]
    exact = [item for item in found if item.__code__.co_firstlineno == first_line]
    return exact or found


def swap(functions: list[FunctionType], qualname: str, text: str, file: str) -> None:
    """Compile `text`, the function with imports before it, and make it the body of `functions`.

    Raises `NotSwappable` where it doesn't compile, or needs other variables of the scope around it.
    """
    imports, code = _compiled(text, qualname, file)
    for function in functions:
        if code.co_freevars != function.__code__.co_freevars:
            raise NotSwappable("it uses other variables of the scope around it")
        exec(imports, function.__globals__)  # noqa: S102 - only import statements, in the sandbox
        function.__code__ = code


def _compiled(text: str, qualname: str, file: str) -> tuple[CodeType, CodeType]:
    try:
        module = ast.parse(_header(text, qualname) + text)
        body = module.body
        while len(body) == 1 and isinstance(body[0], (ast.ClassDef, ast.If)):
            body = body[0].body
        imports: list[ast.stmt] = [
            item for item in body if isinstance(item, (ast.Import, ast.ImportFrom))
        ]
        functions = [item for item in body if item not in imports]
        for item in functions:
            if not isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
                raise NotSwappable("there is more in it than imports and a function")
            item.decorator_list = []
        body[:] = functions
        whole = compile(module, file, "exec", dont_inherit=True)
        lead = compile(ast.Module(body=imports, type_ignores=[]), file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotSwappable(f"it doesn't compile: {error}") from None
    code = next((item for item in _codes(whole) if item.co_qualname == qualname), None)
    if code is None:
        raise NotSwappable(f"it defines no {qualname}")
    return lead, code


def _header(text: str, qualname: str) -> str:
    """Return what the text stands in: its classes, for super() and private names."""
    classes = qualname.split(".")[:-1]
    if classes:
        return "".join(f"{' ' * depth}class {name}:\n" for depth, name in enumerate(classes))
    return "if True:\n" if text.lstrip("\r\n")[:1] in (" ", "\t") else ""


def _codes(code: CodeType) -> Iterator[CodeType]:
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield item
            yield from _codes(item)
