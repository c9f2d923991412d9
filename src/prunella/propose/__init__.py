"""Dossier to candidate patches, incident to fixes: built-in rules and the language model."""

from prunella.propose.fixes import propose_fixes, with_models_fixes
from prunella.propose.model import proposal_request, propose_by_model
from prunella.propose.rules import propose_by_rules

__all__ = [
    "proposal_request",
    "propose_by_model",
    "propose_by_rules",
    "propose_fixes",
    "with_models_fixes",
]
