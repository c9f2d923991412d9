"""Accepted candidate to a branch and a pull-request text."""
