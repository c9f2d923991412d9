"""pandas' frames, series, indexes and scalars."""

import json

import numpy as np
import pytest

from prunella.codec import Redactor, decode, encode, redact_tree, render, type_name
from prunella.validate.compare import Sameness, compare, compare_values

pd = pytest.importorskip("pandas")


def rebuilt(value):
    encoded = encode(value)
    assert encoded.complete, encoded.tree
    return decode(json.loads(json.dumps(encoded.tree)))


def everything():
    return pd.DataFrame(
        {
            "whole": [1, 2, 3],
            "broken": [1.5, np.nan, -0.0],
            "small": np.array([1, 2, 3], dtype="f4"),
            "flag": [True, False, True],
            "text": ["a", "b", None],
            "nullable text": pd.array(["a", None, "c"], dtype="string"),
            "objects": [1, "x", [2]],
            "kind": pd.Categorical(["u", "v", "u"], categories=["v", "u"], ordered=True),
            "zoned": pd.date_range("2026-01-01", periods=3, tz="Europe/Berlin"),
            "moment": pd.to_datetime(["2026-01-01", None, "2026-01-03"]),
            "duration": pd.to_timedelta([1, 2, 3], unit="s"),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "nullable float": pd.array([1.5, None, 3], dtype="Float64"),
            "maybe": pd.array([True, None, False], dtype="boolean"),
            7: [1, 2, 3],
            "month": pd.PeriodIndex(["2026-01", None, "2026-03"], freq="M"),
            "week": pd.period_range("2026-01", periods=3, freq="W-WED"),
            "between": pd.arrays.IntervalArray.from_tuples([(0, 1), (1, 2), (5, 9)], closed="left"),
            "days": pd.interval_range(pd.Timestamp("2026-01-01"), periods=3),
            "binned": pd.cut([1, 5, 9], bins=[0, 4, 10]),
            "sparse": pd.arrays.SparseArray([0.0, np.nan, 2.5]),
            "mostly none": pd.arrays.SparseArray([0, 0, 7], fill_value=0),
        }
    )


