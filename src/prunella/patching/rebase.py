"""A patch on another state of its file: what somebody else has changed since stays."""

import ast

from prunella.model.errors import PatchRefused, SourceUnavailable
from prunella.model.repair import Patch
from prunella.patching.diff import unified_diff
from prunella.patching.locate import locate
from prunella.patching.merge import merged
from prunella.patching.replace import replace_function
from prunella.patching.text import parse


def rebase(patch: Patch, present: bytes) -> Patch:
    """Return `patch` as an edit of `present`, a newer state of its file.

    Only the function and its imports are carried over. Where the function has changed as well, the
    edits are put together if they don't touch; what comes out was never proven, and has to be. Raises
    `PatchRefused` or `SourceUnavailable` where there is no such edit.
    """
    if present == patch.before:
        return patch
    before, after = locate(patch.before, patch.qualname), locate(patch.after, patch.qualname)
    there = locate(present, patch.qualname)
    function = merged(before.text, after.text, there.text)
    if function is None:
        raise PatchRefused(
            "conflict",
            f"{patch.qualname!r} has changed in the lines that the patch changes",
        )
    if function == there.text:
        raise PatchRefused("no_change", f"{patch.qualname!r} has that edit already")
    imports = "".join(
        f"{line}\n" for line in _imports(patch.after) if line not in _imports(patch.before)
    )
    result = replace_function(present, patch.qualname, imports + function)
    return Patch(
        path=patch.path,
        qualname=patch.qualname,
        before=present,
        after=result.after,
        diff=unified_diff(patch.path, present, result.after),
    )


def _imports(source: bytes) -> list[str]:
    try:
        tree = parse(source)
    except (SyntaxError, ValueError) as error:
        raise SourceUnavailable(f"the file is no valid Python source: {error}") from error
    return [
        ast.unparse(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
