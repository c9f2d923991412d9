"""What the taxonomy says of an error at a site."""

from prunella.taxonomy import ErrorCode
from prunella.taxonomy import classify as classified


def classify(error: BaseException, kind: str) -> ErrorCode:
    """Return the code of an error that left a site of `kind`."""
    return classified(error, kind=kind).code
