"""The same commands on PostgreSQL, and those that bring its schema up to date."""

import io
import json

import pytest

from prunella import wiring
from prunella.adapters import postgres_store
from prunella.adapters.postgres_schema import drop, migrate
from prunella.cli.app import run
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session
from prunella.codec.wire import write_record
from prunella.model.errors import ConfigurationError
from recorded import a_call, a_process, a_site, an_occurrence
from stores import new_project, server_url

OPENS_IT = "s3cret"


@pytest.fixture
def name(tmp_path, monkeypatch):
    """A project's name in the database; its folder has a spool with a failure in it."""
    name = new_project()
    monkeypatch.setenv("PRUNELLA_DATABASE", with_password(server_url()))
    monkeypatch.setenv("PRUNELLA_PROJECT", name)
    monkeypatch.delenv("PRUNELLA_ROOT", raising=False)
    (tmp_path / ".prunella" / "spool").mkdir(parents=True)
    records = [a_process(), a_site(), a_call(1), an_occurrence(1)]
    data = b"".join(write_record(record) for record in records)
    (tmp_path / ".prunella" / "spool" / "1-1-x.jsonl").write_bytes(data)
    yield name
    drop(postgres_store.database_of(server_url(), name))


def with_password(url):
    """Put a password in, which this server doesn't ask for."""
    return url.replace("postgres:@", f"postgres:{OPENS_IT}@")


def ask(folder, line):
    """Run a command line; whatever it prints has no password."""
    out, err = io.StringIO(), io.StringIO()
    code = run([*line.split(), "--root", str(folder)], Session(stdout=out, stderr=err))
    assert OPENS_IT not in out.getvalue() + err.getvalue()
    return code, out.getvalue(), err.getvalue()


def test_the_way_from_nothing_to_an_incident(tmp_path, name):
    """A database without the project says what to run; after that the commands are what they were."""
    code, out, _ = ask(tmp_path, "database")
    assert code is ExitCode.NEGATIVE
    assert f"{name}  schema project_{name}, version 0: not there" in out
    code, _, err = ask(tmp_path, "incidents")
    assert code is ExitCode.UNABLE
    assert "prunella database migrate" in err
    code, out, _ = ask(tmp_path, "database migrate --dry-run")
    assert code is ExitCode.DONE
    assert "CREATE TABLE call" in out
    assert ask(tmp_path, "database status")[0] is ExitCode.NEGATIVE
    code, out, _ = ask(tmp_path, "database migrate")
    assert code is ExitCode.DONE
    assert f"project_{name}" in out
    reports = json.loads(ask(tmp_path, "database status --json")[1])
    assert {report["project"]: report["is_usable"] for report in reports}[name]
    (incident,) = json.loads(ask(tmp_path, "incidents --json")[1])["incidents"]
    assert incident["site_id"] == "shop.prices:average"
    assert "call_1" in ask(tmp_path, "calls")[1]
    assert not (tmp_path / ".prunella" / "prunella.db").exists()


def test_migrating_brings_every_project_along(tmp_path, name):
    """One command for all projects of a database: an upgrade forgets none."""
    other = new_project()
    database = postgres_store.database_of(server_url(), other)
    migrate(database)
    ask(tmp_path, "database migrate")
    reports = json.loads(ask(tmp_path, "database status --json")[1])
    assert {name, other} <= {report["project"] for report in reports}
    drop(database)


def test_the_doctor_shows_the_place_without_its_password(tmp_path, name):
    """Settings and store are shown, and what opens them isn't."""
    ask(tmp_path, "database migrate")
    code, out, _ = ask(tmp_path, "doctor --json")
    assert code is ExitCode.DONE
    found = json.loads(out)
    assert found["settings"]["database"]["value"].startswith("postgresql://postgres@")
    (store,) = [item["statement"] for item in found["findings"] if item["area"] == "store"]
    assert f"schema project_{name}" in store


def test_a_program_drains_into_the_database(tmp_path, name):
    """What a program recorded goes where the settings say, and stays in the spool until it can."""
    with pytest.raises(Exception, match="prunella database migrate"):
        wiring.drain(tmp_path)
    ask(tmp_path, "database migrate")
    wiring.drain(tmp_path)
    store = postgres_store.open_store(server_url(), name)
    assert len(store.calls("shop.prices:average", limit=9)) == 1


def test_settings_that_cannot_be_read_do_not_send_records_elsewhere(tmp_path, name):
    """With a database configured, a program never falls back on a file that nobody looks into."""
    (tmp_path / "pyproject.toml").write_text("[tool.prunella]\nnonsense = 1\n")
    with pytest.raises(ConfigurationError):
        wiring.drain(tmp_path)
    assert not (tmp_path / ".prunella" / "prunella.db").exists()


@pytest.mark.parametrize("url", ["mysql://ana:s3cret@db/x", "host=db password=s3cret", "s3cret"])
def test_an_address_of_no_known_kind_is_refused(tmp_path, monkeypatch, url):
    """The message says what to give, and nothing of a password."""
    monkeypatch.setenv("PRUNELLA_DATABASE", url)
    code, _, err = ask(tmp_path, "incidents")
    assert code is ExitCode.USAGE
    assert "postgresql://USER@HOST/NAME" in err


def test_the_embedded_store_needs_no_migration(tmp_path, monkeypatch):
    """Without a database the command says that there is nothing to do."""
    monkeypatch.delenv("PRUNELLA_DATABASE", raising=False)
    code, _, err = ask(tmp_path, "database migrate")
    assert code is ExitCode.USAGE
    assert "embedded store brings itself up to date" in err
