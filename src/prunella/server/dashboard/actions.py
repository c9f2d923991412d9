"""What people do on the pages: each a form that says afterwards what was done, or why not."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from prunella.fixes import parse
from prunella.model.errors import ConfigurationError, PrunellaError, UnknownName
from prunella.model.incidents import Incident
from prunella.model.jobs import Job, JobKind
from prunella.model.rollouts import LIVE, Rollout, RolloutState
from prunella.model.wording import failed_function, one_line, plural
from prunella.server.dashboard.visits import Visit, action
from prunella.wiring.fixes import Fixes
from prunella.wiring.jobs import Jobs

#: Incidents that one batch takes.
_MAX_BATCH = 200
_MAX_DOCUMENT_CHARS = 64 * 1024
_JOBS = {
    "diagnose": (JobKind.DIAGNOSE, "Diagnosis"),
    "heal": (JobKind.HEAL, "Healing"),
    "publish": (JobKind.PUBLISH, "The pull request"),
    "suggest": (JobKind.SUGGEST, "Looking for fixes"),
}
_STEPS: Mapping[str, tuple[Callable[..., Rollout], str]] = {
    "approve": (Fixes.approve, "is approved: its canary begins"),
    "promote": (Fixes.promote, "is promoted: it acts everywhere but on the holdback"),
    "pause": (Fixes.pause, "is paused: it acts nowhere"),
    "resume": (Fixes.resume, "goes on"),
    "roll_back": (Fixes.roll_back, "is rolled back: every process leaves it within a second"),
    "remove": (Fixes.remove, "is removed"),
}
_MUTES_H = {"1h": 1, "8h": 8, "24h": 24, "7d": 168, "30d": 720}


@action
def act_on_incident(visit: Visit) -> Response:
    """Do what the last part of the address says with one incident."""
    incident = visit.store.incident(visit.request.path_params["incident_id"])
    said = _act(visit, incident, visit.request.path_params["verb"])
    return visit.back(said, f"/incidents/{incident.incident_id}")


@action
def act_on_incidents(visit: Visit) -> Response:
    """Do the same with each of the chosen incidents; those that can't take it are told."""
    verb = visit.field("verb")
    chosen = [str(item) for item in visit.form.getlist("incident")][:_MAX_BATCH]
    done, refused = 0, ""
    for incident_id in chosen:
        try:
            _act(visit, visit.store.incident(incident_id), verb)
            done += 1
        except PrunellaError as error:
            refused = refused or str(error)
    said = f"{plural(done, 'incident')}: {verb}" if chosen else "Choose incidents first."
    left = len(chosen) - done
    if left:
        said = f"{said}; {plural(left, 'incident')} not: {one_line(refused)}"
    return visit.back(said, "/incidents")


def _act(visit: Visit, incident: Incident, verb: str) -> str:
    name = failed_function(incident)
    if verb == "ignore":
        visit.healer.ignore(incident.incident_id, actor=visit.access.actor)
        return f"{name} is ignored: never healed, nobody is told."
    if verb == "reopen":
        visit.healer.reopen(incident.incident_id, actor=visit.access.actor)
        return f"{name} is open again."
    if verb not in _JOBS:
        raise UnknownName(
            f"there is no action {verb!r}; there are {', '.join(_JOBS)}, ignore, reopen"
        )
    kind, what = _JOBS[verb]
    Jobs(visit.healer).ask(
        kind, incident.incident_id, actor=visit.access.actor, force=bool(visit.field("force"))
    )
    return f"{what} of {name} has begun."


@action
def cancel_job(visit: Visit) -> Response:
    job: Job = Jobs(visit.healer).cancel(visit.request.path_params["job_id"])
    return visit.back(f"{job.kind.value.capitalize()} ends at its next step.", "/")


@action
def replay_site(visit: Visit) -> Response:
    job = Jobs(visit.healer).ask(
        JobKind.REPLAY, visit.request.path_params["site_id"], actor=visit.access.actor
    )
    return visit.back(f"Recorded calls of {job.subject} are replayed.", "/sites")


@action
def mark_call(visit: Visit) -> Response:
    """Make a recorded success a reference, or an ordinary one again."""
    golden = visit.request.path_params["verb"] == "golden"
    (kept,) = visit.healer.mark_golden([visit.request.path_params["call_id"]], golden=golden)
    said = "is golden: patches are judged by it" if golden else "is an ordinary call again"
    return visit.back(f"{kept.call.call_id} {said}.", f"/calls/{kept.call.call_id}")


@action
def act_on_fix(visit: Visit) -> Response:
    """Take the step that the last part of the address says."""
    name, verb = visit.request.path_params["fix_id"], visit.request.path_params["verb"]
    if verb not in _STEPS:
        raise UnknownName(f"there is no step {verb!r}; there are {', '.join(_STEPS)}")
    step, said = _STEPS[verb]
    after = step(_fixes(visit), name, reason=visit.field("reason"))
    return visit.done(f"{after.fix_id} {said}.", f"/fixes/{after.rollout_id}")


@action
def add_fix(visit: Visit) -> Response:
    """Keep a document as a candidate."""
    rollout = _fixes(visit).add(
        _document(visit), reason=visit.field("reason"), shadow=bool(visit.field("shadow"))
    )
    said = f"{rollout.fix_id} is kept, and waits for approval."
    return visit.done(said, f"/fixes/{rollout.rollout_id}")


@action
def edit_fix(visit: Visit) -> Response:
    """Replace a fix by a new version; the present one is taken back where it waits or acts."""
    fixes = _fixes(visit)
    document = _document(visit)
    parse(document)
    present = fixes.story(visit.request.path_params["fix_id"]).rollout
    if document.get("fix_id") != present.fix_id:
        raise ConfigurationError(
            f"a new version keeps its fix_id, {present.fix_id}; to try another fix add it as one"
        )
    if present.state in {*LIVE, RolloutState.CANDIDATE}:
        fixes.remove(present.rollout_id, reason=f"replaced by version {present.version + 1}")
    rollout = fixes.add(document, reason=visit.field("reason"), shadow=bool(visit.field("shadow")))
    said = f"Version {rollout.version} of {rollout.fix_id} waits for approval."
    return visit.done(said, f"/fixes/{rollout.rollout_id}")


@action
def change_mutes(visit: Visit) -> Response:
    """Mute a site or an error code, take that back, or send a test."""
    verb, what = visit.request.path_params["verb"], visit.field("what")
    alerts = visit.healer.alerts
    if verb == "unmute":
        alerts.unmute(what)
        return visit.done(f"{what} is heard of again.", "/alerts")
    if verb == "test":
        report = alerts.test()
        failed = "; ".join(f"{place}: {why}" for place, why in report.failed)
        return visit.done(failed or f"{plural(report.sent, 'alert')} sent.", "/alerts")
    hours = _MUTES_H.get(visit.field("time"), 24)
    muted = alerts.mute(what, timedelta(hours=hours), actor=visit.access.actor)
    return visit.done(
        f"Nobody is told of {muted.what} until {muted.until:%Y-%m-%d %H:%M} UTC.", "/alerts"
    )


def _fixes(visit: Visit) -> Fixes:
    return visit.healer.fixes_by(visit.access.actor)


def _document(visit: Visit) -> dict[str, Any]:
    text = visit.field("document", _MAX_DOCUMENT_CHARS)
    return parse(text).document()
