"""``prunella incidents show`` on a real store."""

import io
import json
from datetime import timedelta

from builders import AT, occurrence, process
from prunella.adapters.sqlite_store import open_store
from prunella.cli.app import run
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session
from prunella.model.clock import now
from prunella.model.ids import OccurrenceId, ProcessId
from prunella.model.incidents import IncidentStatus
from prunella.ports import Triaged

TRIAGED = Triaged(fingerprint="f", scheme="1", error_code="", location=None, ignored_by=None)


def show(project, incident_id, *arguments):
    out, err = io.StringIO(), io.StringIO()
    given = ["incidents", "show", incident_id, "--root", str(project), *arguments]
    code = run(given, Session(stdout=out, stderr=err))
    assert code is ExitCode.DONE, err.getvalue()
    return out.getvalue()


def fail(store, number, at, release):
    process_id = ProcessId(f"proc_{number}")
    failure = occurrence(
        occurrence_id=OccurrenceId(f"occ_{number}"), process_id=process_id, started_at=at
    )
    began = process(process_id=process_id, started_at=at, release=release)
    store.ingest([began, failure], spool_name=f"s{number}", end_offset=1)
    return store.assign(failure, TRIAGED)


def test_a_regressed_incident_names_the_release_that_fails_again(tmp_path):
    """It is that of the latest failure; as long as the incident is open there is none to blame."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / ".prunella").mkdir()
    store = open_store(tmp_path / ".prunella" / "prunella.db", create=True)
    name = fail(store, 0, AT, "1.0").incident_id
    assert json.loads(show(tmp_path, name, "--json"))["regressed_release"] is None
    store.set_status(name, IncidentStatus.CURED)
    again = fail(store, 1, now() + timedelta(minutes=1), "2.0-\x1b[1m")
    assert again.status is IncidentStatus.REGRESSED
    store.close()
    assert json.loads(show(tmp_path, name, "--json"))["regressed_release"] == "2.0-\x1b[1m"
    assert "after it was cured, in release 2.0-\\x1b[1m" in show(tmp_path, name)
