"""How counts grew is kept as they grow, and not as often as somebody looks."""

from datetime import timedelta
from types import SimpleNamespace

from prunella.experiment import Counts, Stratum
from prunella.pipeline.points import keep_point
from prunella.rollout import Counted
from recorded import START

ROLLOUT = SimpleNamespace(rollout_id="rol_1")


class Points:
    """A store of points."""

    def __init__(self):
        self.kept = []

    def points(self, _rollout_id, *, limit):
        return self.kept[-limit:]

    def keep_point(self, point):
        self.kept.append(point)


def known(units):
    control = Counts(n=units // 2, failures=units // 4)
    treatment = Counts(n=units - units // 2, failures=0)
    stratum = Stratum(ratio=0.5, control=control, treatment=treatment)
    return Counted(strata=[stratum], base_rate=0.5)


def test_nothing_counted_is_no_point():
    """A rollout that nobody has met has nothing to draw."""
    store = Points()
    keep_point(store, ROLLOUT, Counted(strata=[], base_rate=None), START)
    assert store.kept == []


def test_points_are_as_many_as_a_drawing_needs():
    """A hundred thousand looks at as many units leave some hundreds of points, in their order."""
    store = Points()
    for units in range(0, 100_000, 10):
        keep_point(store, ROLLOUT, known(units), START + timedelta(seconds=units))
    assert 200 < len(store.kept) < 600
    assert [point.units for point in store.kept] == sorted({point.units for point in store.kept})
    assert store.kept[-1].units > 95_000
    assert store.kept[-1].log_benefit > store.kept[0].log_benefit


def test_looking_again_keeps_nothing():
    """The same counts are one point, however often they are looked at."""
    store = Points()
    for _ in range(5):
        keep_point(store, ROLLOUT, known(40), START)
    assert [(point.control_units, point.treatment_failures) for point in store.kept] == [(20, 0)]
