"""Fixes: JSON documents that heal a running program, and the one interpreter of them.

`parse` reads a document strictly, `json_schema` describes it. `interpret` decides around one call;
the SDK runs it in the program (``prunella.install_fix``), validation on recorded calls.
"""

from prunella.fixes.budgets import TokenBucket
from prunella.fixes.changes import prompt_hash
from prunella.fixes.document import Fix, Target, json_schema, parse
from prunella.fixes.fits import is_aimed_at, misfit
from prunella.fixes.interpreter import interpret
from prunella.fixes.meter import (
    Allocation,
    Arm,
    CountingMeter,
    Exposure,
    FixCounts,
    Installation,
    Lot,
    Meter,
    Mode,
)
from prunella.fixes.plan import Installed, Plan
from prunella.fixes.run import World
from prunella.fixes.steps import (
    Attempt,
    CodeInfo,
    Finished,
    Invoke,
    Outcome,
    SiteView,
    Sleep,
    Step,
    Steps,
    Unreachable,
)

__all__ = [
    "Allocation",
    "Arm",
    "Attempt",
    "CodeInfo",
    "CountingMeter",
    "Exposure",
    "Finished",
    "Fix",
    "FixCounts",
    "Installation",
    "Installed",
    "Invoke",
    "Lot",
    "Meter",
    "Mode",
    "Outcome",
    "Plan",
    "SiteView",
    "Sleep",
    "Step",
    "Steps",
    "Target",
    "TokenBucket",
    "Unreachable",
    "World",
    "interpret",
    "is_aimed_at",
    "json_schema",
    "misfit",
    "parse",
    "prompt_hash",
]
