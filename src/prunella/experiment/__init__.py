"""Rollouts that decide by themselves: assignment, counts, e-values, ramp rules. All pure.

Counts of many processes go in, evidence and decisions come out as values. Standard library only.
How it works and where it comes from: ``docs/explanation/rollouts.md``.
"""

from prunella.experiment.assignment import Arm, Assignment
from prunella.experiment.counts import Counts, Stratum
from prunella.experiment.decisions import (
    Advance,
    Continue,
    Decision,
    Graduate,
    Hold,
    Inconclusive,
    RollBack,
    Withdraw,
)
from prunella.experiment.evidence import Evidence, evidence
from prunella.experiment.limits import DEFAULT_LIMITS, Limits
from prunella.experiment.merging import Shipment, Tally, merge, read, strata
from prunella.experiment.ramp import STAGES, Stage, decide

__all__ = [
    "DEFAULT_LIMITS",
    "STAGES",
    "Advance",
    "Arm",
    "Assignment",
    "Continue",
    "Counts",
    "Decision",
    "Evidence",
    "Graduate",
    "Hold",
    "Inconclusive",
    "Limits",
    "RollBack",
    "Shipment",
    "Stage",
    "Stratum",
    "Tally",
    "Withdraw",
    "decide",
    "evidence",
    "merge",
    "read",
    "strata",
]
