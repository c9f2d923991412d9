"""Outcome to case: what the next similar incident starts with."""
