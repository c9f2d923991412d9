"""Records as the framed lines that go into the spool: JSON text, composed without detours.

What every record of a site says is composed once (`place_of`); the rest is put together by
formatting, because building dictionaries first costs as much as everything else.
"""

from json import encoder
from typing import TYPE_CHECKING, Any

from prunella.sdk.failure import describe
from prunella.sdk.site import hash_code
from prunella.sdk.spool import framed

if TYPE_CHECKING:
    from prunella.sdk.failure import Sight
    from prunella.sdk.groups import Group
    from prunella.sdk.running import Failure, Running
    from prunella.sdk.site import Site


def _default(value: Any) -> Any:
    raise TypeError(f"a record holds a {type(value)}, which JSON doesn't have")


_join = "".join
_c_maker: Any = getattr(encoder, "c_make_encoder", None)
if _c_maker is not None:
    # What `JSONEncoder.encode` makes anew for every text, which takes longer than most of them.
    _chunks = _c_maker(
        None, _default, encoder.encode_basestring_ascii, None, ":", ",", False, False, True
    )

    def _encode(tree: Any) -> str:
        return _join(_chunks(tree, 0))

else:  # another interpreter than CPython
    _maker = encoder.JSONEncoder(separators=(",", ":"), check_circular=False)

    def _encode(tree: Any) -> str:
        return _maker.encode(tree)


def to_json(tree: Any) -> str:
    """Return a tree, or a record of dicts and lists, as JSON text on one line."""
    if tree is None:
        return "null"
    return int.__repr__(tree) if type(tree) is int else _encode(tree)


def record_line(record: dict[str, Any]) -> bytes:
    """Return a record as one framed line."""
    return framed(to_json(record).encode())


def source_hash(site: "Site") -> str:
    """Return the hash of a site's code, computed at its first record."""
    if not site.source_hash:
        site.source_hash = hash_code(site.code)
    return site.source_hash


def place_of(site: "Site", process_id: str) -> str:
    """Return the JSON of what all records of a site in this process say."""
    if site.place is None or site.place[0] != process_id:
        text = (
            f'"site_id":{to_json(site.site_id)},"source_hash":"{source_hash(site)}",'
            f'"process_id":"{process_id}"'
        )
        site.place = (process_id, text)
    return site.place[1]


def _parent(running: "Running") -> str:
    return f'"call_{running.parent.unique}"' if running.parent else "null"


def _fix_of(running: "Running") -> str:
    finished = running.finished
    if finished is None:
        return ""
    degraded = "true" if finished.degraded else "false"
    return f',"fix_id":{to_json(finished.fix_id)},"degraded":{degraded}'


def call_line(
    running: "Running", process_id: str, duration_us: int, result: Any, complete: bool
) -> bytes:
    """Return the `prunella.model.records.Call` of a call that returned the tree `result`."""
    altered = running.finished is not None and running.finished.altered
    return framed(
        (
            f'{{"class":"call","call_id":"call_{running.unique}",'
            f"{place_of(running.site, process_id)},"
            f'"trace_id":"trace_{running.trace}",'
            f'"parent_id":{_parent(running)},'
            f'"started_at":{running.started_us},'
            f'"duration_us":{duration_us},'
            f'"complete":{"true" if running.complete and complete and not altered else "false"},'
            f'"inputs":{to_json(running.inputs)},"result":{to_json(result)}{_fix_of(running)}}}'
        ).encode()
    )


def occurrence_line(
    failure: "Failure",
    group: "Group",
    running: "Running",
    duration_us: int,
    *,
    process_id: str,
    occurrence_id: str,
    sight: "Sight",
) -> bytes:
    """Return the `prunella.model.records.Occurrence` of a failure."""
    inner = group.inner
    yielded = None if running.yielded is None else ["l", *running.yielded]
    masked_by = group.masked_by
    masked = f',"masked_by":{to_json(masked_by)}' if masked_by else ""
    caused_by = None if inner is None else inner.latest.latest if inner.latest else "occ_"
    return framed(
        (
            f'{{"class":"occurrence","occurrence_id":"{occurrence_id}",'
            f'"group":"{group.name}",'
            f"{place_of(running.site, process_id)},"
            f'"trace_id":"trace_{running.trace}",'
            f'"parent_id":{_parent(running)},'
            f'"call_id":"call_{running.unique}","started_at":{running.started_us},'
            f'"duration_us":{duration_us},"ending":"{failure.ending}",'
            f'"complete":{"true" if running.complete else "false"},'
            f'"caused_by":{to_json(caused_by)},"yielded":{to_json(yielded)},'
            f'"inputs":{to_json(running.inputs)},'
            f'"exception":{to_json(describe(failure.error, sight))}{masked}}}'
        ).encode()
    )
