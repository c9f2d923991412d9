"""Rolling fixes out: what people decide, and what the evidence does."""

from prunella.rollout.advance import Counted, Stay, advance
from prunella.rollout.by_hand import (
    By,
    Step,
    approve,
    pause,
    promote,
    propose,
    remove,
    resume,
    roll_back,
)

__all__ = [
    "By",
    "Counted",
    "Stay",
    "Step",
    "advance",
    "approve",
    "pause",
    "promote",
    "propose",
    "remove",
    "resume",
    "roll_back",
]
