"""Approval links: they approve one fix, once, for a while, and nothing else."""

import threading
from datetime import timedelta

import pytest

from prunella.adapters.feed import FileFeed
from prunella.model import clock
from prunella.model.errors import ConfigurationError, StepRefused, TokenRefused
from prunella.model.rollouts import RolloutState
from prunella.model.settings import Settings
from prunella.rollout.approval import read
from prunella.wiring.approvals import Approvals
from prunella.wiring.fixes import Fixes

RETRY = {"fix_id": "fix-retry", "fix_type": "retry", "config": {"max_retries": 2}}


@pytest.fixture
def approvals(store, tmp_path):
    Fixes(store, FileFeed(tmp_path), settings=Settings()).add(RETRY)
    return Approvals(store, FileFeed(tmp_path), tmp_path, settings=Settings())


def test_a_link_approves_once(approvals, store):
    """The fix is approved in the name of whoever redeems, and the link is used up."""
    made = approvals.link("fix-retry")
    after = approvals.redeem(made.token, who="ada@chat")
    assert after.state is RolloutState.TESTING
    history = store.audit(subject=after.rollout_id)
    assert [item.action for item in history][-2:] == ["approval.link_made", "fix.approved"]
    assert history[-1].actor == "ada@chat"
    with pytest.raises(TokenRefused, match="was used"):
        approvals.redeem(made.token)


def test_only_approvers_redeem(approvals, store, tmp_path):
    """Where the project names approvers nobody else redeems, and the link stays good for them."""
    settings = Settings(approvers="ada, grace")
    guarded = Approvals(store, FileFeed(tmp_path), tmp_path, settings=settings)
    token = guarded.link("fix-retry").token
    with pytest.raises(StepRefused, match="mallory may not let fixes act"):
        guarded.redeem(token, who="mallory@chat")
    assert store.rollout("fix-retry").state is RolloutState.CANDIDATE
    assert guarded.redeem(token, who="ada@chat").state is RolloutState.TESTING


def test_of_many_who_redeem_one_approves(approvals):
    """However many redeem a link at the same moment, it approves once."""
    token, gate, results = approvals.link("fix-retry").token, threading.Barrier(6), []

    def redeem():
        gate.wait()
        try:
            approvals.redeem(token)
            results.append("approved")
        except TokenRefused:
            results.append("refused")

    threads = [threading.Thread(target=redeem) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["approved"] + ["refused"] * 5


def test_a_link_expires(approvals, monkeypatch):
    """After its time it approves nothing."""
    token = approvals.link("fix-retry", expires=timedelta(hours=1)).token
    later = clock.now() + timedelta(hours=1, seconds=1)
    monkeypatch.setattr("prunella.wiring.approvals.now", lambda: later)
    with pytest.raises(TokenRefused, match="expired at"):
        approvals.redeem(token)


def test_a_link_is_void_when_something_else_was_decided(approvals, store, tmp_path):
    """A fix that was rolled back, and its next version, aren't approved by an old link."""
    token = approvals.link("fix-retry").token
    fixes = Fixes(store, FileFeed(tmp_path), settings=Settings())
    fixes.roll_back("fix-retry")
    fixes.add(RETRY)
    with pytest.raises(TokenRefused, match="something else was decided"):
        approvals.redeem(token)
    assert store.rollout("fix-retry").state is RolloutState.CANDIDATE


def test_what_was_changed_is_refused(approvals, tmp_path):
    """A token with any character changed, cut, or of another project approves nothing."""
    token = approvals.link("fix-retry").token
    body, _, signature = token.partition(".")
    forged = [body, f"{body}.", f".{signature}", "", "é.é", "x" * 5_000, f"{token}A"]
    for place in range(0, len(token), 7):
        other = "A" if token[place] != "A" else "B"
        forged.append(token[:place] + other + token[place + 1 :])
    for one in forged:
        with pytest.raises(TokenRefused):
            approvals.redeem(one)
    with pytest.raises(TokenRefused):
        read(token, b"\0" * 32, at=clock.now())


def test_only_what_waits_has_links(approvals, store, tmp_path):
    """A fix that doesn't wait for approval, and a time that is no time, give no link."""
    Fixes(store, FileFeed(tmp_path), settings=Settings()).approve("fix-retry")
    with pytest.raises(StepRefused, match="doesn't wait"):
        approvals.link("fix-retry")
    with pytest.raises(ConfigurationError, match="30 days"):
        approvals.link("fix-retry", expires=timedelta(days=31))


def test_the_secret_is_its_owners(approvals, tmp_path, store):
    """It is made once, for its owner alone; one that others may read is refused."""
    token = approvals.link("fix-retry").token
    path = tmp_path / "secret"
    assert path.stat().st_mode & 0o777 == 0o600
    again = Approvals(store, FileFeed(tmp_path), tmp_path, settings=Settings())
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="by others"):
        again.redeem(token)
    path.chmod(0o600)
    content = path.read_text()
    path.write_text("short")
    with pytest.raises(ConfigurationError, match="no secret"):
        again.redeem(token)
    path.write_text(content)
    assert again.redeem(token).state is RolloutState.TESTING


def test_servers_share_the_secret_of_their_database(store, tmp_path):
    """A link that one server made is good at another with the same database, and makes no file."""
    settings, feed = Settings(database="postgresql://db/prunella"), FileFeed(tmp_path)
    Fixes(store, feed, settings=settings).add(RETRY)
    one, other = (Approvals(store, feed, tmp_path / each, settings=settings) for each in "ab")
    token = one.link("fix-retry").token
    assert other.show(token).fix_id == "fix-retry"
    assert other.redeem(token).state is RolloutState.TESTING
    assert not list(tmp_path.glob("*/secret"))


def test_of_many_who_ask_for_the_secret_first_all_get_the_same(store):
    """However many ask at the same moment, one secret is made; another name has another."""
    gate, found = threading.Barrier(6), []

    def ask():
        gate.wait()
        found.append(store.secret("approvals"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len({*found, store.secret("approvals")}) == 1
    assert len(found[0]) == 32
    assert store.secret("others") != found[0]
