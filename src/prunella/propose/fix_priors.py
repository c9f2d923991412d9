"""How likely a type of fix heals an error code: the templates' estimates, and what came of them."""

from collections.abc import Iterable, Mapping

from prunella.model.hypotheses import Experience
from prunella.taxonomy import CODES

#: Outcomes that a template's estimate weighs as much as.
STRENGTH = 4.0

#: Chance that a fix of a type heals a code that may be healed by it.
_GENERAL: Mapping[str, float] = {
    "retry": 0.6,
    "fallback": 0.5,
    "guard": 0.45,
    "parameter": 0.45,
    "prompt": 0.45,
    "tool": 0.5,
    "routing": 0.45,
}
#: Where more is known than the type.
_SPECIFIC: Mapping[str, Mapping[str, float]] = {
    "TOOL.EXECUTION.TIMEOUT": {"retry": 0.75, "parameter": 0.60, "fallback": 0.55},
    "TOOL.EXECUTION.UNAVAILABLE": {"retry": 0.70, "fallback": 0.60},
    "TOOL.EXECUTION.RATE_LIMITED": {"retry": 0.80, "fallback": 0.50},
    "NET.READ.TIMEOUT": {"retry": 0.75, "parameter": 0.60, "fallback": 0.55},
    "NET.CONNECTION.TIMEOUT": {"retry": 0.65, "parameter": 0.40, "fallback": 0.55},
    "NET.CONNECTION.RESET": {"retry": 0.80, "fallback": 0.50},
    "NET.CONNECTION.CLOSED": {"retry": 0.80, "fallback": 0.50},
    "NET.CONNECTION.REFUSED": {"retry": 0.50, "fallback": 0.60},
    "NET.PROTOCOL.INCOMPLETE": {"retry": 0.75, "fallback": 0.50},
    "HTTP.LIMIT.RATE": {"retry": 0.80, "fallback": 0.50},
    "HTTP.SERVER.ERROR": {"retry": 0.55, "fallback": 0.55},
    "HTTP.SERVER.BAD_GATEWAY": {"retry": 0.70, "fallback": 0.55},
    "HTTP.SERVER.UNAVAILABLE": {"retry": 0.70, "fallback": 0.60},
    "HTTP.SERVER.GATEWAY_TIMEOUT": {"retry": 0.65, "fallback": 0.55},
    "LLM.CALL.TIMEOUT": {"retry": 0.70, "parameter": 0.60, "fallback": 0.60},
    "LLM.CALL.OVERLOADED": {"retry": 0.75, "fallback": 0.70},
    "LLM.LIMIT.RATE": {"retry": 0.80, "fallback": 0.65},
    "LLM.LIMIT.QUOTA": {"fallback": 0.70},
    "LLM.LIMIT.OUTPUT": {"parameter": 0.75},
    "LLM.LIMIT.CONTEXT": {"parameter": 0.40},
    "OUTPUT.JSON.MALFORMED": {"retry": 0.60, "prompt": 0.55},
    "OUTPUT.JSON.TRUNCATED": {"retry": 0.45, "parameter": 0.65},
    "OUTPUT.JSON.ABSENT": {"retry": 0.60, "prompt": 0.60},
    "OUTPUT.SCHEMA.MISSING_FIELD": {"retry": 0.55, "prompt": 0.50},
    "DB.TRANSACTION.DEADLOCK": {"retry": 0.90},
    "DB.TRANSACTION.CONFLICT": {"retry": 0.85},
    "DB.TRANSACTION.LOCKED": {"retry": 0.85},
    "DB.CONNECTION.LOST": {"retry": 0.75, "fallback": 0.40},
}


def types_for(code: str) -> tuple[str, ...]:
    """Return the fix types that may heal a code, the most likely first; none for an unknown code."""
    row = CODES.get(code)
    if row is None:
        return ()
    return tuple(sorted(row.healable_by, key=lambda name: -estimate(code, name)))


def estimate(code: str, fix_type: str) -> float:
    """Return the template's chance, before any outcome is known."""
    return _SPECIFIC.get(code, {}).get(fix_type, _GENERAL[fix_type])


def posterior(
    code: str, fix_type: str, site_kind: str, experience: Iterable[Experience]
) -> tuple[float, int, int]:
    """Return the mean of the Beta posterior, and the outcomes for and against in it.

    The prior is Beta(STRENGTH * estimate, STRENGTH * (1 - estimate)).
    """
    helped = failed = 0
    for item in experience:
        if (item.error_code, item.fix_type, item.site_kind) == (code, fix_type, site_kind):
            helped += item.helped
            failed += item.failed
    mean = (STRENGTH * estimate(code, fix_type) + helped) / (STRENGTH + helped + failed)
    return mean, helped, failed
