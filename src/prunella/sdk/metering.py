"""Counts the calls that meet fixes in rollouts, in both arms alike, for the healer to decide on.

On the path of a call is one random number (a hash, where units have to find their arm again) and one
entry in a queue; everything else is done when the counts are shipped, every few seconds and at exit.
"""

from collections.abc import Callable
from dataclasses import replace
from math import inf
from random import Random
from threading import Lock
from time import perf_counter
from typing import Any

from prunella.experiment.assignment import Assignment, bound_of
from prunella.experiment.counts import Counts
from prunella.experiment.maturity import Ledger, StickyLedger
from prunella.fixes import Arm, CountingMeter, FixCounts, Installation, Installed
from prunella.fixes.meter import Exposed
from prunella.sdk.accounts import Account, Deal, Unit, dealing
from prunella.sdk.dealing import Dealing

#: Epochs that one process counts, at most: what ended long ago isn't shipped again.
MAX_BOOKS = 200
#: What `noted` tells of a fix and that is shipped as well.
_EFFECTS = frozenset({"acted", "healed", "disabled"})
#: On Python 3.11 looking a member up in its enumeration takes as long as hashing a unit.
_CONTROL, _TREATMENT = Arm.CONTROL, Arm.TREATMENT


class Book:
    """One epoch of one rollout in this process."""

    __slots__ = (
        "at_once",
        "begins",
        "by_chance",
        "control_from",
        "deal",
        "ends",
        "epoch",
        "fix_id",
        "follow",
        "hashing",
        "ledger",
        "ratio",
        "rollout_id",
        "shipped",
        "told",
        "wait_s",
    )

    def __init__(self, installation: Installation, known: set[str]) -> None:
        allocation = installation.allocation
        if allocation is None:
            raise ValueError(f"{installation.fix.fix_id} has no allocation to count by")
        self.fix_id = installation.fix.fix_id
        self.rollout_id = allocation.salt
        self.epoch = allocation.epoch
        self.ratio = allocation.ratio
        lot = allocation.lot
        #: Nobody has to find the unit's arm again: neither the next call of a user nor a rival.
        self.by_chance = lot is None and installation.fix.sticky_key is None
        #: What a unit's hash is compared with: treatment from `begins` to below `ends`, control
        #: from `control_from` on.
        self.begins = b"" if lot is None else bound_of(lot.begins)
        self.ends = bound_of(allocation.ratio if lot is None else lot.ends)
        self.control_from = self.ends if lot is None else bound_of(lot.control_from)
        dealt_by = (self.fix_id, allocation.salt) if lot is None else ("", lot.salt)
        self.hashing = Assignment(*dealt_by).hashing
        self.wait_s = allocation.wait_s
        self.ledger: Ledger | StickyLedger
        #: Deals and counts a call.
        self.deal: Deal
        #: Counts the calls of sticky units.
        self.follow: Callable[[str, Unit, float], object] | None = None
        if installation.fix.sticky_key is None:
            self.ledger = Ledger(
                wait_s=allocation.wait_s,
                slow_s=allocation.slow_s,
                max_latency_ratio=allocation.max_latency_ratio,
            )
        else:
            self.ledger = StickyLedger(
                window_s=allocation.window_s, wait_s=allocation.wait_s, known=known
            )
            self.follow = self.ledger.note
        #: The counts as they were shipped last.
        self.shipped: dict[Arm, Counts] = {}
        #: How often the fix has acted without the interpreter, and how much of that was told.
        self.at_once = self.told = 0

    def deal_by_hash(self, name: str, now_s: float) -> Unit | None:
        """Count a call of the unit `name`; return it, ``None`` where that is a rival's."""
        arm = self.arm_of(name)
        if arm is None:
            return None
        unit = self.deal(now_s, arm)
        if self.follow is not None:
            self.follow(name, unit, now_s)
        return unit

    def arm_of(self, unit: str) -> Arm | None:
        """Return the arm of a unit, the same in every process; ``None`` where it is a rival's."""
        hashed = self.hashing()
        hashed.update(unit.encode())
        place = hashed.digest()
        if self.begins <= place < self.ends:
            return _TREATMENT
        return _CONTROL if place >= self.control_from else None

    def fired(self) -> int:
        """Return how many calls have met the fix in this epoch."""
        return len(self.ledger) + sum(each.n for each in self.ledger.counts().values())

    def added_to(self, counts: FixCounts) -> FixCounts:
        """Return `counts` with the calls of this book; one under way isn't a failure yet."""
        pending = self.ledger.pending()
        mature = self.ledger.counts()
        failed = [each.arm for each in pending if each.failed and each.latency_s < inf]
        treated = mature[Arm.TREATMENT]
        treated_n = treated.n + sum(each.arm is Arm.TREATMENT for each in pending)
        failures = treated.failures + failed.count(Arm.TREATMENT)
        control = mature[Arm.CONTROL]
        return replace(
            counts,
            triggers=counts.triggers + treated.n + control.n + len(pending),
            treated=counts.treated + treated_n,
            failures=counts.failures + failures + control.failures + failed.count(Arm.CONTROL),
            treated_failures=counts.treated_failures + failures,
        )

    def tallies(self, now_s: float) -> list[dict[str, Any]]:
        """Return the counts of both arms if units became mature since the last time.

        Never of one arm alone: should that come late, the arms would be compared at different times.
        """
        settled = self.ledger.settle(now_s)
        if settled == self.shipped or not any(counts.n for counts in settled.values()):
            return []
        self.shipped = settled
        return [
            {
                "rollout_id": self.rollout_id,
                "epoch": self.epoch,
                "ratio": self.ratio,
                "arm": arm.value,
                "counts": _plain(counts),
            }
            for arm, counts in settled.items()
        ]


