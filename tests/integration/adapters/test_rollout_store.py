import threading
from datetime import UTC, datetime

import pytest

from prunella.model.audit import AuditEntry
from prunella.model.errors import AmbiguousName, UnknownName
from prunella.model.rollouts import RolloutState
from prunella.rollout import By, approve, pause, propose, roll_back
from stores import again

BY = By(actor="ada@host", at=datetime(2026, 11, 22, 12, tzinfo=UTC), reason="because")


def document(fix_id="fix-1"):
    return {
        "fix_id": fix_id,
        "fix_type": "retry",
        "config": {"retry_on": ["NET.*"], "jitter": True},
    }


def add(store, fix_id="fix-1", **options):
    rollout, because = propose(document(fix_id), BY, **options)
    assert store.add_rollout(rollout, because)
    return rollout


def test_a_rollout_comes_back_as_it_was_kept(store):
    """What is kept of a rollout is read as the equal value, its document included."""
    rollout = add(store)
    assert store.rollout("fix-1") == rollout
    assert store.rollout(rollout.rollout_id) == rollout
    assert store.rollouts() == [rollout]


def test_a_version_of_a_fix_is_kept_once(store):
    """A second rollout of the same version of a fix is refused, and its reason isn't kept."""
    first = add(store)
    other, because = propose(document(), BY)
    assert not store.add_rollout(other, because)
    assert store.rollout("fix-1") == first
    assert store.audit(subject=other.rollout_id) == []


def test_the_latest_version_speaks_for_a_fix(store):
    """A fix's id stands for its highest version."""
    add(store)
    second = add(store, version=2)
    assert store.rollout("fix-1") == second


def test_a_step_is_taken_once(store):
    """Of steps from the same place only one is kept, with its reason."""
    rollout = add(store)
    first, because = approve(rollout, BY)
    second, instead = roll_back(rollout, BY)
    assert store.step_rollout(first, because)
    assert not store.step_rollout(second, instead)
    assert store.rollout("fix-1") == first
    history = store.audit(subject=rollout.rollout_id)
    assert [entry.action for entry in history] == ["fix.proposed", "fix.approved"]


def test_many_at_once_take_one_step(store):
    """However many processes try the same step at the same time, one of them takes it."""
    rollout = add(store)
    stores = [again(store) for _ in range(8)]
    taken = []

    def try_it(mine, read):
        after, because = approve(read, BY)
        taken.append(mine.step_rollout(after, because))

    threads = [
        threading.Thread(target=try_it, args=(mine, mine.rollout(rollout.rollout_id)))
        for mine in stores
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 7 + [True]
    assert store.rollout("fix-1").sequence == 1
    for each in stores:
        each.close()


def test_rollouts_are_found_by_state(store):
    """A query by state answers those in that state, the one that changed last first."""
    add(store, "fix-a")
    tested = add(store, "fix-b")
    after, because = approve(tested, BY)
    store.step_rollout(after, because)
    assert [item.fix_id for item in store.rollouts(states=[RolloutState.TESTING])] == ["fix-b"]
    assert store.rollouts(states=[RolloutState.RETIRED]) == []


def test_a_beginning_names_a_fix_if_only_one_has_it(store):
    """A beginning that several fixes share is refused with the choices; an unknown one too."""
    add(store, "fix-alpha")
    add(store, "fix-beta")
    assert store.rollout("fix-a").fix_id == "fix-alpha"
    with pytest.raises(AmbiguousName) as ambiguous:
        store.rollout("fix-")
    assert ambiguous.value.choices == ("fix-alpha", "fix-beta")
    with pytest.raises(UnknownName):
        store.rollout("nothing")
    with pytest.raises(UnknownName):
        store.rollout("")


def test_a_decision_is_kept_once(store):
    """An entry that is kept already stays as it is."""
    entry = AuditEntry(
        audit_id="aud_1", at=BY.at, actor="healer", action="a.b", subject="inc_1", reason="first"
    )
    store.save_audit(entry)
    store.save_audit(
        AuditEntry(**{**{k: getattr(entry, k) for k in entry.__slots__}, "reason": "x"})
    )
    assert store.audit() == [entry]


def test_the_log_answers_the_latest_in_order(store):
    """With a limit, the latest decisions come, oldest first."""
    rollout = add(store)
    for step in (approve, pause):
        rollout, because = step(rollout, BY)
        store.step_rollout(rollout, because)
    actions = [entry.action for entry in store.audit(limit=2)]
    assert actions == ["fix.approved", "rollout.paused"]
