"""Real exceptions with what they are: each case makes the real library raise one.

A case's label was written down by what happened, before anything classified it. Cases that need
what a machine may not have (an ``openssl`` command) say so by raising `Unavailable`.
"""

from taxonomy_corpus.cases import Case, Unavailable, every_case

__all__ = ["Case", "Unavailable", "every_case"]
