"""How often a rule's patch was right, given that replay accepted it: measured, kept as data."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

#: For a rule without measurements: what single-edit templates reach on average.
UNMEASURED = 0.15


@cache
def table() -> Mapping[str, float]:
    """Return the calibrated priors: rule, or family with a trailing dot, to a chance of 0 to 1."""
    text = files("prunella.propose.rules").joinpath("priors.json").read_text("utf-8")
    priors: Mapping[str, float] = json.loads(text)["priors"]
    return priors


def prior_of(rule: str) -> float:
    """Return the prior of a rule, of the nearest family it belongs to, or `UNMEASURED`."""
    known = table()
    name = rule
    while name:
        if name in known:
            return known[name]
        name = name.rpartition(".")[0]
    return UNMEASURED
