"""Editing source text: one function is replaced, every other byte stays.

Pure: bytes in, bytes out. `ast` locates, a splice of bytes edits, `compile` checks.
"""

from prunella.patching.diff import unified_diff
from prunella.patching.locate import FunctionSpan, functions, locate
from prunella.patching.rebase import rebase
from prunella.patching.replace import PatchResult, replace_function
from prunella.patching.text import SourceText

__all__ = [
    "FunctionSpan",
    "PatchResult",
    "SourceText",
    "functions",
    "locate",
    "rebase",
    "replace_function",
    "unified_diff",
]
