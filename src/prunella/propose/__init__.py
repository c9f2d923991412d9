"""Dossier to candidate patches: built-in rules and the language model."""

from prunella.propose.rules import propose_by_rules

__all__ = ["propose_by_rules"]
