"""Trees of pytz's time zones, which pandas 2 and older frameworks put into moments.

A zone of pytz is a class of its own; its instances are the zone at one offset from UTC. pytz remakes
them from name and offset (its own ``__reduce__`` does), and so does this.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from prunella.codec import classes
from prunella.codec.nodes import arity, integer, text
from prunella.model.errors import RecordError
from prunella.model.tree import Tree

if TYPE_CHECKING:
    from prunella.codec.build_objects import Builder
    from prunella.codec.decode import Decoder
    from prunella.codec.encoder import Encoder, Handler


def pytz_handler(kind: type) -> "Handler | None":
    """Return the handler of `kind` where it is one of pytz's zones."""
    if type(classes.find("pytz:utc")) is kind:
        return lambda _, __, ___: ["fn", "pytz:utc"]
    for base in ("pytz.tzinfo:DstTzInfo", "pytz.tzinfo:StaticTzInfo"):
        found = classes.find(base)
        if found is not classes.MISSING and classes.derives(kind, found):
            return _zone
    return None


def _zone(encoder: "Encoder", value: Any, _: int) -> Tree:
    kind = type(value)
    zone = classes.lookup(kind, "zone")
    if type(zone) is not str:
        return encoder.opaque(kind, "is a time zone without a name")
    state = vars(value)
    if "_utcoffset" not in state:
        return ["pytz", zone]
    seconds = [round(state[name].total_seconds()) for name in ("_utcoffset", "_dst")]
    return ["pytz", zone, *seconds, str(state["_tzname"])]


def _pytz(_: "Decoder", node: list[Tree]) -> Any:
    pytz = import_module("pytz")
    try:
        zone = pytz.timezone(text(node[1] if node[1:] else None))
    except pytz.UnknownTimeZoneError as error:
        raise RecordError(f"encoded moment has an unknown time zone: {error}") from error
    if len(node) == 2:
        return zone
    _tag, _name, offset_s, dst_s, label = arity(node, 5)
    return import_module("pytz.tzinfo").unpickler(
        zone.zone, integer(offset_s), integer(dst_s), text(label)
    )


ZONE_BUILDERS: "dict[str, Builder]" = {"pytz": _pytz}
