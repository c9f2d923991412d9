"""``prunella metrics`` on a real store."""

import io
import json
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from builders import AT, occurrence
from prunella.adapters.feed import FileFeed
from prunella.adapters.sqlite_store import open_store
from prunella.cli.app import run
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session
from prunella.model.clock import now
from prunella.model.ids import OccurrenceId
from prunella.model.incidents import IncidentStatus
from prunella.model.records import Exposures
from prunella.pipeline.metrics import measure
from prunella.pipeline.rollouts import add, take
from prunella.ports import Triaged
from prunella.rollout import By, approve, promote, roll_back


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / ".prunella").mkdir()
    return tmp_path


def ask(project, *arguments):
    out, err = io.StringIO(), io.StringIO()
    given = ["metrics", "--root", str(project), *arguments]
    code = run(given, Session(stdout=out, stderr=err))
    assert code is ExitCode.DONE, err.getvalue()
    return out.getvalue()


def fill(project):
    """Keep three incidents, of which one is cured and one mitigated, and three rollouts."""
    store, feed = open_store(project / ".prunella" / "prunella.db", create=True), FileFeed(project)
    names = []
    for number in range(3):
        failure = occurrence(occurrence_id=OccurrenceId(f"occ_{number}"), group=f"g{number}")
        store.ingest([failure], spool_name=f"s{number}", end_offset=1)
        triaged = Triaged(
            fingerprint=f"f{number}", scheme="1", error_code="", location=None, ignored_by=None
        )
        names.append(store.assign(failure, triaged).incident_id)
    store.set_status(names[1], IncidentStatus.CURED)
    by = By(actor="tester", at=AT + timedelta(hours=2))
    for number, name in enumerate((names[0], None, None)):
        document = {"fix_id": f"fix-{number}", "fix_type": "retry", "config": {"max_retries": 2}}
        add(store, feed, document, by, incident_id=name)
    take(store, feed, "fix-1", approve, by)
    take(store, feed, "fix-1", roll_back, by)
    good = take(store, feed, "fix-0", promote, by)
    tallies = [
        {"rollout_id": good.rollout_id, "epoch": good.epoch, "ratio": good.ratio}
        | {"arm": arm, "counts": {"n": n, "failures": failures}}
        for arm, n, failures in (("treatment", 950, 19), ("control", 50, 40))
    ]
    effects = {good.rollout_id: {"acted": 40, "healed": 30, "added_ms": 2000}}
    record = Exposures(process_id="proc_1", sequence=1, tallies=tuple(tallies), effects=effects)
    store.ingest([record], spool_name="e", end_offset=1)
    store.close()


def test_nothing_is_known_of_a_new_project(project):
    """What nobody knows is null, not 0, and a dash for people."""
    open_store(project / ".prunella" / "prunella.db", create=True).close()
    found = json.loads(ask(project, "--json"))
    unknown = ("fix_rate", "success_rate", "to_mitigated_s", "to_cured_s", "effects")
    assert [found[name] for name in unknown] == [None] * 5
    assert found["reductions"] == []
    assert "–" in ask(project)


def test_metrics_are_their_formulas_over_what_is_kept(project):
    """Rates over incidents and rollouts that count, effects as the programs told them."""
    fill(project)
    found = json.loads(ask(project, "--json"))
    assert (found["incidents"], found["healed"], found["fix_rate"]) == (3, 2, 2 / 3)
    # The candidate that never acted is no end.
    assert (found["ended"], found["graduated"], found["success_rate"]) == (2, 1, 0.5)
    assert found["to_mitigated_s"] == pytest.approx(7200, abs=1)
    assert found["to_cured_s"] is not None
    [reduction] = found["reductions"]
    assert reduction["estimate"] == pytest.approx(0.975)
    assert reduction["low"] < 0.975 < reduction["high"]
    assert found["effects"]["errors_masked"] == 30
    assert found["effects"]["retries"] == 40
    assert found["errors_solved"] == 1
    shown = ask(project)
    assert "67% (2 of 3 incidents)" in shown
    assert "fix-0" in shown


def test_a_period_leaves_out_what_was_before(project):
    """Incidents that failed and rollouts that ended before it don't count; live fixes still do."""
    fill(project)
    since = AT + timedelta(days=1)
    with closing(open_store(project / ".prunella" / "prunella.db", create=False)) as store:
        found = measure(store, since=since, at=since)
        assert (found.incidents, found.ended) == (0, 0)
        assert found.fix_rate is None
        assert len(found.reductions) == 1
        assert measure(store, since=AT, at=since).incidents == 3


def test_a_period_is_given_in_days(project):
    """It ends now; what isn't a number of days above 0 is bad usage."""
    fill(project)
    found = json.loads(ask(project, "--since", "0.5", "--json"))
    assert datetime.fromisoformat(found["since"]) < now() - timedelta(hours=12)
    bad = Session(stdout=io.StringIO(), stderr=io.StringIO())
    assert run(["metrics", "--since", "0"], bad) is ExitCode.USAGE
