"""Kill switches that are kept in the store, for programs that report to a server."""

import json

import pytest

from prunella.wiring.healer import Healer


@pytest.fixture
def programs(tmp_path):
    with Healer(root=tmp_path) as healer:
        yield healer.programs


def off(programs):
    return json.loads(programs.feed())["off"]


def test_switches_are_told_until_they_are_taken_back(programs):
    """Each switch is in the feed as long as it is off, whichever others are."""
    assert programs.switch("fix-a", off=True, actor="ana", reason="it hurts")
    assert programs.switch(None, off=True)
    assert programs.switch(None, off=True, recording=True)
    assert not programs.switch("fix-a", off=True)
    assert off(programs) == {"all": True, "fixes": ["fix-a"], "sdk": True}
    assert programs.switch(None, off=False)
    assert programs.switch(None, off=False, recording=True)
    assert off(programs) == {"all": False, "fixes": ["fix-a"], "sdk": False}
    assert not programs.switch("fix-b", off=False)


def test_who_switched_is_in_the_audit_log(programs, tmp_path):
    """A switch is a decision like others: kept with who made it and why."""
    programs.switch("fix-a", off=True, actor="ana", reason="it hurts")
    with Healer(root=tmp_path) as healer:
        (entry,) = healer.store.audit(subject="switches")
    assert (entry.actor, entry.action, entry.reason) == ("ana", "switch.off", "it hurts")


def test_files_of_the_server_s_folder_are_told_too(programs, tmp_path):
    """What is switched off by hand where the server runs is off in programs elsewhere."""
    programs.feed()
    (tmp_path / ".prunella" / "fixes-off-fix-b").write_text("x")
    (tmp_path / ".prunella" / "disabled").write_text("x")
    assert off(programs) == {"all": False, "fixes": ["fix-b"], "sdk": True}
