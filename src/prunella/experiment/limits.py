"""What a project demands of a rollout."""

from dataclasses import dataclass

from prunella.model.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The chances of being wrong, and how much harm is too much."""

    #: Chance that a fix without any effect graduates; and that a harmless one is rolled back, where
    #: nothing but failures is counted.
    alpha: float = 0.05
    #: The latter, split over errors, latency and cost where these are measured too.
    alpha_errors: float = 0.03
    alpha_latency: float = 0.01
    alpha_cost: float = 0.01
    #: Largest tolerated relative increase of the failure rate: 0.1 is 10 % more failures.
    max_error_increase: float = 0.10
    #: Largest tolerated factor on latencies; applied where ``Counts.very_slow`` is counted.
    max_latency_ratio: float = 2.0
    #: Largest tolerated factor on the mean cost.
    max_cost_ratio: float = 2.0
    #: How long a rollout may take until it is inconclusive, in seconds.
    max_duration_s: float = 14 * 86_400.0

    #: Units of treatment that every stage has to see at least, beyond what it asks for itself.
    min_exposures: int = 0

    def __post_init__(self) -> None:
        for name in ("alpha", "alpha_errors", "alpha_latency", "alpha_cost"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigurationError(
                    f"{name} = {getattr(self, name)!r} is no chance between 0 and 1"
                )
        for name, least in (
            ("max_error_increase", 0),
            ("max_latency_ratio", 1),
            ("max_cost_ratio", 1),
            ("max_duration_s", 0),
            ("min_exposures", 0),
        ):
            # Written so that a NaN is refused too.
            if not getattr(self, name) >= least:
                raise ConfigurationError(
                    f"{name} = {getattr(self, name)!r} must be at least {least}"
                )


#: Limits of a project that says nothing.
DEFAULT_LIMITS = Limits()
