"""``prunella doctor`` in the folder of a program that reports to a server."""

import pytest

from doubles.hostile_server import answer, serving
from doubles.report_server import free_port
from prunella.codec.wire import write_record
from prunella.pipeline.results import FindingLevel
from prunella.sdk.reporting_state import read_state, state_for, write_state
from prunella.wiring.doctor import examine
from prunella.wiring.healer import Healer
from recorded import an_occurrence


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / ".prunella" / "spool"
    folder.mkdir(parents=True)
    (folder / "1-7-aabbcc.jsonl").write_bytes(write_record(an_occurrence(1)))
    return tmp_path


def said(root, **settings):
    with Healer(root=root, **settings) as healer:
        return [each for each in examine(healer) if each.area != "configuration"]


def test_a_server_that_takes_the_key_is_well(root):
    """Where all is well the doctor says so, touches no record, and prints no key."""
    with serving(lambda *_: answer(200, b'{"installations": []}')) as server:
        found = said(root, dsn=server.dsn)
    assert [each.level for each in found] == [FindingLevel.OK, FindingLevel.OK]
    assert "takes the key" in found[0].statement
    assert "secret-key" not in str(found)
    assert len(list((root / ".prunella" / "spool").iterdir())) == 1
    assert not (root / ".prunella" / "prunella.db").exists()


@pytest.mark.parametrize(
    ("status", "words"), [(401, "refuses the key"), (404, "status 404"), (302, "status 302")]
)
def test_a_server_that_refuses_is_a_problem(root, status, words):
    """What the server doesn't take is a problem, with what to do."""
    with serving(lambda *_: answer(status)) as server:
        first, *_ = said(root, dsn=server.dsn)
    assert first.level is FindingLevel.PROBLEM
    assert words in first.statement
    assert first.advice


def test_what_programs_met_is_told(root):
    """How much waits, since when and why, and when it is tried again."""
    folder = root / ".prunella"
    state = state_for(folder, "http://127.0.0.1:1/shop")
    state.failed("the server can't be reached", at_us=1_700_000_000_000_000, retry_at_us=10**15)
    state.dropped = 7
    write_state(folder, state)
    found = said(root, dsn=f"http://k@127.0.0.1:{free_port()}/shop")
    assert [each.level.value for each in found] == ["problem", "warning", "warning"]
    assert "2023-11-14 22:13:20 UTC: the server can't be reached" in found[1].statement
    assert "7 records" in found[2].statement


@pytest.mark.parametrize("dsn", ["nonsense", "http://k@example.com/shop", "https://example.com/a"])
def test_a_dsn_that_can_not_be_used_is_a_problem(root, dsn):
    """A DSN without key, encryption or sense is told of, and nothing is asked."""
    (found,) = said(root, dsn=dsn)
    assert found.level is FindingLevel.PROBLEM


def test_a_folder_whose_programs_report_is_not_drained(root):
    """Records that belong to a server aren't taken into the store of whoever looks."""
    folder = root / ".prunella"
    write_state(folder, state_for(folder, "https://host/shop"))
    with Healer(root=root) as healer:
        healer.make_store()
        assert healer.refresh().records == 0
    first, *_ = said(root)
    assert "PRUNELLA_DSN isn't set" in first.statement
    assert read_state(folder) is not None
