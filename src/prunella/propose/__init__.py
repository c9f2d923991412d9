"""Dossier to candidate patches: built-in rules and the language model."""
