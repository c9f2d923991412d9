"""The dashboard: server-rendered pages for people.

`views` turn a project's records into a page's data, templates draw it, `actions` are what forms do.
Pages work without scripts; with them they stay up to date and can be used by keys.
"""

from starlette.routing import BaseRoute, Mount, Route

from prunella.server.dashboard import actions, live, pages
from prunella.server.dashboard.assets import StaticPages

_PAGES = (
    ("/", pages.show_overview),
    ("/incidents", pages.show_incidents),
    ("/incidents/{incident_id}", pages.show_incident),
    ("/fixes", pages.show_fixes),
    ("/fixes/{fix_id}", pages.show_fix),
    ("/sites", pages.show_sites),
    ("/sites/{site_id}", pages.show_site),
    ("/calls/{call_id}", pages.show_call),
    ("/cases", pages.show_cases),
    ("/alerts", pages.show_alerts),
    ("/audit", pages.show_audit),
    ("/settings", pages.show_settings),
    ("/doctor", pages.show_doctor),
    ("/events", live.events),
)
_ACTIONS = (
    ("/incidents", actions.act_on_incidents),
    ("/incidents/{incident_id}/{verb}", actions.act_on_incident),
    ("/jobs/{job_id}/cancel", actions.cancel_job),
    ("/sites/{site_id}/replay", actions.replay_site),
    ("/calls/{call_id}/{verb}", actions.mark_call),
    ("/fixes", actions.add_fix),
    ("/fixes/{fix_id}/edit", actions.edit_fix),
    ("/fixes/{fix_id}/{verb}", actions.act_on_fix),
    ("/alerts/{verb}", actions.change_mutes),
)


def routes() -> list[BaseRoute]:
    """Return the dashboard's routes: ``/`` and all below ``/p/{project}`` and ``/static``."""
    return [
        Route("/", pages.home, methods=["GET"]),
        *(Route(f"/p/{{project}}{path}", shown, methods=["GET"]) for path, shown in _PAGES),
        *(Route(f"/p/{{project}}{path}", act, methods=["POST"]) for path, act in _ACTIONS),
        Route("/p/{project}/{rest:path}", pages.show_nothing, methods=["GET"]),
        Mount("/static", StaticPages()),
    ]
