"""Dossier to candidate patches: built-in rules and the language model."""

from prunella.propose.model import proposal_request, propose_by_model

__all__ = ["proposal_request", "propose_by_model"]
