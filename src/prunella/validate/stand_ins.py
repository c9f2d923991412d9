"""Recorded errors and calls as the interpreter of fixes takes them: what stands in for real ones."""

from collections.abc import Mapping
from typing import Any

from prunella.model.records import ExceptionInfo
from prunella.taxonomy import CODES, ErrorCode, classify_recorded


class RecordedError(Exception):
    """Stands in for a recorded exception; never raised."""

    info: ExceptionInfo


def stand_in(info: ExceptionInfo) -> RecordedError:
    """Return an error whose class has the names of the recorded one and its bases."""
    cls: type = RecordedError
    for path in reversed(info.mro[:20]):
        module, _, qualname = path.rpartition(":")
        name = qualname.rpartition(".")[2][:100] or "Error"
        cls = type(name, (cls,), {"__module__": module, "__qualname__": qualname[:200] or name})
    error: RecordedError = cls(info.message)
    error.info = info
    return error


def code_of(error: BaseException, kind: str) -> ErrorCode:
    """Return the code of an error that stands in for a recorded one, or for a site that doesn't exist."""
    if isinstance(error, RecordedError):
        return classify_recorded(error.info, kind=kind).code
    return CODES["TOOL.REGISTRY.UNKNOWN"]


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two calls have the same arguments."""
    return one is other or one == other
