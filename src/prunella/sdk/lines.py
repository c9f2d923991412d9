"""Records as the framed lines that go into the spool: JSON text, composed without detours.

What every record of a site says is composed once (`place_of`); the rest is put together by
formatting, because building dictionaries first costs as much as everything else.
"""

from typing import TYPE_CHECKING, Any

from prunella.codec.texts import text_of, to_json
from prunella.sdk.failure import describe
from prunella.sdk.site import hash_code
from prunella.sdk.spool import framed

if TYPE_CHECKING:
    from prunella.codec.redact import Redactor
    from prunella.fixes import Finished
    from prunella.sdk.failure import Sight
    from prunella.sdk.groups import Group
    from prunella.sdk.running import Failure, Running
    from prunella.sdk.site import Site


def record_line(record: dict[str, Any]) -> bytes:
    """Return a record as one framed line."""
    return framed(to_json(record).encode())


def source_hash(site: "Site") -> str:
    """Return the hash of a site's code, computed at its first record."""
    if not site.source_hash:
        site.source_hash = hash_code(site.code)
    return site.source_hash


def place_of(site: "Site", process_id: str) -> str:
    """Return the JSON of what all records of a site in this process say, up to the trace."""
    place = site.place
    if place is None or place[0] != process_id:
        text = (
            f'"site_id":{to_json(site.site_id)},"source_hash":"{source_hash(site)}",'
            f'"process_id":"{process_id}","trace_id":"trace_'
        )
        place = site.place = (process_id, text)
    return place[1]


def _fix_of(finished: "Finished") -> str:
    degraded = "true" if finished.degraded else "false"
    return f',"fix_id":{to_json(finished.fix_id)},"degraded":{degraded}'


def call_line(running: "Running", process_id: str, redactor: "Redactor") -> bytes:
    """Return the `prunella.model.records.Call` of a call that has returned."""
    if running.given is not None:
        running.read(redactor)
    result, complete = running.answer
    if running.result is not None:
        result, complete = text_of(running.result[0], redactor)
    fix = ""
    if running.finished is not None:
        fix = _fix_of(running.finished)
        complete = complete and not running.finished.altered
    parent = running.parent
    return framed(
        (
            f'{{"class":"call","call_id":"call_{running.unique}",'
            f'{place_of(running.site, process_id)}{running.trace}",'
            f'"parent_id":{"null" if parent is None else parent.reference},'
            f'"started_at":{running.started_us},'
            f'"duration_us":{running.duration_us},'
            f'"complete":{"true" if running.complete and complete else "false"},'
            f'"inputs":{running.inputs},"result":{result}{fix}}}'
        ).encode()
    )


def occurrence_line(
    failure: "Failure",
    group: "Group",
    running: "Running",
    duration_us: int,
    process_id: str,
    occurrence_id: str,
    sight: "Sight",
) -> bytes:
    """Return the `prunella.model.records.Occurrence` of a failure."""
    inner, parent, yielded = group.inner, running.parent, running.yielded
    masked = f',"masked_by":{to_json(group.masked_by)}' if group.masked_by else ""
    caused_by = "null"
    if inner is not None:
        caused_by = f'"{inner.latest.latest if inner.latest else "occ_"}"'
    return framed(
        (
            f'{{"class":"occurrence","occurrence_id":"{occurrence_id}",'
            f'"group":"{group.name}",'
            f'{place_of(running.site, process_id)}{running.trace}",'
            f'"parent_id":{"null" if parent is None else parent.reference},'
            f'"call_id":"call_{running.unique}","started_at":{running.started_us},'
            f'"duration_us":{duration_us},"ending":"{failure.ending}",'
            f'"complete":{"true" if running.complete else "false"},"caused_by":{caused_by},'
            f'"yielded":{"null" if yielded is None else to_json(["l", *yielded])},'
            f'"inputs":{running.inputs},'
            f'"exception":{describe(failure.error, sight, failure.path[0])}{masked}}}'
        ).encode()
    )
