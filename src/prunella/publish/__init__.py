"""Accepted candidate to a pull request: branch name, commit message, text with the evidence. Pure."""

from prunella.publish.pull_request import branch_name, compose

__all__ = ["branch_name", "compose"]
