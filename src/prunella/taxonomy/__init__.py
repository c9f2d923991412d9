"""What a failure is: about 150 error codes, and the rules that give them to exceptions.

Used on living exceptions inside the program and on recorded ones; both get the same code. Knows
the classes of many libraries by name and imports none of them.
"""

from prunella.taxonomy.classification import Classified, classify, classify_recorded, is_known
from prunella.taxonomy.codes import (
    CANCELLED,
    CODES,
    MODULES,
    TAXONOMY_VERSION,
    UNCLASSIFIED,
    ErrorCode,
)
from prunella.taxonomy.view import facts

__all__ = [
    "CANCELLED",
    "CODES",
    "MODULES",
    "TAXONOMY_VERSION",
    "UNCLASSIFIED",
    "Classified",
    "ErrorCode",
    "classify",
    "classify_recorded",
    "facts",
    "is_known",
]
