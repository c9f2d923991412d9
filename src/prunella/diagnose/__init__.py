"""Why an incident happens: its function, its neighbours, similar cases, and ranked hypotheses.

Pure: source comes in through a reading function, facts through the `Dossier`. Every piece of
evidence of a `Diagnosis` refers to a fact that can be looked up.
"""

from prunella.diagnose.callers import find_callers
from prunella.diagnose.model import diagnose_with_model, diagnosis_request
from prunella.diagnose.neighbours import find_neighbours
from prunella.diagnose.rules import diagnose
from prunella.diagnose.similar import similar_cases
from prunella.diagnose.source import find_function

__all__ = [
    "diagnose",
    "diagnose_with_model",
    "diagnosis_request",
    "find_callers",
    "find_function",
    "find_neighbours",
    "similar_cases",
]
