"""What solved incidents teach: cases for retrieval, and which fixes helped."""

from prunella.learn.cases import case_of, case_of_fix
from prunella.learn.fix_outcomes import experience

__all__ = ["case_of", "case_of_fix", "experience"]
