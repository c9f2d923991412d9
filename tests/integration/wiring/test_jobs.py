"""Workers do what people ask for: visible while it goes on, cancellable, and never lost."""

import threading
from datetime import timedelta

import pytest

from builders import process, site
from prunella.model.clock import now
from prunella.model.errors import CoolingDown, NothingToHeal, UnknownName
from prunella.model.jobs import JobKind, JobState
from prunella.wiring.healer import Healer
from prunella.wiring.jobs import JobRunner, Jobs
from recorded import a_call

SITE = "shop.prices:average"
_PATIENCE_S = 20


@pytest.fixture
def healer(tmp_path):
    (tmp_path / "pyproject.toml").write_text("")
    with Healer(root=tmp_path) as healer:
        healer.make_store()
        healer.store.ingest([process(), site(), a_call()], spool_name="s", end_offset=1)
        yield healer


@pytest.fixture
def jobs(healer):
    return Jobs(healer)


def runner(healer, work, **changes):
    return JobRunner(lambda: [healer], worker="a worker", work=work, **changes)


def ask(jobs, kind=JobKind.REPLAY):
    return jobs.ask(kind, "average", actor="ana")


def wait_for(condition):
    for _ in range(_PATIENCE_S * 50):
        if condition():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it didn't come so")


def test_what_is_asked_for_names_what_is_there(jobs):
    """A job's subject is found by name, and an unknown one is refused at once."""
    assert ask(jobs).subject == SITE
    with pytest.raises(UnknownName):
        jobs.ask(JobKind.HEAL, "inc_none", actor="ana")


def test_a_job_ends_with_what_came_of_it(healer, jobs):
    """What the work answers is the job's result, and nothing of it is under way any more."""
    asked = ask(jobs)
    assert runner(healer, lambda _healer, _job: ("all went well", {"rows": 3})).once() == 1
    job = jobs.get(asked.job_id)
    assert (job.state, job.result, job.details) == (JobState.DONE, "all went well", {"rows": 3})
    assert (job.worker, job.actor, job.progress) == ("a worker", "ana", "")
    assert job.made_at <= job.started_at <= job.ended_at


def test_a_failure_says_why(healer, jobs):
    """What Prunella raises on purpose is the job's result in its own words."""

    def refuse(_healer, _job):
        raise CoolingDown("it was attempted at noon", claim=None)

    asked = ask(jobs)
    runner(healer, refuse).once()
    job = jobs.get(asked.job_id)
    assert (job.state, job.result) == (JobState.FAILED, "it was attempted at noon")
    assert job.details == {"error": "CoolingDown"}


def test_a_fault_of_prunella_is_kept_as_its_incident(healer, jobs):
    """An error that nobody meant fails the job and stands as an incident of the healer's own."""
    asked = ask(jobs)
    runner(healer, lambda _healer, _job: 1 // 0).once()
    job = jobs.get(asked.job_id)
    assert job.state is JobState.FAILED
    assert "fault in Prunella" in job.result
    assert [item.site_id for item in healer.incidents()] == ["prunella:healer"]


def test_progress_is_seen_while_the_work_goes_on(healer, jobs):
    """What the healer tells stands in the job while it runs."""
    seen = []

    def work(sibling, job):
        sibling.parts.progress("replaying 3 recorded calls")
        seen.append(jobs.get(job.job_id))
        return "done", {}

    asked = ask(jobs)
    runner(healer, work).once()
    assert [(item.state, item.progress) for item in seen] == [
        (JobState.RUNNING, "replaying 3 recorded calls")
    ]
    assert jobs.get(asked.job_id).state is JobState.DONE


def test_a_cancelled_job_ends_at_its_next_step(healer, jobs):
    """Work in progress is left at the next thing it tells, whatever its code catches."""
    cancelled, steps = threading.Event(), []

    def work(sibling, job):
        sibling.parts.progress("first step")
        jobs.cancel(job.job_id)
        for _ in range(_PATIENCE_S * 50):
            try:
                sibling.parts.progress("next step")
            except Exception:  # noqa: BLE001 - a stage that goes on without what failed
                steps.append("caught")
            threading.Event().wait(0.02)
        cancelled.set()
        return "done", {}

    asked = ask(jobs)
    runner(healer, work).once()
    job = jobs.get(asked.job_id)
    assert (job.state, steps, cancelled.is_set()) == (JobState.CANCELLED, [], False)
    assert "cancelled at:" in job.result


def test_a_worker_that_ends_lays_its_job_down_for_another(healer, jobs):
    """Stopping a worker loses nothing: the job waits again and the next worker does it."""
    at_work, seen = threading.Event(), []

    def work(sibling, _job):
        at_work.set()
        while True:
            sibling.parts.progress("a step")
            threading.Event().wait(0.01)

    asked = ask(jobs)
    first = runner(healer, work)
    first.start()
    assert at_work.wait(_PATIENCE_S)
    first.stop()
    assert jobs.get(asked.job_id).state is JobState.WAITING
    runner(healer, lambda _healer, job: (seen.append(job.attempt), ("done", {}))[1]).once()
    assert (jobs.get(asked.job_id).state, seen) == (JobState.DONE, [2])


def test_a_beat_keeps_the_lease_of_work_that_tells_nothing(healer, jobs):
    """A step that takes longer than the lease isn't taken away from a worker that lives."""
    lease = timedelta(seconds=2)

    def work(_healer, job):
        began = jobs.get(job.job_id).lease_until
        wait_for(lambda: jobs.get(job.job_id).lease_until > began + lease)
        taken = healer.store.take_job(worker="other", at=now(), lease=lease, most=5)
        return f"taken by another: {taken is not None}", {}

    asked = ask(jobs)
    runner(healer, work, lease=lease).once()
    assert jobs.get(asked.job_id).result == "taken by another: False"


def test_a_runner_takes_what_is_asked_for_later(healer, jobs):
    """A worker looks again and again, and does several jobs at once."""
    both = threading.Barrier(2)

    def work(_healer, _job):
        both.wait(_PATIENCE_S)
        return "done", {}

    worker = runner(healer, work)
    worker.start()
    try:
        healer.store.ingest(
            [site(site_id="shop.prices:total", qualname="total")], spool_name="t", end_offset=1
        )
        asked = [ask(jobs), jobs.ask(JobKind.REPLAY, "total", actor="ana")]
        wait_for(lambda: all(jobs.get(item.job_id).state.is_over for item in asked))
    finally:
        worker.stop()
    assert {jobs.get(item.job_id).result for item in asked} == {"done"}


def test_the_kinds_do_what_they_say(healer, jobs, monkeypatch):
    """Each kind of job asks the healer for its work; what another worker left is taken up by force."""
    from prunella.wiring import job_kinds

    forced = []

    def heal(_incident, *, create_pr, force):
        forced.append((create_pr, force))
        raise NothingToHeal("nothing")

    monkeypatch.setattr(Healer, "heal", lambda _self, item, **given: heal(item, **given))
    healer.note_fault("test", ValueError("broken"))
    (incident,) = healer.incidents()
    for kind in (JobKind.HEAL, JobKind.PUBLISH):
        jobs.ask(kind, incident.incident_id, actor="ana")
    jobs.ask(JobKind.SUGGEST, incident.incident_id, actor="ana")
    assert runner(healer, job_kinds.do).once() == 3
    assert forced == [(False, False), (True, False)]
    suggested = jobs.list(kinds=[JobKind.SUGGEST])[0]
    assert suggested.state is JobState.DONE
    assert "needs a patch" in suggested.result
