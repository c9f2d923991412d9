"""Fixes: where each stands, and what both arms' counts say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log
from typing import Any

from prunella.experiment import STAGES
from prunella.experiment.ramp import HOLDBACK_RATIO
from prunella.model.errors import PrunellaError
from prunella.model.rollouts import LIVE, Rollout, RolloutState
from prunella.pipeline.looking import ArmLook, Look, Weight
from prunella.pipeline.rollouts import FixStory
from prunella.server.dashboard.views.charts import arms_over_time
from prunella.wiring.healer import Healer

#: Tabs of the list: title to the states that it shows, and what to do where it shows nothing.
TABS: dict[str, tuple[str, tuple[RolloutState, ...], str]] = {
    "active": (
        "Active",
        LIVE,
        "No fix acts now. Approve a candidate, or open an incident and let fixes be suggested.",
    ),
    "testing": (
        "Testing",
        (RolloutState.TESTING,),
        "No fix is being tried. Approve a candidate to begin its canary.",
    ),
    "candidates": (
        "Candidates",
        (RolloutState.CANDIDATE,),
        "No fix waits. Open an incident and choose “Suggest fixes”, or add a document below.",
    ),
    "graduated": (
        "Graduated",
        (RolloutState.GRADUATED, RolloutState.RETIRED),
        "No fix has been shown to help yet.",
    ),
    "rolled-back": (
        "Rolled back",
        (RolloutState.ROLLED_BACK, RolloutState.INCONCLUSIVE),
        "No fix had to be taken back.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the ramp as it is drawn."""

    name: str
    ratio: float
    #: ``passed``, ``here`` or ``ahead``.
    standing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """An e-value against its threshold."""

    name: str
    #: What it bets against, in words.
    against: str
    log_value: float
    threshold: float
    #: From 0 to 1, in logarithms.
    share: float
    #: It speaks for the fix.
    is_good: bool

    @property
    def is_reached(self) -> bool:
        return self.share >= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FixRow:
    """One line of the list."""

    rollout: Rollout
    look: Look | None
    benefit: Meter | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FixesPage:
    """One tab of the list."""

    tab: str
    rows: tuple[FixRow, ...]
    #: Tab to how many fixes it has.
    numbers: dict[str, int]
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FixPage:
    """Everything that a fix's page shows."""

    rollout: Rollout
    story: FixStory
    look: Look | None
    #: Why nothing is known of its counts; empty where something is.
    trouble: str
    stages: tuple[Stage, ...]
    meters: tuple[Meter, ...]
    #: Both arms over time; ``None`` where there is nothing to draw yet.
    chart: Mapping[str, Any] | None
    #: All versions of the fix, the latest first.
    versions: tuple[Rollout, ...]
    #: Verbs that it can take from where it stands, the likeliest first.
    steps: tuple[str, ...]


_AGAINST = {
    "benefit": ("it does not lower failures", True),
    "harm": ("it does not raise failures", False),
    "futility": ("it saves a fifth of the failures", False),
    "not twice as bad": ("it doubles failures", True),
    "not half as bad again": ("it makes half as many again", True),
}


def fixes_page(healer: Healer, tab: str) -> FixesPage:
    """Return a tab of the list of fixes; an unknown one is the first that has any."""
    rollouts = healer.fixes.list()
    numbers = {name: sum(item.state in TABS[name][1] for item in rollouts) for name in TABS}
    if tab not in TABS:
        tab = next((name for name in ("active", "candidates") if numbers[name]), "active")
    shown = [item for item in rollouts if item.state in TABS[tab][1]]
    return FixesPage(
        tab=tab,
        rows=tuple(_row(healer, item) for item in shown),
        numbers=numbers,
        advice=TABS[tab][2],
    )


def _row(healer: Healer, rollout: Rollout) -> FixRow:
    look = look_or_none(healer, rollout)
    benefit = next((meter for meter in meters(look) if meter.name == "benefit"), None)
    return FixRow(rollout=rollout, look=look, benefit=benefit)


def look_or_none(healer: Healer, rollout: Rollout) -> Look | None:
    """Return what was counted of a rollout; ``None`` where it never acted, or counts can't be true."""
    if rollout.started_at is None and not rollout.shadow:
        return None
    try:
        return healer.fixes.look(rollout.rollout_id)
    except PrunellaError:
        return None


def fix_page(healer: Healer, name: str) -> FixPage:
    """Return the page of a fix; raises `UnknownName`, `AmbiguousName`."""
    story = healer.fixes.story(name)
    rollout, look, trouble = story.rollout, None, ""
    try:
        look = healer.fixes.look(rollout.rollout_id)
    except PrunellaError as error:
        trouble = str(error)
    others = [item for item in healer.fixes.list() if item.fix_id == rollout.fix_id]
    return FixPage(
        rollout=rollout,
        story=story,
        look=look,
        trouble=trouble,
        stages=_stages(rollout),
        chart=arms_over_time(healer, look) if look else None,
        meters=meters(look),
        versions=tuple(sorted(others, key=lambda item: -item.version)),
        steps=steps(rollout),
    )


def _stages(rollout: Rollout) -> tuple[Stage, ...]:
    ratios = [*((each.name, each.ratio) for each in STAGES), ("graduated", 1 - HOLDBACK_RATIO)]
    live = rollout.state in LIVE

    def standing(ratio: float) -> str:
        if live and abs(rollout.ratio - ratio) < 1e-9:
            return "here"
        return "passed" if live and rollout.ratio > ratio else "ahead"

    return tuple(Stage(name=name, ratio=ratio, standing=standing(ratio)) for name, ratio in ratios)


def meters(look: Look | None) -> tuple[Meter, ...]:
    """Return each e-value against its threshold."""
    return tuple(_meter(each) for each in look.weights) if look else ()


def _meter(weight: Weight) -> Meter:
    share = weight.log_value / log(weight.threshold) if isfinite(weight.log_value) else 1.0
    against, is_good = _AGAINST.get(weight.name, ("", True))
    return Meter(
        name=weight.name,
        against=against,
        log_value=weight.log_value,
        threshold=weight.threshold,
        share=min(max(share, 0.0), 1.0),
        is_good=is_good,
    )


def steps(rollout: Rollout) -> tuple[str, ...]:
    """Return what people can do with a rollout from where it stands."""
    match rollout.state:
        case RolloutState.CANDIDATE:
            return ("approve", "promote", "remove")
        case RolloutState.TESTING if rollout.paused:
            return ("resume", "roll_back")
        case RolloutState.GRADUATED if rollout.paused:
            return ("resume", "roll_back", "remove")
        case RolloutState.TESTING:
            return ("pause", "promote", "roll_back")
        case RolloutState.GRADUATED:
            return ("pause", "roll_back", "remove")
    return ()


def arm(look: Look, name: str) -> ArmLook:
    """Return the arm ``control`` or ``treatment``."""
    return next(each for each in look.arms if each.arm.value == name)


def target_of(rollout: Rollout) -> Sequence[str]:
    """Return the sites and error codes that a fix acts on; nothing where it acts on all."""
    target = rollout.document.get("target")
    if not isinstance(target, Mapping):
        return ()
    named = [*(target.get("sites") or ()), *(target.get("error_codes") or ())]
    return [str(name) for name in named]
