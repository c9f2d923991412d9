r"""Framing of records: how one record stands in a spool file or a request body.

One line a record: the CRC-32 of the JSON text as eight hex digits, a space, the JSON text in UTF-8
without line breaks, ``\n``. A line that was torn by a crash fails its checksum or lacks its line
break; reading goes on at the next line, so one bad record never hides the good ones behind it.
The JSON is `to_tagged` of a record: ``{"class": "occurrence", …}`` with the field names of
`prunella.model.records`; moments may be integers (microseconds since the epoch).

A line ``gap N`` stands for N bytes that were left out, so that what comes behind keeps its offset.
"""

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from prunella.codec.plain import from_tagged, to_tagged
from prunella.model.clock import from_us
from prunella.model.errors import RecordError
from prunella.model.records import Occurrence, Record, Repeat

_GAP = b"gap "
_MOMENT = b',"at":'
#: Brackets in the text of a record that may be kept as it is: whoever reads it later can.
_SHALLOW = 200
#: What `Line.problem` says of a gap.
LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a spool: a record, or why there is none."""

    record: Record | None
    #: Offset of the first byte behind this line.
    end_offset: int
    problem: str = ""
    #: The JSON of the record as it stands here, where it may be kept so: ASCII, and not nested deeply.
    text: str = ""


def frame(payload: bytes) -> bytes:
    """Return `payload` (JSON text without line breaks) as one framed line."""
    return b"%08x %s\n" % (zlib.crc32(payload), payload)


def write_record(record: Record) -> bytes:
    """Return `record` as one framed line."""
    text = json.dumps(to_tagged(record), separators=(",", ":"), ensure_ascii=False)
    return frame(text.encode("utf-8", "surrogatepass"))


def gap(size_bytes: int) -> bytes:
    """Return the line that stands for `size_bytes` left out."""
    return b"%s%d\n" % (_GAP, size_bytes)


def is_gap(line: bytes) -> bool:
    """Tell whether a line, without its line break, stands for what was left out."""
    return line.startswith(_GAP) and len(line) < 20 and line[len(_GAP) :].isdigit()


def size_of(line: bytes) -> int:
    """Return how many bytes a line, without its line break, stands for."""
    return int(line[len(_GAP) :]) if is_gap(line) else len(line) + 1


def read_lines(
    data: bytes, offset: int = 0, *, loads: Callable[[bytes], Any] = json.loads
) -> Iterator[Line]:
    """Yield the complete lines of `data`, which stands at `offset` of its file.

    `loads` reads JSON, and raises `ValueError` where it is none.

    A last line without its line break isn't yielded: it may still be being written. Whether it is
    torn for good only the caller can know (the writer is gone).
    """
    start = 0
    repeats: dict[bytes, Repeat] = {}
    while (end := data.find(b"\n", start)) >= 0:
        line = data[start:end]
        offset += size_of(line)
        if is_gap(line):
            yield Line(record=None, end_offset=offset, problem=LEFT_OUT)
        else:
            yield _read_line(line, offset, loads, repeats)
        start = end + 1


def _read_line(
    line: bytes, end_offset: int, loads: Callable[[bytes], Any], repeats: dict[bytes, Repeat]
) -> Line:
    checksum, _, payload = line.partition(b" ")
    try:
        if len(checksum) != 8 or int(checksum, 16) != zlib.crc32(payload):
            return Line(record=None, end_offset=end_offset, problem="checksum does not match")
        begin, number = _but_its_moment(payload)
        like = repeats.get(begin) if number else None
        if like is not None:
            record: Record = Repeat(
                process_id=like.process_id,
                group=like.group,
                site_id=like.site_id,
                at=from_us(int(number)),
                count=like.count,
            )
        else:
            record = from_tagged(Record, loads(payload))
            if number and type(record) is Repeat:
                repeats[begin] = record
    except (ValueError, RecursionError, OverflowError, RecordError) as error:
        return Line(record=None, end_offset=end_offset, problem=str(error))
    return Line(record=record, end_offset=end_offset, text=_as_it_came(payload, record))


def _but_its_moment(payload: bytes) -> tuple[bytes, bytes]:
    """Return what stands before the digits of a record that ends with its moment, and the digits.

    Both are empty for other records. Records that begin alike are read once: nearly all that a
    program in trouble reports are repeats, which differ in nothing else.
    """
    begin, _, rest = payload.rpartition(_MOMENT)
    digits = rest[:-1]
    if begin and rest.endswith(b"}") and digits.isdigit() and rest[:1] != b"0" and len(rest) < 19:
        return begin, digits
    return b"", b""


def _as_it_came(payload: bytes, record: Record) -> str:
    """Return the JSON of an occurrence if it may be kept so: readable anywhere, at any time."""
    if type(record) is not Occurrence or not payload.isascii():
        return ""
    if payload.count(b"[") + payload.count(b"{") > _SHALLOW:
        return ""  # may be nested as deeply
    return payload.decode("ascii")
