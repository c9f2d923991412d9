"""The tree: how an encoded Python value looks everywhere in Prunella.

A tree is plain JSON. ``None``, booleans, integers, strings and finite floats stand for themselves;
everything else is a list whose first item is a tag. `prunella.codec` alone makes and reads trees;
other packages pass them on and ask `prunella.codec` about them.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    Tree: TypeAlias = "bool | int | float | str | list[Tree] | None"
else:
    Tree = Any  # recursive aliases can't be resolved at run time before Python 3.12
