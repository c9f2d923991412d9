"""Dossier to candidate patches, incident to fixes: built-in rules and the language model."""

from prunella.propose.fix_cases import with_cases
from prunella.propose.fix_model import ask_for_fixes
from prunella.propose.fixes import propose_fixes, with_models_fixes
from prunella.propose.model import proposal_request, propose_by_model
from prunella.propose.rules import propose_by_rules

__all__ = [
    "ask_for_fixes",
    "proposal_request",
    "propose_by_model",
    "propose_by_rules",
    "propose_fixes",
    "with_cases",
    "with_models_fixes",
]
