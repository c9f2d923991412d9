"""`install_fix` and `remove_fix`: fixes in this process, by hand."""

from __future__ import annotations

from prunella.sdk import runtime
from prunella.sdk.counters import guarded

#: For type checkers; `typing` takes longer to import than this whole package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal


def install_fix(
    document: Mapping[str, Any] | str | bytes, *, mode: Literal["enforce", "shadow"] = "enforce"
) -> str:
    """Put a fix in force in this process, at once, and return its id.

    `document` is a fix document, as JSON text or what JSON was read to. It acts on the sites that
    its target names, also on those that are decorated later, in place of an installed fix with the
    same id. With `mode` ``"shadow"`` it only tells what it would do.

    Raises `prunella.model.errors.FixError` with the path of what is wrong in the document, and
    `ValueError` for another `mode`. Does nothing where ``PRUNELLA_DISABLED=1`` or in a replay.
    """
    from prunella.fixes import Installation, Mode, parse

    installation = Installation(fix=parse(document), mode=Mode(mode))
    if not runtime.is_switched_off():
        from prunella.sdk.fixing import fixing

        guarded("fixes", fixing().install, installation)
    return installation.fix.fix_id


def remove_fix(fix_id: str) -> bool:
    """Take a fix off in this process, at once; return whether it was installed."""
    found = runtime.get_fixing()
    return found is not None and bool(guarded("fixes", found.remove, fix_id))
