"""What the settings say of retention is what the wiring does; what goes wrong the doctor shows."""

from datetime import timedelta

import pytest

from prunella import wiring
from prunella.adapters.sql import intake as kept
from prunella.codec.wire import write_record
from prunella.model.clock import now
from prunella.model.settings import Settings
from prunella.pipeline.results import FindingLevel
from prunella.wiring.doctor import examine
from prunella.wiring.healer import Healer
from recorded import a_call, some_counts

MB = 2**20


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder to record into, with the environment's own settings out of the way."""
    for name in ("RETENTION_DAYS", "STORE_MB", "ROOT", "DISABLED"):
        monkeypatch.delenv(f"PRUNELLA_{name}", raising=False)
    (tmp_path / ".prunella" / "spool").mkdir(parents=True)
    return tmp_path


def spooled(project, records, name="1-1-x"):
    data = b"".join(write_record(record) for record in records)
    (project / ".prunella" / "spool" / f"{name}.jsonl").write_bytes(data)


def configure(project, text):
    (project / "pyproject.toml").write_text(f"[tool.prunella]\n{text}\n")


def calls(project):
    with Healer(root=project) as healer:
        return [call.call_id for call in healer.store.calls("shop.prices:average", limit=100)]


@pytest.mark.parametrize("by", ["program", "healer"])
def test_what_is_older_than_the_setting_is_forgotten(project, by):
    """`retention_days` bounds the age of what is kept, whoever drains."""
    configure(project, "retention_days = 7")
    old = a_call(1, call_id="call_old", started_at=now() - timedelta(days=8))
    new = a_call(2, call_id="call_new", started_at=now() - timedelta(days=6))
    spooled(project, [old, new])
    if by == "program":
        wiring.drain(project)
    else:
        with Healer(root=project) as healer:
            assert healer.refresh().records == 2
    assert calls(project) == ["call_new"]


def test_endless_load_stays_below_the_limit(project):
    """However much is recorded, the store's files stay below `store_mb`."""
    configure(project, "store_mb = 2")
    rows = ["l", *("x" * 50 for _ in range(1000))]
    folder = project / ".prunella"
    largest = 0
    for round_ in range(12):
        names = [f"call_{round_}_{number}" for number in range(20)]
        spooled(
            project,
            [
                a_call(1, call_id=name, started_at=now(), inputs=["d", "rows", rows])
                for name in names
            ],
            name=f"{round_}-1-x",
        )
        wiring.drain(project)
        largest = max(largest, sum(file.stat().st_size for file in folder.glob("prunella.db*")))
    assert largest < 2 * MB
    newest = calls(project)
    assert newest
    assert newest[0] == "call_11_19"


def test_unusable_settings_stop_no_drain(project):
    """A bad line in pyproject.toml is the commands' to report; records are taken in all the same."""
    configure(project, "retention_days = 'for ever'")
    spooled(project, [a_call(1, started_at=now())])
    wiring.drain(project)
    (project / "pyproject.toml").unlink()
    assert calls(project) == ["call_1"]


def test_limits_of_nothing_keep_a_day_and_a_megabyte():
    """A limit of 0 doesn't mean that a failure is forgotten before it can be looked at."""
    least = wiring.retention(Settings(retention_days=0, store_mb=0))
    assert (least.max_age, least.max_bytes) == (timedelta(days=1), MB)
    assert wiring.retention(Settings(retention_days=10**9)).max_age > timedelta(days=10**8)


def test_the_doctor_shows_what_was_not_taken_in(project, monkeypatch):
    """Files left alone and records that were too large to keep are findings, each with its reason."""
    monkeypatch.setattr(kept, "MAX_BODY_BYTES", 2_000)
    spooled(project, [a_call(1, inputs=["d", "text", "x" * 5_000], started_at=now())])
    elsewhere = project / "elsewhere.jsonl"
    elsewhere.write_bytes(b"")
    (project / ".prunella" / "spool" / "2-2-x.jsonl").symlink_to(elsewhere)
    with Healer(root=project, sandbox="none") as healer:
        findings = list(examine(healer))
    told = [f"{finding.area}: {finding.statement}" for finding in findings]
    assert any("2-2-x.jsonl was left alone: a symbolic link" in line for line in told), told
    assert any(line.startswith("store: 1 records were not kept") for line in told), told


def test_the_doctor_warns_of_golden_calls_that_leave_no_room(project):
    """Golden calls that take most of `store_mb` are a finding; no limit removes them."""
    configure(project, "store_mb = 1")
    spooled(project, [a_call(1, inputs=["d", "text", "x" * 580_000], started_at=now())])
    with Healer(root=project, sandbox="none") as healer:
        healer.refresh()
        assert not [item for item in examine(healer) if "golden" in item.statement]
        healer.mark_golden(["call_1"])
        (finding,) = [item for item in examine(healer) if "golden" in item.statement]
        assert finding.level is FindingLevel.WARNING
        assert "ungolden" in finding.advice
        healer.refresh()
        assert [kept.call.call_id for kept in healer.calls()] == ["call_1"]


@pytest.mark.parametrize(
    ("counter", "advice"),
    [
        ("dropped_errors", "dropped within the bounds"),
        ("spool_errors_ENOSPC", "make room on the disk"),
        ("spool_full", "make room on the disk"),
        ("drain_failed_StoreError", "who locks the store"),
        ("internal_calls_TypeError", "report it"),
    ],
)
def test_the_doctor_shows_every_counter(project, counter, advice):
    """What was dropped or went wrong in a program is a finding that says whose it is to mend."""
    spooled(project, [some_counts(1, sdk={counter: 1204, "dropped_nothing": 0})])
    with Healer(root=project, sandbox="none") as healer:
        findings = [item for item in examine(healer) if item.area == "capture"]
    (finding,) = findings
    assert finding.statement.startswith(f"{counter} = 1,204")
    assert advice in finding.advice
