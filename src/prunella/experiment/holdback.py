"""After graduation: a small share stays without the fix, so that its worth is still known."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from prunella.experiment.counts import Counts, Stratum, check_strata
from prunella.experiment.eprocess import (
    e_value,
    log_below,
    log_conditional,
    log_joint,
    log_mean,
    log_sum,
    said,
)
from prunella.experiment.evidence import check_base_rate
from prunella.experiment.limits import DEFAULT_LIMITS, Limits

#: Without the fix, units must fail this rarely, relative to before, to say "it has recovered".
RECOVERED = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """The fix stays."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retire:
    """The fix isn't needed any more."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """The fix has begun to hurt: roll it back."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """How a fix fares where its site runs at new code."""

    #: What runs there: a release, or a version of the code. For people.
    name: str
    #: Calls of the site there, and those on which the fix fired, in both arms.
    calls: int
    fired: int
    #: Share of the calls on which it fired before; 0 where that isn't known.
    fired_rate: float
    #: Units without the fix there, and the share of such units that failed before (0: not known).
    holdback: Counts
    holdback_rate: float


Standing = Keep | Retire | Revoke


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is known of a graduated fix."""

    #: One for each period (a day, a release), in order, since graduation.
    periods: Sequence[Stratum]
    #: How often units of control failed before, above 0: about 1 for triggered counts. Without it
    #: (``None``) nobody can tell that units without the fix fail less than before.
    base_rate: float | None
    #: Since the fix fired for the last time in either arm, or graduated.
    quiet_s: float
    #: Calls of the site in that time, triggered or not.
    quiet_calls: int
    #: ``None`` where its site runs as before.
    released: Released | None = None


def stands(
    watched: Watched,
    *,
    retire_after_s: float = 7 * 86_400.0,
    retire_after_calls: int = 1000,
    limits: Limits = DEFAULT_LIMITS,
) -> Standing:
    """Decide whether a graduated fix is kept, retired or revoked.

    Harm is looked for from every period on, so that a long good record doesn't hide that a fix has
    begun to hurt. It retires when it hasn't fired for `retire_after_s` seconds and
    `retire_after_calls` calls, when units without it fail no more than a tenth as often as before, or
    when it is so at new code of its site, or it fires no more than a tenth as often there. Raises `ImpossibleCounts`.
    """
    check_strata(watched.periods)
    check_base_rate(watched.base_rate)
    harm = e_value(log_changed(watched.periods, watched.base_rate))
    has_failed = any(stratum.treatment.failures for stratum in watched.periods)
    if has_failed and harm >= 1 / limits.alpha_errors:
        return Revoke(
            reason=f"more units fail with the fix than in its holdback: e-value {said(harm)}, "
            f"revoked from {1 / limits.alpha_errors:,.1f} on"
        )
    recovered = e_value(log_recovered(watched.periods, watched.base_rate))
    if recovered >= 1 / limits.alpha:
        return Retire(
            reason=f"units without the fix fail less than {RECOVERED:.0%} as often as before: "
            f"e-value {said(recovered)}, retired from {1 / limits.alpha:,.1f} on"
        )
    if watched.released is not None:
        gone = _gone(watched.released)
        if e_value(gone) >= 1 / limits.alpha:
            return Retire(reason=_retired_at(watched.released, e_value(gone), 1 / limits.alpha))
    if watched.quiet_s >= retire_after_s and watched.quiet_calls >= retire_after_calls:
        return Retire(
            reason=f"the fix has not fired for {watched.quiet_s / 86_400:,.1f} days and "
            f"{watched.quiet_calls:,} calls"
        )
    return Keep(reason=f"e-value of harm {said(harm)}, of recovery {said(recovered)}")


def log_changed(periods: Sequence[Stratum], base_rate: float | None = None) -> float:
    """Return the log capital against "the fix has never hurt, in any of these periods".

    A part of the capital starts to bet on harm with each period (weights ``1 / k(k+1)``, the rest
    is kept back), in the manner of Shin, Ramdas and Rinaldo, *E-detectors* (2022), with weights
    that sum up to 1, so that the chance of any false alarm ever stays below alpha.
    """
    parts = [-log(len(periods) + 1)]  # what has not been staked yet: 1 minus the sum of weights
    for start in range(len(periods)):
        tail = periods[start:]
        harm = log_mean([log_joint(tail, "harm", base_rate), log_conditional(tail, "harm")])
        parts.append(harm - log((start + 1) * (start + 2)))
    return log_sum(parts)


def log_recovered(periods: Sequence[Stratum], base_rate: float | None) -> float:
    """Return the log capital against "the holdback has never failed less than a tenth as often"."""
    if base_rate is None:
        return 0.0
    parts = [-log(len(periods) + 1)]
    for start in range(len(periods)):
        holdback = sum((stratum.control for stratum in periods[start:]), Counts())
        parts.append(log_below(holdback, base_rate * RECOVERED) - log((start + 1) * (start + 2)))
    return log_sum(parts)


def _gone(released: Released) -> float:
    """Return the log capital against "at the new code, the fault is a tenth as frequent or more"."""
    fired = Counts(max(released.calls, released.fired), released.fired)
    # Half of the stake each on "it doesn't fire any more" and "units without it don't fail any more".
    return log_mean(
        [
            log_below(counts, rate * RECOVERED) if rate > 0 else 0.0
            for counts, rate in (
                (fired, released.fired_rate),
                (released.holdback, released.holdback_rate),
            )
        ]
    )


def _retired_at(released: Released, evidence: float, needed: float) -> str:
    held = released.holdback
    return (
        f"{released.name} doesn't need it: there it fired on {released.fired:,} of "
        f"{released.calls:,} calls (before on {released.fired_rate:.1%}), and {held.failures:,} of "
        f"{held.n:,} units without it failed (before {released.holdback_rate:.1%}): e-value "
        f"{said(evidence)}, retired from {needed:,.1f} on"
    )
