"""Jobs in the store: one worker each, taken again after a dead one, and ended when somebody wants."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import AT
from prunella.model.errors import UnknownName
from prunella.model.ids import JobId
from prunella.model.jobs import Job, JobKind, JobState

LEASE = timedelta(seconds=120)


def job(number=1, **changes):
    values = {
        "job_id": JobId(f"job_{number}"),
        "kind": JobKind.HEAL,
        "subject": "inc_1",
        "actor": "ana",
        "state": JobState.WAITING,
        "made_at": AT,
    }
    return Job(**(values | changes))


def take(store, at=AT, worker="w", most=5):
    return store.take_job(worker=worker, at=at, lease=LEASE, most=most)


def test_the_same_is_asked_for_once_at_a_time(store):
    """While a job waits or runs, asking for the same answers that one; afterwards it is a new one."""
    first = store.add_job(job(1))
    assert store.add_job(job(2)) == first
    taken = take(store)
    assert store.add_job(job(3)).job_id == "job_1"
    store.keep_job(replace(taken, state=JobState.DONE, ended_at=AT))
    assert store.add_job(job(4)).job_id == "job_4"
    assert store.add_job(job(5, kind=JobKind.DIAGNOSE)).job_id == "job_5"
    assert [item.job_id for item in store.jobs()] == ["job_5", "job_4", "job_1"]


def test_each_job_goes_to_one_worker_the_oldest_first(store):
    """A job that was taken isn't given away while its lease lasts."""
    store.add_job(job(1))
    store.add_job(job(2, subject="inc_2"))
    assert take(store, worker="a").job_id == "job_1"
    assert take(store, worker="b").job_id == "job_2"
    assert take(store, worker="c") is None
    assert take(store, at=AT + LEASE, worker="c") is None


def test_a_dead_workers_job_is_taken_again_and_the_dead_one_keeps_nothing(store):
    """When the lease is over another worker gets the job; what the first keeps is refused."""
    store.add_job(job())
    first = take(store, worker="a")
    second = take(store, at=AT + 2 * LEASE, worker="b")
    assert (second.worker, second.attempt, second.started_at) == ("b", 2, AT)
    assert store.keep_job(replace(first, state=JobState.DONE, result="late")) is None
    assert store.keep_job(replace(second, progress="diagnosing")).progress == "diagnosing"


def test_a_job_that_outlives_too_many_workers_fails(store):
    """A job that kills its workers isn't tried for ever, and says where the last one was."""
    store.add_job(job())
    for attempt in range(3):
        taken = take(store, at=AT + attempt * 2 * LEASE, worker=f"w{attempt}", most=3)
        store.keep_job(replace(taken, progress="replaying"))
    assert take(store, at=AT + 9 * LEASE, most=3) is None
    failed = store.job("job_1")
    assert failed.state is JobState.FAILED
    assert "3 workers" in failed.result
    assert "w2, at: replaying" in failed.result


def test_cancelling_ends_what_waits_and_asks_the_worker_of_what_runs(store):
    """A waiting job ends at once; a running one's worker hears of it with the next thing it keeps."""
    store.add_job(job(1))
    assert store.cancel_job("job_1", at=AT).state is JobState.CANCELLED
    store.add_job(job(2))
    taken = take(store)
    asked = store.cancel_job("job_2", at=AT)
    assert (asked.state, asked.is_cancelled) == (JobState.RUNNING, True)
    assert store.keep_job(replace(taken, progress="on")).is_cancelled
    assert take(store, at=AT + 2 * LEASE) is None  # its worker died: nobody wants it
    assert store.job("job_2").state is JobState.CANCELLED
    assert store.cancel_job("job_2", at=AT).state is JobState.CANCELLED


def test_what_was_laid_down_is_taken_by_the_next(store):
    """A worker that ends gives its job back, and it keeps its place in the row."""
    store.add_job(job(1))
    taken = take(store, worker="a")
    store.keep_job(replace(taken, state=JobState.WAITING, lease_until=None))
    store.add_job(job(2, subject="inc_2"))
    assert (take(store, worker="b").job_id, store.job("job_1").attempt) == ("job_1", 2)


def test_jobs_are_found_by_what_they_are_about(store):
    """Filters narrow the list; an unknown id is said to be unknown."""
    store.add_job(job(1))
    store.add_job(job(2, subject="shop:f", kind=JobKind.REPLAY))
    assert [item.job_id for item in store.jobs(subject="inc_1")] == ["job_1"]
    assert [item.job_id for item in store.jobs(kinds=[JobKind.REPLAY])] == ["job_2"]
    assert store.jobs(states=[JobState.DONE]) == []
    assert len(store.jobs(limit=1)) == 1
    with pytest.raises(UnknownName, match="job_9"):
        store.job("job_9")
    with pytest.raises(UnknownName):
        store.cancel_job("job_9", at=AT)


def test_old_jobs_are_forgotten_and_those_under_way_stay(store):
    """Pruning removes ended jobs with the records of their time, never one that waits or runs."""
    store.add_job(job(1))
    store.cancel_job("job_1", at=AT)
    store.add_job(job(2))
    store.prune(max_age=timedelta(days=1), max_bytes=2**30)
    assert [item.job_id for item in store.jobs()] == ["job_2"]
