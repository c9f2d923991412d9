"""The text of a function, found without its tokens.

`inspect.getsource` takes a millisecond or two, which the first recorded call of every site would
pay. Code objects say where their last expression ends; what follows by its indentation belongs to
the function too.
"""

import sys
from linecache import getlines
from types import CodeType


def source_of(code: CodeType, module: str) -> str | None:
    """Return the text of a function from its first decorator on; ``None`` where there is none.

    `module` is the name of the module that it is in, whose loader may know the text. A string at
    the end of a function, after its last expression, must be indented to be seen.
    """
    namespace = getattr(sys.modules.get(module), "__dict__", None)
    lines = getlines(code.co_filename, namespace)
    first = code.co_firstlineno - 1
    if not 0 <= first < len(lines):
        return None
    end = max(_last_line(code), first + 1)
    if end > len(lines):
        return None
    if code.co_name != "<lambda>":
        end = _end_of_block(lines, end, _indentation(lines[first]))
    return "".join(lines[first:end])


def _last_line(code: CodeType) -> int:
    """Return the number of the last line that an expression of the code reaches."""
    last = max((end for _, end, _, _ in code.co_positions() if end is not None), default=0)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            last = max(last, _last_line(constant))
    return last


def _end_of_block(lines: list[str], at: int, indentation: int) -> int:
    """Return the index behind the last line of a block that reaches at least to `at`."""
    end = at
    for number in range(at, len(lines)):
        line = lines[number].strip()
        if not line:
            continue
        inner = _indentation(lines[number]) > indentation
        if not inner and line[0] not in ")]}":
            break
        end = number + 1
    return end


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())
