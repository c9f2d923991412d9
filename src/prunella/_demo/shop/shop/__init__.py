"""Fern & Fig: plants by post."""
