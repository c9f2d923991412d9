"""Which calls of this process get a fix: the same answer for a unit in every process."""

from collections.abc import Callable

from prunella.experiment.assignment import Assignment
from prunella.fixes import Arm, Installation

#: Divisions whose hash is kept prepared.
MAX_KEPT = 1_000
#: Looking a member up in its enumeration is slow on Python 3.11.
_CONTROL, _TREATMENT = Arm.CONTROL, Arm.TREATMENT


class Dealing:
    """Deals units to arms as the allocation of an installation says; all get a fix without one."""

    def __init__(self) -> None:
        self._dealers: dict[tuple[str, str, float], Callable[[str], bool]] = {}

    def __call__(self, installation: Installation, unit: str) -> Arm:
        """Return the arm of a unit."""
        allocation = installation.allocation
        if allocation is None:
            return _TREATMENT
        key = (installation.fix.fix_id, allocation.salt, allocation.ratio)
        dealer = self._dealers.get(key)
        if dealer is None:
            if len(self._dealers) >= MAX_KEPT:
                self._dealers.clear()
            assignment = Assignment(installation.fix.fix_id, allocation.salt)
            dealer = self._dealers[key] = assignment.dealer(allocation.ratio)
        return _TREATMENT if dealer(unit) else _CONTROL
