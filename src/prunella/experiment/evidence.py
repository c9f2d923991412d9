"""What the counts say about a fix, as e-values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from prunella.experiment.counts import Stratum, check_strata
from prunella.experiment.eprocess import e_value, log_conditional, log_joint, log_mean
from prunella.model.errors import ImpossibleCounts

#: Risk ratios whose exclusion a ramp asks for: E[RR>=2] on the canary, E[RR>=1.5] on the ramp.
SAFE_MARGINS = (2.0, 1.5)
#: A fix that doesn't save this share of failures isn't worth its risk: E[RR<=0.8].
FUTILE_MARGIN = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """E-values: how many times over a bet against each null has multiplied its stake.

    1 says nothing, 20 is what ``alpha = 0.05`` asks for, below 1 the bet is losing. Each is valid
    at every look. The ``log_`` fields never overflow; the e-values may be infinite.
    """

    #: Against "the fix doesn't lower the failure rate" (RR >= 1).
    log_benefit: float
    #: Against "the fix doesn't raise the failure rate" (RR <= 1).
    log_harm: float
    #: Against "the fix saves a fifth of the failures or more" (RR <= 0.8).
    log_futility: float
    #: Against "twice as many failures, or more" (RR >= 2).
    log_below_2: float
    #: Against "half as many failures more, or worse than that" (RR >= 1.5).
    log_below_1_5: float

    @property
    def benefit(self) -> float:
        """E-value against RR >= 1: large when the fix helps."""
        return e_value(self.log_benefit)

    @property
    def harm(self) -> float:
        """E-value against RR <= 1: large when the fix hurts."""
        return e_value(self.log_harm)

    @property
    def futility(self) -> float:
        """E-value against RR <= 0.8: large when the fix doesn't help enough."""
        return e_value(self.log_futility)

    @property
    def below_2(self) -> float:
        """E-value against RR >= 2: large when the fix at least doesn't double failures."""
        return e_value(self.log_below_2)

    @property
    def below_1_5(self) -> float:
        """E-value against RR >= 1.5."""
        return e_value(self.log_below_1_5)

    @property
    def margins(self) -> Mapping[str, float]:
        """The e-values of the margins by the null they speak against, e.g. ``RR>=2``."""
        return MappingProxyType(
            {"RR>=2": self.below_2, "RR>=1.5": self.below_1_5, "RR<=0.8": self.futility}
        )


def evidence(strata: Sequence[Stratum], base_rate: float | None = None) -> Evidence:
    """Weigh the counts of one rollout: one stratum for each allocation epoch, in any order.

    `base_rate` is the failure rate that history leads to expect in control (about 1 for triggered
    counts); it moves how soon evidence builds up, never whether it is valid. Without one, bets are
    spread from one in a thousand to nearly 1. Benefit and harm are the mean of the joint and the
    conditional e-process, margins the conditional one alone (`eprocess`). No counts: every e-value
    is 1. Raises `ImpossibleCounts` for counts that no traffic gives.
    """
    check_strata(strata)
    check_base_rate(base_rate)
    below_2, below_1_5 = (log_conditional(strata, "benefit", margin) for margin in SAFE_MARGINS)
    return Evidence(
        log_benefit=log_mean(
            [log_joint(strata, "benefit", base_rate), log_conditional(strata, "benefit")]
        ),
        log_harm=log_mean([log_joint(strata, "harm", base_rate), log_conditional(strata, "harm")]),
        log_futility=log_conditional(strata, "harm", FUTILE_MARGIN),
        log_below_2=below_2,
        log_below_1_5=below_1_5,
    )


def check_base_rate(base_rate: float | None) -> None:
    """Raise `ImpossibleCounts` unless it is ``None`` or a probability above 0."""
    if base_rate is not None and not 0 < base_rate <= 1:
        raise ImpossibleCounts(
            f"base_rate {base_rate!r} is not above 0 and at most 1; give the failure rate known "
            "from history, or none"
        )
