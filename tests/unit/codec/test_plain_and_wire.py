"""Vocabulary types as JSON, and records as framed lines."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import call, occurrence
from prunella.codec import wire
from prunella.codec.plain import from_plain, from_tagged, to_plain, to_tagged
from prunella.model.errors import RecordError
from prunella.model.records import Call, Occurrence, Record
from prunella.model.repair import Accepted, Check, CheckOutcome, ReplayCounts, Verdict

RECORDS = [occurrence(), call(result=["l", 1, ["f", "nan"]])]


@pytest.mark.parametrize("record", RECORDS)
def test_what_is_written_reads_back_equal(record: Record) -> None:
    """Plain data that passed through JSON text reads back as an equal record."""
    data = json.loads(json.dumps(to_tagged(record)))
    assert from_tagged(Record, data) == record


def test_union_members_read_back_as_themselves() -> None:
    """A verdict keeps its kind, its checks and its counts."""
    verdict = Accepted(
        candidate_id="cand_1",
        checks=(Check(name="tests", outcome=CheckOutcome.PASSED, detail="12 pass"),),
        replays=ReplayCounts(failing_healed=1, set_aside={"flaky": 2}),
        summary="s",
        judged_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    assert from_tagged(Verdict, json.loads(json.dumps(to_tagged(verdict)))) == verdict


def test_moments_may_be_integers() -> None:
    """A writer in a hurry may give microseconds since the epoch."""
    data = to_plain(call()) | {"started_at": 1_700_000_000_000_001}
    assert from_plain(Call, data).started_at.microsecond == 1


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"duration_us": "3"}, "Occurrence.duration_us"),
        ({"duration_us": True}, "Occurrence.duration_us"),
        ({"ending": "tired"}, "Occurrence.ending"),
        ({"started_at": "yesterday"}, "Occurrence.started_at"),
        ({"started_at": 10**30}, "Occurrence.started_at"),
        ({"exception": {"type": "a:b"}}, "Occurrence.exception.mro is missing"),
        ({"exception": []}, "Occurrence.exception"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(change: dict[str, object], path: str) -> None:
    """A bad value raises `RecordError` that names where it stands."""
    with pytest.raises(RecordError, match=path):
        from_plain(Occurrence, to_plain(occurrence()) | change)


@given(st.binary(max_size=200))
def test_reader_survives_any_bytes(data: bytes) -> None:
    """Whatever stands in a spool, reading yields lines and never raises."""
    for line in wire.read_lines(data + b"\n"):
        assert line.record is None


@given(st.data())
def test_torn_line_hides_no_other(data: st.DataObject) -> None:
    """A line that is cut anywhere is skipped, and the next one is read."""
    good = wire.write_record(RECORDS[0])
    torn = wire.write_record(RECORDS[1])
    cut = data.draw(st.integers(0, len(torn) - 2))
    lines = list(wire.read_lines(torn[:cut] + b"\n" + good, offset=7))
    assert [line.record for line in lines] == [None, RECORDS[0]]
    assert lines[-1].end_offset == 7 + cut + 1 + len(good)


def test_unfinished_last_line_waits() -> None:
    """A line without its line break is not read yet."""
    line = wire.write_record(RECORDS[0])
    assert len(list(wire.read_lines(line + line[:-1]))) == 1


def test_lone_surrogates_survive() -> None:
    """Text that is no valid Unicode passes through a line unchanged."""
    odd = replace(call(), result="\udc80")
    (line,) = wire.read_lines(wire.write_record(odd))
    assert line.record == odd


def test_deep_json_is_refused() -> None:
    """A line nested beyond the parser's depth is a problem, not a crash."""
    deep = wire.frame(b"[" * 200_000 + b"]" * 200_000)
    (line,) = wire.read_lines(deep)
    assert line.record is None


@given(
    moments=st.lists(
        st.one_of(
            st.integers(-(10**19), 10**19),
            st.sampled_from(["05", "1.5", "-0", "1e3", '"x"', "1,}", "1}", "null", "", "١"]),
        ),
        max_size=6,
    ),
    begin=st.sampled_from(
        [
            '{"class":"repeat","process_id":"p","group":"g","site_id":"s","count":1',
            '{"class":"repeat","process_id":"p","group":"g","site_id":"s","count":2,"x":{"y":1',
            '{"class":"repeat","process_id":"p","group":"g","site_id":"s,\\"at\\":1","count":1',
            '{"class":"occurrence"',
        ]
    ),
)
def test_records_that_begin_alike_read_as_each_by_itself(moments: list[object], begin: str) -> None:
    """Whatever stands where a repeat's moment does, it is read as if no line was before it."""
    lines = [wire.frame(f'{begin},"at":{each}}}'.encode()) for each in [7, *moments]]
    together = [(one.record, bool(one.problem)) for one in wire.read_lines(b"".join(lines))]
    apart = [
        (one.record, bool(one.problem)) for line in lines for one in wire.read_lines(line)
    ]
    assert together == apart


@pytest.mark.parametrize(
    ("changes", "is_kept"),
    [
        ({}, True),
        ({"inputs": ["d", "name", "\ud800\0\n"]}, False),
        ({"inputs": json.loads("[" * 300 + "]" * 300)}, False),
    ],
)
def test_only_text_that_anybody_can_read_is_handed_on(
    changes: dict[str, object], is_kept: bool
) -> None:
    """The JSON of an occurrence reads back as itself; what is deep or isn't ASCII is written anew."""
    record = replace(occurrence(), **changes)
    (line,) = wire.read_lines(wire.write_record(record))
    assert line.record == record
    assert bool(line.text) == is_kept
    if is_kept:
        assert from_plain(Occurrence, json.loads(line.text)) == record
