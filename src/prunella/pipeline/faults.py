"""Errors of the healer itself, kept as incidents that it never heals."""

from contextlib import suppress

from prunella.codec.redact import Redactor
from prunella.model.clock import now
from prunella.model.errors import PrunellaError, StoreError
from prunella.ports import Store
from prunella.taxonomy import classify

_MAX_MESSAGE_CHARS = 1000


def note_fault(store: Store, activity: str, error: Exception) -> None:
    """Count `error`, which ended `activity`, as an open incident of the site ``prunella:healer``.

    Where the store doesn't take it there is nothing left to do: whoever calls says it anyway.
    """
    cls = type(error)
    with suppress(StoreError):
        store.note_fault(
            activity=activity,
            error_type=f"{cls.__module__}:{cls.__qualname__}",
            error_code=cls.__name__
            if isinstance(error, PrunellaError)
            else classify(error).code.code,
            message=Redactor().text(str(error)[:_MAX_MESSAGE_CHARS]),
            at=now(),
        )
