"""What solved incidents teach: cases for retrieval."""

from prunella.learn.cases import case_of

__all__ = ["case_of"]
