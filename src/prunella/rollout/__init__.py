"""Rolling fixes out: what people decide, and what the evidence does."""

from prunella.rollout.by_hand import (
    approve,
    pause,
    promote,
    propose,
    remove,
    resume,
    roll_back,
)

__all__ = ["approve", "pause", "promote", "propose", "remove", "resume", "roll_back"]
