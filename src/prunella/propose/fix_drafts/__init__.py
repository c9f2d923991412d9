"""Templates: which fixes may heal an error code, with numbers from the records."""

from collections.abc import Callable, Iterator, Mapping

from prunella.propose.fix_drafts.answers import answer_guards
from prunella.propose.fix_drafts.arguments import guards, parameters, tools
from prunella.propose.fix_drafts.draft import Draft
from prunella.propose.fix_drafts.failures import fallbacks, retries
from prunella.propose.fix_drafts.language import prompts, routes
from prunella.propose.fix_fitting import Observed

__all__ = ["Draft", "drafts"]


def _all_guards(code: str, observed: Observed) -> Iterator[Draft]:
    yield from guards(code, observed)
    yield from answer_guards(code, observed)


_TEMPLATES: Mapping[str, Callable[[str, Observed], Iterator[Draft]]] = {
    "retry": retries,
    "parameter": parameters,
    "guard": _all_guards,
    "fallback": fallbacks,
    "tool": tools,
    "prompt": prompts,
    "routing": routes,
}


def drafts(fix_type: str, code: str, observed: Observed) -> Iterator[Draft]:
    """Yield what the records give for fixes of one type; nothing where they say nothing."""
    return _TEMPLATES[fix_type](code, observed)
