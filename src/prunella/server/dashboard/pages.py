"""The pages that people look at."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from prunella.model.jobs import JobState
from prunella.pipeline.looking import cost_note, model_cost, unit_cost
from prunella.server.access import access_of
from prunella.server.dashboard.rendering import show
from prunella.server.dashboard.views import fixes as fix_views
from prunella.server.dashboard.views import incident as incident_views
from prunella.server.dashboard.views import others
from prunella.server.dashboard.views.incident import incident_page
from prunella.server.dashboard.views.incidents import Wanted, incidents_page
from prunella.server.dashboard.views.overview import PERIODS_H, overview
from prunella.server.dashboard.views.sites import made_by, shown_call, site_page, sites_page
from prunella.server.dashboard.visits import Visit, frame_of_nobody, page
from prunella.server.workspaces import Workspaces
from prunella.wiring.doctor import examine
from prunella.wiring.jobs import Jobs

UNDER_WAY = frozenset({JobState.WAITING, JobState.RUNNING})


def home(request: Request) -> Response:
    """Go to the one project, or let people choose among theirs."""
    workspaces: Workspaces = request.app.state.workspaces
    access = access_of(request)
    names = [name for name in workspaces.names() if access.role(name) is not None]
    if len(names) == 1:
        return RedirectResponse(f"/p/{names[0]}/")
    return show(request, "projects.html", **(frame_of_nobody(request) | {"projects": names}))


@page
def show_overview(visit: Visit) -> Response:
    running = Jobs(visit.healer).list(states=UNDER_WAY, limit=20)
    shown = overview(visit.healer, visit.query("period"), running)
    return visit.show("overview.html", shown=shown, periods=list(PERIODS_H))


@page
def show_incidents(visit: Visit) -> Response:
    wanted = Wanted(
        text=visit.query("q"),
        status=visit.query("status"),
        code=visit.query("code"),
        site=visit.query("site", 500),
        release=visit.query("release"),
        page=_number(visit.query("page")),
    )
    return visit.show("incidents.html", shown=incidents_page(visit.healer, wanted))


@page
def show_incident(visit: Visit) -> Response:
    incident_id = visit.store.incident(visit.request.path_params["incident_id"]).incident_id
    jobs = Jobs(visit.healer).list(subject=incident_id, limit=8)
    shown = incident_page(visit.healer, incident_id, jobs)
    return visit.show("incident.html", shown=shown, decision=incident_views.decision)


@page
def show_fixes(visit: Visit) -> Response:
    shown = fix_views.fixes_page(visit.healer, visit.query("tab"))
    return visit.show(
        "fixes.html",
        shown=shown,
        tabs=fix_views.TABS,
        arm=fix_views.arm,
        target_of=fix_views.target_of,
    )


@page
def show_fix(visit: Visit) -> Response:
    shown = fix_views.fix_page(visit.healer, visit.request.path_params["fix_id"])
    return visit.show(
        "fix.html",
        shown=shown,
        target_of=fix_views.target_of,
        unit_cost=unit_cost,
        cost_note=cost_note,
        model_cost=model_cost,
    )


@page
def show_sites(visit: Visit) -> Response:
    text = visit.query("q")
    shown = sites_page(visit.healer, text, _number(visit.query("page")))
    return visit.show("sites.html", shown=shown, text=text)


@page
def show_site(visit: Visit) -> Response:
    name = visit.request.path_params["site_id"]
    jobs = Jobs(visit.healer).list(subject=name, limit=8)
    return visit.show("site.html", shown=site_page(visit.store, name, jobs))


@page
def show_call(visit: Visit) -> Response:
    kept = visit.store.kept_call(visit.request.path_params["call_id"])
    return visit.show("call.html", shown=shown_call(kept), children=made_by(visit.store, kept.call))


@page
def show_cases(visit: Visit) -> Response:
    text = visit.query("q")
    return visit.show("cases.html", cases=others.cases(visit.store, text), text=text)


@page
def show_alerts(visit: Visit) -> Response:
    alerts = visit.healer.alerts
    told = list(reversed(alerts.list()))
    return visit.show("alerts.html", told=told, mutes=alerts.mutes(), places=alerts.notifiers)


@page
def show_audit(visit: Visit) -> Response:
    text = visit.query("q")
    shown = others.audit_page(visit.store, text, _number(visit.query("page")))
    return visit.show("audit.html", shown=shown, text=text)


@page
def show_settings(visit: Visit) -> Response:
    return visit.show("settings.html", settings=others.settings(visit.healer))


@page
def show_nothing(visit: Visit) -> Response:
    """Say that there is no such page."""
    raise HTTPException(404, f"there is no page {visit.request.url.path[:200]}")


@page
def show_doctor(visit: Visit) -> Response:
    """Answer at once; what was found is asked for by the page, because looking takes seconds."""
    found = examine(visit.healer) if visit.query("look") else None
    return visit.show("doctor.html", findings=found)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else 1
