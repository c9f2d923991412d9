"""Incident to diagnosis: ranked hypotheses with evidence, or an abstention."""
