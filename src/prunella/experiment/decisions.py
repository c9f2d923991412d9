"""What may be decided about a rollout: values, each with its numbers and its reason in words."""

from dataclasses import dataclass

from prunella.experiment.evidence import Evidence
from prunella.experiment.guardrails import Guardrails


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that was weighed."""

    evidence: Evidence
    guardrails: Guardrails
    #: E-value against "units reached the arms in the ratio they were dealt".
    sample_ratio: float
    #: Units of treatment in the current stage, and in all stages.
    stage_exposures: int
    exposures: int
    #: Of the latter, those that failed.
    failures: int
    #: Units of control in all stages.
    controls: int
    #: Latency or cost was measured, so that three guardrails share the chance of a false alarm.
    measured: bool
    #: Since the first exposure, in seconds.
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    findings: Findings
    #: Why, with the number that decided and its threshold; for people.
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance(_Decided):
    """Go to the next stage: more units get the fix."""

    #: Name of the next stage.
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Graduate(_Decided):
    """The fix helps: every unit gets it, but for the holdback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack(_Decided):
    """The fix hurts: no unit gets it any more."""

    #: What it broke: ``errors``, ``latency`` or ``cost``.
    guardrail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(_Decided):
    """The fix doesn't help enough to be worth its risk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(_Decided):
    """The counts can't be trusted, or there are none: change nothing and say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue(_Decided):
    """Not enough evidence yet: go on as before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inconclusive(_Decided):
    """The time is over without enough evidence. Never ships."""


Decision = Advance | Graduate | RollBack | Withdraw | Hold | Continue | Inconclusive
