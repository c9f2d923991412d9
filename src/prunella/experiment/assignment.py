"""Which arm a unit belongs to: a function of fix, salt and unit, the same in every process."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import accumulate
from math import fsum

from prunella.model.errors import ImpossibleCounts
from prunella.model.rollouts import Arm as Arm  # part of this module's own names

_HASHES = 1 << 64


class Assignment:
    """Deals units to arms by a hash of ``fix_id``, ``salt`` and the unit (BLAKE2b, 64 bits).

    The unit is the id of a trace or call, or the sticky key (user, conversation) of a fix that must
    not change sides. A unit that is in treatment at one ratio stays there at every higher one. A
    new salt deals anew. Never Python's ``hash``, which differs between processes, and never a
    CRC, whose arms of different fixes are correlated.
    """

    __slots__ = ("hashing",)

    def __init__(self, fix_id: str, salt: str = "") -> None:
        # A text can't hold the byte FF, so no two triples are hashed as the same bytes.
        prefix = fix_id.encode() + b"\xff" + salt.encode() + b"\xff"
        #: Returns a hash that has taken in all but the unit: half the price of one made from nothing.
        self.hashing = blake2b(prefix, digest_size=8).copy

    def dealer(self, ratio: float) -> Callable[[str], bool]:
        """Return a function that says whether a unit gets the fix when `ratio` of all units do.

        What a running program keeps for an epoch: it costs one hash a call.
        """
        hashing, bound = self.hashing, bound_of(ratio)

        def treated(unit: str) -> bool:
            found = hashing()
            found.update(unit.encode())
            return found.digest() < bound

        return treated

    def arm(self, unit: str, ratio: float) -> Arm:
        """Return the unit's arm when `ratio` (0 to 1) of all units get the fix."""
        return Arm.TREATMENT if self._digest(unit) < bound_of(ratio) else Arm.CONTROL

    def fraction(self, unit: str) -> float:
        """Return where the unit falls: from 0 to below 1, uniform over units."""
        # 53 bits: what a float holds exactly, so that no fraction rounds up to 1.
        return (int.from_bytes(self._digest(unit), "big") >> 11) / (1 << 53)

    def choose(self, unit: str, shares: Sequence[float]) -> int:
        """Return the index of the unit's arm where several fixes compete; 0 is control.

        `shares` are the arms' shares and sum up to 1. Raises `ImpossibleCounts` where they don't.
        """
        if not shares or min(shares) < 0 or abs(fsum(shares) - 1) > 1e-9:
            raise ImpossibleCounts(
                f"shares {tuple(shares)!r} of the arms are not from 0 on with a sum of 1"
            )
        place = self.fraction(unit)
        for index, upto in enumerate(accumulate(shares)):
            if place < upto:
                return index
        # The sum of shares may lie a rounding below 1.
        return max(index for index, share in enumerate(shares) if share > 0)

    def _digest(self, unit: str) -> bytes:
        found = self.hashing()
        found.update(unit.encode())
        return found.digest()


def bound_of(ratio: float) -> bytes:
    """Return what a treated unit's digest lies below; digests compare as big-endian numbers."""
    if not 0 <= ratio <= 1:
        raise ImpossibleCounts(f"ratio {ratio!r} is not between 0 and 1")
    # One byte more than a digest has, so that a ratio of 1 lies above them all.
    return int(ratio * _HASHES).to_bytes(9, "big")[1:] if ratio < 1 else b"\xff" * 9
