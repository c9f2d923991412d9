"""What the tags of pandas' frames, series, indexes and scalars become."""

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from prunella.codec.nodes import arity, integer, malformed, tagged, text
from prunella.model.errors import RecordError
from prunella.model.tree import Tree

if TYPE_CHECKING:
    from prunella.codec.build_objects import Builder
    from prunella.codec.decode import Decoder

_DTYPE = re.compile(r"(?:str|string|boolean|U?Int(?:8|16|32|64)|Float(?:32|64))(?:\[\w+\])?")
_FREQUENCY = re.compile(r"[-\w]{1,40}")


def _pandas() -> Any:
    """Return the pandas of the program that was recorded; Prunella itself doesn't depend on it."""
    return import_module("pandas")


def _table(decoder: "Decoder", node: list[Tree]) -> Any:
    pandas = _pandas()
    _tag, kind, index_node, columns, labels_node = arity(node, 5)
    index = decoder.whole(index_node)
    items = tagged(columns, "d")[1:]
    if len(items) % 2 or not isinstance(index, pandas.Index):
        raise malformed(node)
    arrays = [_as_array(decoder.whole(item)) for item in items[1::2]]
    if any(len(array) != len(index) for array in arrays):
        raise RecordError("encoded frame has a column of another length than its index")
    if kind == "Series" and len(arrays) == 1:
        return pandas.Series(arrays[0], index=index, name=decoder.whole(items[0]), copy=True)
    labels = decoder.whole(labels_node)
    if kind != "DataFrame" or not isinstance(labels, pandas.Index) or len(labels) != len(arrays):
        raise malformed(node)
    frame = pandas.DataFrame(dict(enumerate(arrays)), index=index, copy=True)
    frame.columns = labels
    return frame


def _as_array(values: Any) -> Any:
    """Return what makes a column of `values`; a list holds objects, never to be converted."""
    import numpy

    if type(values) is not list:
        return values
    array = numpy.empty(len(values), dtype=object)
    array[:] = values
    return array


def _text_column(decoder: "Decoder", node: list[Tree]) -> Any:
    pandas = _pandas()
    _tag, dtype, items = arity(node, 3)
    return pandas.array(decoder.values(tagged(items, "l")[1:]), dtype=_checked(dtype))


def _masked(decoder: "Decoder", node: list[Tree]) -> Any:
    pandas = _pandas()
    _tag, dtype, filled, mask = arity(node, 4)
    array = pandas.array(decoder.whole(filled), dtype=_checked(dtype))
    array[decoder.whole(mask)] = pandas.NA
    return array


def _checked(dtype: Tree) -> str:
    if not _DTYPE.fullmatch(text(dtype)):
        raise RecordError(f"encoded column has the unknown dtype {dtype!r:.40}")
    return text(dtype)


def _categorical(decoder: "Decoder", node: list[Tree]) -> Any:
    pandas = _pandas()
    _tag, codes, categories, ordered = arity(node, 4)
    kinds = pandas.Index(_as_array(decoder.whole(categories)))
    return pandas.Categorical.from_codes(decoder.whole(codes), kinds, ordered=ordered is True)


def _moments(decoder: "Decoder", node: list[Tree]) -> Any:
    pandas = _pandas()
    _tag, values, zone = arity(node, 3)
    array = pandas.array(decoder.whole(values), copy=True)
    return array if zone is None else array.tz_localize("UTC").tz_convert(decoder.whole(zone))


def _index(decoder: "Decoder", node: list[Tree]) -> Any:
    pandas = _pandas()
    kind, names = text(node[1]), decoder.whole(node[2])
    parts = node[3:]
    if kind == "RangeIndex":
        return pandas.RangeIndex(*(integer(part) for part in parts), name=names[0])
    if kind == "MultiIndex":
        levels = [pandas.Index(_as_array(decoder.whole(part))) for part in parts[0::2]]
        codes = [decoder.whole(part) for part in parts[1::2]]
        return pandas.MultiIndex(levels=levels, codes=codes, names=names)
    index = pandas.Index(_as_array(decoder.whole(parts[0])), name=names[0])
    if parts[1] is not None and _FREQUENCY.fullmatch(text(parts[1])):
        index.freq = parts[1]
    return index


def _timestamp(decoder: "Decoder", node: list[Tree]) -> Any:
    _tag, part, zone = arity(node, 3)
    moment = _pandas().Timestamp(decoder.whole(tagged(part, "nps")))
    return moment if zone is None else moment.tz_localize("UTC").tz_convert(decoder.whole(zone))


def _timedelta(decoder: "Decoder", node: list[Tree]) -> Any:
    return _pandas().Timedelta(decoder.whole(tagged(arity(node, 2)[1], "nps")))


def _periods(decoder: "Decoder", node: list[Tree]) -> Any:
    _tag, frequency, ordinals = arity(node, 3)
    index = _pandas().PeriodIndex
    return index.from_ordinals(decoder.whole(ordinals), freq=_frequency(frequency)).array


def _period(_: "Decoder", node: list[Tree]) -> Any:
    _tag, frequency, ordinal = arity(node, 3)
    return _pandas().Period(ordinal=integer(ordinal), freq=_frequency(frequency))


def _frequency(part: Tree) -> str:
    if not _FREQUENCY.fullmatch(text(part)):
        raise RecordError(f"encoded period has the unknown frequency {part!r:.40}")
    return text(part)


def _intervals(decoder: "Decoder", node: list[Tree]) -> Any:
    _tag, left, right, closed = arity(node, 4)
    sides = [_as_array(decoder.whole(side)) for side in (left, right)]
    return _pandas().arrays.IntervalArray.from_arrays(*sides, closed=_closed(closed))


def _interval(decoder: "Decoder", node: list[Tree]) -> Any:
    _tag, left, right, closed = arity(node, 4)
    return _pandas().Interval(decoder.whole(left), decoder.whole(right), closed=_closed(closed))


def _closed(part: Tree) -> str:
    if part not in ("left", "right", "both", "neither"):
        raise RecordError(f"encoded interval is closed on {part!r:.40}")
    return text(part)


def _sparse(decoder: "Decoder", node: list[Tree]) -> Any:
    _tag, dense, fill = arity(node, 3)
    array = _as_array(decoder.whole(dense))
    return _pandas().arrays.SparseArray(array, fill_value=decoder.whole(fill))


FRAME_BUILDERS: "dict[str, Builder]" = {
    "pd": _table,
    "pa": _text_column,
    "pm": _masked,
    "pc": _categorical,
    "pt": _moments,
    "pi": _index,
    "ps": _timestamp,
    "pl": _timedelta,
    "pp": _periods,
    "pq": _period,
    "pv": _intervals,
    "pw": _interval,
    "pz": _sparse,
}