FRAMES = {
    "every kind of column": everything,
    "empty": pd.DataFrame,
    "no rows": lambda: everything().iloc[:0],
    "two levels": lambda: everything().set_index(["text", "whole"]),
    "by moment": lambda: everything().set_index("zoned"),
    "by kind": lambda: everything().set_index("kind"),
    "filtered": lambda: everything().iloc[[2, 0]],
    "with a frequency": lambda: pd.DataFrame(
        {"x": [1.0, 2.0]}, index=pd.date_range("2026-01-01", periods=2, freq="D", name="day")
    ),
    "levels of columns": lambda: pd.DataFrame(
        [[1, 2]], columns=pd.MultiIndex.from_product([["a"], ["b", "c"]], names=["p", "q"])
    ),
    "labels that repeat": lambda: pd.DataFrame(
        [[1, "x", 2.5], [3, "y", None]], columns=["a", "b", "a"], index=["i", "i"]
    ),
    "by period": lambda: everything().set_index("week"),
    "by interval": lambda: everything().set_index("between"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_come_back_equal(name):
    """Values, types, labels, index, categories, zones and missing values survive."""
    frame = FRAMES[name]()
    pd.testing.assert_frame_equal(rebuilt(frame), frame)
    assert compare(encode(frame).tree, encode(FRAMES[name]()).tree) is None


@pytest.mark.parametrize(
    "value",
    [
        pd.Series([1, 2], name="n", index=["a", "b"]),
        pd.Series([1.5, None]),
        pd.Series([{"a": 1}, None]),
    ],
)
def test_series_come_back_equal(value):
    """A series keeps its name and its index."""
    pd.testing.assert_series_equal(rebuilt(value), value)


@pytest.mark.parametrize(
    "value",
    [
        pd.Index([1, 2], name="z"),
        pd.RangeIndex(3, 9, 2),
        pd.Index(["a", None]),
        pd.MultiIndex.from_product([[1, 2], ["a"]]),
        pd.CategoricalIndex(["a", "b"]),
        pd.date_range("2026-01-01", periods=3, freq="h", tz="UTC"),
        pd.period_range("2026-01", periods=3, freq="Q", name="quarter"),
        pd.interval_range(0.5, 3.5, closed="both"),
    ],
)
def test_indexes_come_back_equal(value):
    """An index is a value of its own too."""
    pd.testing.assert_index_equal(rebuilt(value), value, exact=True)


@pytest.mark.parametrize(
    "value",
    [
        pd.Timestamp("2026-01-01 05:00:00.000000007"),
        pd.Timestamp("2026-07-25 02:30", tz="Europe/Berlin"),
        pd.Timedelta("3D"),
    ],
)
def test_scalars_come_back_equal(value):
    """Moments and durations keep unit and zone."""
    again = rebuilt(value)
    assert (type(again), again, again.unit) == (type(value), value, value.unit)
    assert str(getattr(again, "tzinfo", "")) == str(getattr(value, "tzinfo", ""))


@pytest.mark.parametrize(
    "value",
    [
        pd.Period("2026-03", freq="M"),
        pd.Period("2026-03-04 05:06", freq="15min"),
        pd.Interval(1, 2.5, closed="neither"),
        pd.Interval(pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-01-02", tz="UTC")),
    ],
)
def test_periods_and_intervals_come_back_equal(value):
    """Frequency, sides and what is closed survive, and people can read them."""
    again = rebuilt(value)
    assert (type(again), again, repr(again)) == (type(value), value, repr(value))
    tree = encode(value).tree
    assert type_name(tree) == f"pandas.{type(value).__name__}"
    assert render(tree).startswith(type(value).__name__)


@pytest.mark.parametrize("value", [pd.NaT, pd.NA])
def test_absence_is_itself(value):
    """The marks of missing values are the singletons they were."""
    assert rebuilt(value) is value


def with_attrs():
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["source"] = "a file"
    return frame


def test_shared_frames_stay_shared():
    """One frame in two places is one frame afterwards."""
    frame = everything()
    one, other = rebuilt([frame, frame])
    assert one is other


def test_secrets_in_columns_are_found():
    """By the column's label, and by look within a column; in a second pass too."""
    key = "sk-ant-api03-" + "a1B2" * 10
    frame = pd.DataFrame({"password": ["hunter2", "x"], "note": [f"use {key}", ""]})
    redactor = Redactor()
    for tree in (encode(frame, redactor=redactor).tree, redact_tree(encode(frame).tree, redactor)):
        assert "hunter2" not in json.dumps(tree)
        assert key not in json.dumps(tree)
        assert "password" in render(tree)
    series = encode(frame["password"], redactor=redactor).tree
    indexed = encode(frame.set_index("password"), redactor=redactor).tree
    twice = pd.DataFrame([["hunter2", "hunter2"]], columns=["password", "password"])
    for tree in (encode(twice, redactor=redactor).tree, redact_tree(encode(twice).tree, redactor)):
        assert "hunter2" not in json.dumps(tree)
    assert "hunter2" not in json.dumps([series, indexed])


def test_large_frames_are_cut():
    """A frame beyond the limits costs a short head."""
    tree = encode(pd.DataFrame(np.zeros((100_000, 5)))).tree
    assert tree[:2] == ["cut", 100_000]
    assert len(json.dumps(tree)) < 3_000
    assert type_name(tree) == "pandas.DataFrame"
    wide = encode(pd.DataFrame(np.zeros((1, 1_000))))
    assert not wide.complete
    assert len(json.dumps(encode(pd.Series(["x" * 100] * 50_000)).tree)) < 9_000


@pytest.mark.parametrize(
    "value",
    [
        with_attrs(),
        np.array([object()], dtype=object),
    ],
)
def test_what_is_not_known_is_opaque(value):
    """Frames and arrays that can't be rebuilt say so instead of coming back changed."""
    assert not encode(value).complete


def test_frames_are_equal_within_the_tolerance_of_floats():
    """As everywhere: 1e-9 relative, and the order of rows and columns counts."""
    frame = pd.DataFrame({"a": [0.3, 1.0], "b": [1, 2]})

    def sameness(other):
        return compare_values(encode(frame).tree, encode(other).tree).sameness

    near = pd.DataFrame({"a": [0.1 + 0.2, 1.0], "b": [1, 2]})
    assert sameness(near) is Sameness.EQUAL
    assert sameness(frame.assign(a=[0.3001, 1.0])) is Sameness.DIFFERENT
    assert sameness(frame[["b", "a"]]) is Sameness.DIFFERENT
    assert sameness(frame.iloc[::-1]) is Sameness.DIFFERENT
    assert sameness(frame.astype({"b": "float64"})) is Sameness.DIFFERENT
    assert "['b']" in str(compare(encode(frame).tree, encode(frame.assign(b=[1, 3])).tree))
    one, other = (encode(value).tree for value in (np.float64(0.1 + 0.2), np.float64(0.3)))
    assert compare(one, other) is None
    assert compare(one, encode(np.float64(0.31)).tree)


@pytest.mark.parametrize(
    "tree",
    [
        ["pd", "DataFrame"],
        ["pd", "DataFrame", ["l"], ["d"], None],
        ["pd", "Series", ["pi", "RangeIndex", ["l", None], 0, 3, 1], ["d", "a", ["l", 1]], None],
        ["pa", "object; rm", ["l"]],
        ["pi", "RangeIndex", ["l", None], "x"],
        ["pc", ["l", 1], ["l", 2], "yes"],
        ["ps", 3, None],
        ["pt", 3, None],
        ["pp", "M; rm", ["l", 1]],
        ["pq", "no frequency", 3],
        ["pq", "M", "x"],
        ["pv", ["l", 1], ["l", 2], "yes"],
        ["pw", 2, 1, "left"],
        ["pw", 1, 2, ["l"]],
        ["pz", 3],
    ],
)
def test_malformed_frames_are_errors(tree):
    """Whatever a tree says, it raises `RecordError` or nothing."""
    from prunella.model.errors import RecordError

    with pytest.raises(RecordError):
        decode(tree)
    render(tree)
    type_name(tree)
