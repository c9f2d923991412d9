"""Error codes: what the exception says itself, what the project maps, else the taxonomy's."""

import re
from collections.abc import Iterator, Mapping

from prunella.model.records import ExceptionInfo, SiteKind
from prunella.taxonomy import classify_recorded, is_known

#: What a code looks like, wherever it comes from: ``MODULE.CATEGORY.CODE``, ``E1001``, ``not-found``.
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}")


def own_code(exception: ExceptionInfo) -> str | None:
    """Return the exception's own ``error_code``, unless it is none that could name a class of errors."""
    code = exception.attributes.get("error_code")
    return code if code is not None and CODE.fullmatch(code) else None


def error_code(
    exception: ExceptionInfo, mapping: Mapping[str, str], kind: SiteKind = SiteKind.FUNCTION
) -> str:
    """Return the code of an exception that left a site of that kind.

    Its own ``error_code`` goes first, then `mapping` (class name, bare or in full, to code) for its
    class and, nearest first, the bases; else the taxonomy's.
    """
    own = own_code(exception)
    if own is not None and not is_known(exception):  # a client's attribute is the service's word
        return own
    if mapping:
        for type_ in (exception.type, *exception.mro):
            for name in class_names(type_):
                if name in mapping:
                    return mapping[name]
    return classify_recorded(exception, kind=kind).code.code


def class_name(type_: str) -> str:
    """Return the bare name of a ``module:qualname``: ``KeyError``."""
    return type_.rpartition(":")[2].rpartition(".")[2][:100] or "UnknownError"


def class_names(type_: str) -> Iterator[str]:
    """Yield the ways in which people name the class ``module:qualname``, the fullest first."""
    module, _, qualname = type_.rpartition(":")
    yield type_
    yield f"{module}.{qualname}"
    yield qualname
    yield class_name(type_)
