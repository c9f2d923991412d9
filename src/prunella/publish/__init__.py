"""Accepted candidate to a pull request: branch name, commit message, text with the evidence. Pure."""

from prunella.publish.codeowners import owners_of
from prunella.publish.pull_request import BRANCHES, TRAILER, branch_name, compose, marker

__all__ = ["BRANCHES", "TRAILER", "branch_name", "compose", "marker", "owners_of"]
