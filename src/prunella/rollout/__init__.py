"""Takes a fix from canary to everywhere, or back, by evidence. Pure."""

from prunella.rollout.advance import Counted, Stay, Step, advance

__all__ = ["Counted", "Stay", "Step", "advance"]
