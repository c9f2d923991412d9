"""What a rollout's counts say at the moment, for people who look."""

from collections.abc import Sequence
from dataclasses import dataclass

from prunella.experiment import Arm, Counts, Evidence, Limits, Stratum, evidence
from prunella.experiment.confidence import Interval, rate_interval, ratio_interval
from prunella.experiment.guardrails import log_cost, log_latency
from prunella.experiment.ramp import SHOWN
from prunella.model.audit import AuditEntry
from prunella.model.clock import now
from prunella.model.rollouts import Rollout
from prunella.model.settings import Settings
from prunella.model.wording import dollars, plural
from prunella.pipeline.advancing import counted, limits_of
from prunella.pipeline.metrics import Cost, cost_of
from prunella.ports import Store
from prunella.rollout.rivals import rivals_of, weight_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmLook:
    """What one arm has seen over all epochs. To show: decisions keep epochs apart."""

    arm: Arm
    units: int
    failures: int
    #: ``None`` without units.
    rate: float | None
    interval: Interval
    #: Of the units whose latency was measured, the share that took longer than `Look.slow_s`; ``None``
    #: where none was.
    slow_rate: float | None
    #: Units whose cost programs know, and their mean, as `Look.cost_unit` says; each is cut at what
    #: was dear before.
    costs: int
    mean_cost: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """An e-value, and from where on it decides."""

    name: str
    log_value: float
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A rollout as it stands."""

    rollout: Rollout
    arms: tuple[ArmLook, ...]
    #: Where the risk ratio (with the fix : without) lies; high is infinite as long as nothing failed.
    ratio: Interval
    weights: tuple[Weight, ...]
    processes: int
    #: How often the fix acted, and the milliseconds that it has made calls longer.
    acted: int
    added_ms: int
    #: What ninety of a hundred passing calls took less than, before the fix; ``None`` where latency
    #: isn't measured.
    slow_s: float | None
    #: What programs count costs of answers in: ``dollars`` (millionths of one) where the project has
    #: set ``llm_prices``, else ``tokens``.
    cost_unit: str
    #: What asking models on behalf of its incident has cost.
    models: Cost
    #: Fixes that were tested for the same incident at the same time; each has its share of alpha.
    rivals: tuple[str, ...] = ()
    history: tuple[AuditEntry, ...]


def look_at(store: Store, name: str, settings: Settings) -> Look:
    """Return what is known of one rollout.

    Raises `UnknownName`, `AmbiguousName`, `ConfigurationError` and `ImpossibleCounts`.
    """
    rollout = store.rollout(name)
    found = store.counted(rollout.rollout_id)
    known = counted(rollout, found, now())
    effects = found.effects.values()
    others = [] if rollout.incident_id is None else store.rollouts(incident_id=rollout.incident_id)
    rivals = rivals_of(rollout, others)
    slow_s = rollout.baseline.slow_s if rollout.baseline else ()
    return Look(
        rollout=rollout,
        arms=(
            _arm(Arm.CONTROL, [stratum.control for stratum in known.strata]),
            _arm(Arm.TREATMENT, [stratum.treatment for stratum in known.strata]),
        ),
        ratio=ratio_interval(known.strata),
        weights=_weights(
            known.strata, known.base_rate, limits_of(settings), weight_of(rollout, rivals)
        ),
        rivals=tuple(each.fix_id for each in rivals),
        processes=len({meter.process_id for meter in found.readings}),
        acted=sum(each.get("acted", 0) for each in effects),
        added_ms=sum(each.get("added_ms", 0) for each in effects),
        slow_s=slow_s[1] if slow_s else None,
        cost_unit="dollars" if settings.llm_prices.strip() else "tokens",
        models=cost_of(store.exchanges(rollout.incident_id) if rollout.incident_id else ()),
        history=tuple(store.audit(subject=rollout.rollout_id)),
    )


def _arm(arm: Arm, counts: Sequence[Counts]) -> ArmLook:
    total = sum(counts, Counts())
    return ArmLook(
        arm=arm,
        units=total.n,
        failures=total.failures,
        rate=total.rate,
        interval=rate_interval(total),
        slow_rate=total.slow[1] / total.timed if total.timed else None,
        costs=total.costs,
        mean_cost=total.cost_sum / total.costs if total.costs else None,
    )


def _weights(
    strata: Sequence[Stratum], base_rate: float | None, limits: Limits, share: float
) -> tuple[Weight, ...]:
    weighed: Evidence = evidence(strata, base_rate)
    total = sum((arm for each in strata for arm in (each.control, each.treatment)), Counts())
    harm = 1 / (limits.alpha_errors if total.timed or total.costs else limits.alpha)
    measured = []
    if total.timed:
        slower = log_latency(strata)
        measured.append(Weight(name="slower", log_value=slower, threshold=1 / limits.alpha_latency))
    if total.costs:
        dearer = log_cost(strata, limits.max_cost_ratio)
        measured.append(Weight(name="dearer", log_value=dearer, threshold=1 / limits.alpha_cost))
    return (
        Weight(name="benefit", log_value=weighed.log_benefit, threshold=1 / (limits.alpha * share)),
        Weight(name="harm", log_value=weighed.log_harm, threshold=harm),
        Weight(name="futility", log_value=weighed.log_futility, threshold=SHOWN),
        Weight(name="not twice as bad", log_value=weighed.log_below_2, threshold=SHOWN),
        Weight(name="not half as bad again", log_value=weighed.log_below_1_5, threshold=SHOWN),
        *measured,
    )


def unit_cost(look: Look, arm: ArmLook) -> str:
    """Return in words what a unit of an arm cost on average; ``""`` where that isn't known."""
    if arm.mean_cost is None:
        return ""
    if look.cost_unit == "dollars":
        return dollars(arm.mean_cost / 1e6)
    return f"{arm.mean_cost:,.0f} tokens"


def cost_note(look: Look) -> str:
    """Return what has to be known to read costs, and what to do about it; ``""`` where it is clear."""
    if look.cost_unit == "dollars" or not any(each.costs for each in look.arms):
        return ""
    return (
        "Costs are read as tokens, because llm_prices isn't set here. For dollars set it for the "
        "programs, which count, and for whatever shows it (server, commands), to the same: "
        'PRUNELLA_LLM_PRICES="large=2.00/8.00, *=0.10/0.40", dollars per million tokens, sent/received.'
    )


def model_cost(cost: Cost) -> str:
    """Return in words what models were asked and what that cost."""
    if not cost.exchanges:
        return "no model was asked"
    asked = plural(cost.exchanges, "question")
    if cost.dollars is None:
        return f"{asked} to models, of no known price"
    unpriced = f" and {cost.unpriced} of no known price" if cost.unpriced else ""
    return f"{asked} to models: {dollars(cost.dollars)}{unpriced}"
