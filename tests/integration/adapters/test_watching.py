"""Whoever looks on is told that something changed, and sees how counts came to be what they are."""

from dataclasses import replace
from datetime import timedelta

from prunella.model.incidents import IncidentStatus
from prunella.model.jobs import Job, JobKind, JobState
from prunella.model.rollouts import RolloutPoint
from prunella.ports import Triaged
from recorded import START, a_process, an_occurrence

POINT = RolloutPoint(
    rollout_id="rol_1",
    at=START,
    control_units=20,
    control_failures=9,
    treatment_units=5,
    treatment_failures=1,
    log_benefit=1.5,
    log_harm=-0.5,
)
TRIAGED = Triaged(
    fingerprint="f1", scheme="1", error_code="CODE.KEY.MISSING", location=None, ignored_by=None
)
JOB = Job(
    job_id="job_1",
    kind=JobKind.HEAL,
    subject="inc_1",
    actor="ana",
    state=JobState.WAITING,
    made_at=START,
)


def test_what_people_look_at_changes_the_mark(store):
    """An incident, its status, a job and its progress each give another mark; looking gives none."""
    marks = [store.changes()]
    assert store.changes() == marks[0]
    incident = store.assign(an_occurrence(1), TRIAGED)
    marks.append(store.changes())
    store.set_status(incident.incident_id, IncidentStatus.CURED)
    marks.append(store.changes())
    store.add_job(JOB)
    marks.append(store.changes())
    taken = store.take_job(worker="w", at=START, lease=timedelta(minutes=1), most=3)
    store.keep_job(replace(taken, progress="replaying"))
    marks.append(store.changes())
    store.incident(incident.incident_id)
    assert len(set(marks)) == len(marks)
    assert store.changes() == marks[-1]


def test_points_come_back_in_the_order_of_their_counts(store):
    """The latest points are given, oldest first; as many units are one point."""
    later = replace(POINT, at=START + timedelta(minutes=5), control_units=40)
    other = replace(POINT, rollout_id="rol_2")
    for point in (later, POINT, replace(POINT, control_failures=0), other):
        store.keep_point(point)
    assert store.points("rol_1", limit=10) == [POINT, later]
    assert store.points("rol_1", limit=1) == [later]
    assert store.points("rol_none", limit=1) == []


def test_a_release_starts_with_its_first_process(store):
    """Of each release the first start is told, where that is recent enough."""
    hour = timedelta(hours=1)
    for number, release in enumerate(["1.0", "1.1", "1.1", None]):
        process = a_process(
            process_id=f"proc_{number}", release=release, started_at=START + number * hour
        )
        store.ingest([process], spool_name=f"s{number}", end_offset=1)
    assert store.release_starts(since=START) == {"1.0": START, "1.1": START + hour}
    assert store.release_starts(since=START + hour) == {"1.1": START + hour}
