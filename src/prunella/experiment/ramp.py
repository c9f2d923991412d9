"""The ramp: which share of units gets a fix, and what has to be shown before more do."""

from collections.abc import Sequence
from dataclasses import dataclass

from prunella.experiment.counts import Stratum, check_strata
from prunella.experiment.decisions import (
    Advance,
    Continue,
    Decision,
    Findings,
    Graduate,
    Hold,
    Inconclusive,
    RollBack,
    Withdraw,
)
from prunella.experiment.eprocess import said
from prunella.experiment.evidence import evidence
from prunella.experiment.guardrails import guardrails
from prunella.experiment.limits import DEFAULT_LIMITS, Limits
from prunella.experiment.sample_ratio import MISMATCH, sample_ratio_mismatch

#: The e-value that shows a margin: a fix is safe enough to advance, or futile.
SHOWN = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the ramp."""

    name: str
    #: Share of units that get the fix.
    ratio: float
    #: Units of treatment that the stage has to see before it advances.
    minimum: int
    #: The same where only units are counted on which the fix fires.
    minimum_triggered: int
    #: The risk ratio that must be excluded to advance; ``None`` for the stage that graduates.
    margin: float | None


CANARY = Stage(name="canary 5 %", ratio=0.05, minimum=30, minimum_triggered=10, margin=2.0)
RAMP_25 = Stage(name="ramp 25 %", ratio=0.25, minimum=100, minimum_triggered=20, margin=1.5)
RAMP_50 = Stage(name="ramp 50 %", ratio=0.5, minimum=0, minimum_triggered=0, margin=None)
#: Canary first.
STAGES = (CANARY, RAMP_25, RAMP_50)
#: Share of units that stay without a graduated fix, to keep measuring it.
HOLDBACK_RATIO = 0.05


def decide(
    stage: Stage,
    strata: Sequence[Stratum],
    *,
    base_rate: float | None = None,
    triggered: bool = False,
    elapsed_s: float = 0.0,
    limits: Limits = DEFAULT_LIMITS,
    weight: float = 1.0,
) -> Decision:
    """Decide about a rollout in `stage` from everything counted so far.

    `strata` are in the order of epochs; the last is that of the current stage, whose exposures are
    what its minimum asks for (a stratum of another ratio counts none: the stage hasn't begun).
    `base_rate` as in `evidence`. `triggered`: only units are counted on which the fix fires.
    `elapsed_s` since the first exposure. `weight` is the share of alpha that this fix has where
    several compete for one incident (`several`). The same counts always give the same decision.
    Raises `ImpossibleCounts`.
    """
    found = _find(stage, strata, base_rate, elapsed_s, limits)
    return (
        _stopped(found, limits)
        or _untrusted(found, limits)
        or _moved(stage, found, _needed(stage, triggered, limits), limits.alpha * weight)
        or _waiting(stage, found, limits.alpha * weight, limits)
    )


def _find(
    stage: Stage,
    strata: Sequence[Stratum],
    base_rate: float | None,
    elapsed_s: float,
    limits: Limits,
) -> Findings:
    check_strata(strata)
    current = strata[-1] if strata and strata[-1].ratio == stage.ratio else None
    return Findings(
        evidence=evidence(strata, base_rate),
        guardrails=guardrails(
            strata,
            max_error_increase=limits.max_error_increase,
            max_cost_ratio=limits.max_cost_ratio,
        ),
        sample_ratio=sample_ratio_mismatch(strata),
        stage_exposures=current.treatment.n if current else 0,
        exposures=sum(stratum.treatment.n for stratum in strata),
        failures=sum(stratum.treatment.failures for stratum in strata),
        controls=sum(stratum.control.n for stratum in strata),
        measured=any(
            arm.timed or arm.costs
            for stratum in strata
            for arm in (stratum.control, stratum.treatment)
        ),
        elapsed_s=elapsed_s,
    )


def _alpha_errors(found: Findings, limits: Limits) -> float:
    return limits.alpha_errors if found.measured else limits.alpha


def _stopped(found: Findings, limits: Limits) -> Decision | None:
    """Harm comes first: rolling back is right even where nothing else can be trusted."""
    rails = found.guardrails
    alpha_errors = _alpha_errors(found, limits)
    # Control's successes alone, while few units are dealt to treatment, look like harm to a bet.
    harm, errors = (found.evidence.harm, rails.errors) if found.failures else (0.0, 0.0)
    for name, value, alpha, what in (
        ("errors", harm, alpha_errors, "more units fail with the fix"),
        (
            "errors",
            errors,
            alpha_errors,
            f"over {limits.max_error_increase:.0%} more units fail with the fix",
        ),
        (
            "latency",
            rails.latency,
            limits.alpha_latency,
            f"the fix makes units over {limits.max_latency_ratio:g} times as slow",
        ),
        (
            "cost",
            rails.cost,
            limits.alpha_cost,
            f"the fix makes units over {limits.max_cost_ratio:g} times as dear",
        ),
    ):
        if value >= 1 / alpha:
            reason = f"{what}: e-value {said(value)}, rolled back from {1 / alpha:,.1f} on"
            return RollBack(findings=found, reason=reason, guardrail=name)
    return None


def _untrusted(found: Findings, limits: Limits) -> Decision | None:
    if found.sample_ratio >= MISMATCH:
        return Hold(
            findings=found,
            reason=f"units did not reach the arms in the ratio they were dealt "
            f"({found.exposures:,} with the fix, {found.controls:,} without): e-value "
            f"{said(found.sample_ratio)}, held from {MISMATCH:,.0f} on; look for units that are "
            "lost or counted twice in one arm",
        )
    if found.exposures + found.controls == 0 and found.elapsed_s < limits.max_duration_s:
        return Hold(findings=found, reason="no unit has been counted yet in either arm")
    return None


def _needed(stage: Stage, triggered: bool, limits: Limits) -> int:
    return max(stage.minimum_triggered if triggered else stage.minimum, limits.min_exposures)


def _moved(stage: Stage, found: Findings, needed: int, alpha: float) -> Decision | None:
    weighed = found.evidence
    if weighed.futility >= SHOWN:
        return Withdraw(
            findings=found,
            reason="the fix saves less than a fifth of the failures: e-value "
            f"{said(weighed.futility)}, withdrawn from {SHOWN:g} on",
        )
    if found.stage_exposures < needed:
        return None
    if weighed.benefit >= 1 / alpha:
        reason = (
            f"fewer units fail with the fix: e-value {said(weighed.benefit)} of {1 / alpha:,.1f}"
        )
        if stage.margin is None:
            return Graduate(findings=found, reason=reason)
        return Advance(findings=found, reason=reason, to=_after(stage).name)
    if stage.margin is None:
        return None
    safe = weighed.below_2 if stage.margin == CANARY.margin else weighed.below_1_5
    if safe < SHOWN:
        return None
    return Advance(
        findings=found,
        reason=f"the fix does not make {stage.margin:g} times as many units fail: e-value "
        f"{said(safe)} of {SHOWN:g}",
        to=_after(stage).name,
    )


def _waiting(stage: Stage, found: Findings, alpha: float, limits: Limits) -> Decision:
    shown = (
        f"e-value of benefit {said(found.evidence.benefit)} of {1 / alpha:,.1f}, of harm "
        f"{said(found.evidence.harm)} of {1 / _alpha_errors(found, limits):,.1f}"
    )
    if found.elapsed_s >= limits.max_duration_s:
        return Inconclusive(
            findings=found,
            reason=f"no decision in {limits.max_duration_s / 3600:,.1f} hours: {shown}",
        )
    return Continue(
        findings=found,
        reason=f"{found.stage_exposures:,} units with the fix in {stage.name}; {shown}",
    )


def _after(stage: Stage) -> Stage:
    return STAGES[STAGES.index(stage) + 1]