def _plain(counts: Counts) -> dict[str, Any]:
    """Return counts as JSON, without what isn't measured."""
    found: dict[str, Any] = {"n": counts.n, "failures": counts.failures}
    if counts.timed:
        found |= {
            "timed": counts.timed,
            "slow": list(counts.slow),
            "very_slow": list(counts.very_slow),
        }
    if counts.costs:
        found |= {
            "costs": counts.costs,
            "cost_sum": counts.cost_sum,
            "cost_squares": counts.cost_squares,
        }
    return found


class RolloutMeter(CountingMeter):
    """Deals and counts the calls that meet fixes in rollouts; others as `CountingMeter` does."""

    def __init__(
        self,
        report: Callable[[str, str, str], object] | None = None,
        *,
        clock_s: Callable[[], float] = perf_counter,
        random: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(Dealing(), report)
        #: A number from 0 to below 1, other ones in every process.
        self._random = Random().random if random is None else random  # noqa: S311 - no secret
        #: What units are started by.
        self._clock_s = clock_s
        self._books: dict[tuple[str, int], Book] = {}
        #: By the identity of an installation: it, its book, and the one of its epoch that counts.
        self._latest: dict[int, tuple[Installation, Book, Book]] = {}
        self._opening = Lock()
        self._sequence = 0
        #: Fix id to the rollout that it is in now, and rollout id to what else happened.
        self._rollouts: dict[str, str] = {}
        self._effects: dict[str, dict[str, int]] = {}
        self._told: dict[str, dict[str, int]] = {}
        #: Rollout id to the sticky units that were counted.
        self._known: dict[str, set[str]] = {}
        #: Rollout id to how often its fix had fired, and the calls of its sites at that time.
        self._fired: dict[str, tuple[int, int]] = {}

    def triggered(self, installation: Installation, unit: str, now_s: float) -> Exposed | None:
        """As in `Meter`; ``make bench-fixes`` prints what it takes."""
        known = self._latest.get(id(installation))
        if known is None or known[0] is not installation:
            if installation.allocation is None:
                return super().triggered(installation, unit, now_s)
            known = self._open(installation)
        book = known[1]
        return book.deal(now_s) if book.by_chance else book.deal_by_hash(unit, now_s)

    def ended(
        self, exposure: Exposed, *, failed: bool, latency_s: float, cost: float | None
    ) -> None:
        """As in `Meter`."""
        if type(exposure) is Unit:
            exposure.end(failed, latency_s, cost)
        else:
            super().ended(exposure, failed=failed, latency_s=latency_s, cost=cost)

    def account(self, installed: Installed) -> Account | None:
        """Return how calls that meet a fix are dealt and counted at once.

        ``None`` where they find their arm by a hash of a unit: the interpreter knows that.
        """
        installation = installed.installation
        tally = self.tally(installed.fix_id)
        if installation.allocation is None:
            return Account(installed, installed.breaker, None, tally, tally)
        known = self._latest.get(id(installation))
        if known is None or known[0] is not installation:
            known = self._open(installation)
        _, book, counted = known
        if not book.by_chance:
            return None
        return Account(installed, installed.breaker, book.deal, counted, tally)

    def noted(self, fix_id: str, event: str, detail: str) -> None:
        """As in `Meter`."""
        super().noted(fix_id, event, detail)
        rollout_id = self._rollouts.get(fix_id)
        if rollout_id is None:
            return
        with self._opening:
            effects = self._effects.setdefault(rollout_id, {})
            if event == "added_s":
                effects["added_ms"] = effects.get("added_ms", 0) + round(1000 * float(detail))
            elif event in _EFFECTS:
                effects[event] = effects.get(event, 0) + 1

    def counts(self, fix_id: str) -> FixCounts:
        """As in `CountingMeter`, the calls of rollouts included."""
        with self._opening:
            self._tell_at_once()
        found = super().counts(fix_id)
        for book in list(self._books.values()):
            if book.fix_id == fix_id:
                found = book.added_to(found)
        return found

    def quiet(self, rollout_id: str, calls: int) -> None:
        """Note how many calls the sites of a rollout have had in this process by now.

        Told is the number since its fix fired for the last time, whenever it has doubled: a fix that
        isn't needed any more is worth few records.
        """
        with self._opening:
            fired = sum(
                book.fired() for book in self._books.values() if book.rollout_id == rollout_id
            )
            before, at = self._fired.get(rollout_id, (-1, 0))
            if fired != before:
                self._fired[rollout_id] = (fired, calls)
                at = calls
            effects = self._effects.setdefault(rollout_id, {"quiet_calls": 0})
            told, quiet = effects.get("quiet_calls", 0), calls - at
            if quiet < told or quiet >= max(2 * told, 1):
                effects["quiet_calls"] = quiet

    def shipment(self, process_id: str, *, at_exit: bool = False) -> dict[str, Any] | None:
        """Return a `prunella.model.records.Exposures` of what changed, ``None`` if nothing did.

        At exit every unit counts, those that haven't ended as failed: nobody can wait for them.
        """
        with self._opening:
            self._tell_at_once()
            now_s = inf if at_exit else self._clock_s()
            tallies = [each for book in self._books.values() for each in book.tallies(now_s)]
            effects = self._changed_effects()
            if not tallies and not effects:
                return None
            self._sequence += 1
            return {
                "class": "exposures",
                "process_id": process_id,
                "sequence": self._sequence,
                "tallies": tallies,
                "effects": effects,
            }

    def unsent(self) -> None:
        """Ship everything anew: the last shipment got lost on its way out."""
        with self._opening:
            self._told.clear()
            for book in self._books.values():
                book.shipped = {}

    def _tell_at_once(self) -> None:
        """Take in how often fixes of rollouts have acted without the interpreter."""
        for book in self._books.values():
            acted = book.at_once - book.told
            if acted:
                book.told += acted
                with self._lock:
                    self.tally(book.fix_id).acted += acted
                effects = self._effects.setdefault(book.rollout_id, {})
                effects["acted"] = effects.get("acted", 0) + acted

    def _changed_effects(self) -> dict[str, dict[str, int]]:
        found = {
            rollout_id: dict(effects)
            for rollout_id, effects in self._effects.items()
            if self._told.get(rollout_id) != effects
        }
        self._told |= {rollout_id: dict(effects) for rollout_id, effects in found.items()}
        return found

    def _open(self, installation: Installation) -> tuple[Installation, Book, Book]:
        """Return the book of an installation, the same for all that stand for one epoch."""
        allocation = installation.allocation
        with self._opening:
            rollout_id = "" if allocation is None else allocation.salt
            book = Book(installation, self._known.setdefault(rollout_id, set()))
            counted = self._books.setdefault((book.rollout_id, book.epoch), book)
            # Where a rival came or went, units are dealt anew; the epoch's counts go on.
            book.ledger, book.follow = counted.ledger, counted.follow
            book.deal = dealing(book, self._random)
            self._rollouts[book.fix_id] = book.rollout_id
            while len(self._books) > MAX_BOOKS:
                self._books.pop(next(iter(self._books)))
            while len(self._known) > MAX_BOOKS:
                self._known.pop(next(iter(self._known)))
            if len(self._latest) > MAX_BOOKS:
                self._latest.clear()
            # The installation is kept, so that its identity stays its own.
            found = self._latest[id(installation)] = (installation, book, counted)
            return found
