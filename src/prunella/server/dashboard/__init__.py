"""The dashboard: server-rendered pages for people.

`views` turn a project's records into a page's data, templates draw it, `actions` are what forms do.
Pages work without scripts; with them they stay up to date and can be used by keys.
"""

from starlette.routing import BaseRoute, Mount, Route

from prunella.server.dashboard import actions, approving, live, managing, pages
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
    ("/access", managing.show_access),
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
    ("/fixes/{fix_id}/approval-link", approving.make_link),
    ("/fixes/{fix_id}/{verb}", actions.act_on_fix),
    ("/alerts/{verb}", actions.change_mutes),
    ("/access/keys", managing.make_key),
    ("/access/keys/{key}/end", managing.end_key),
    ("/access/tokens", managing.make_token),
    ("/access/tokens/{token_id}/end", managing.end_token),
)
_SERVER_PAGES = (
    ("", managing.show_server),
    ("/users", managing.show_users),
    ("/projects", managing.show_projects),
    ("/tokens", managing.show_tokens),
    ("/audit", managing.show_decisions),
)
_SERVER_ACTIONS = (
    ("/users", managing.add_user),
    ("/users/{user}/roles", managing.set_roles),
    ("/users/{user}/invite", managing.invite_user),
    ("/users/{user}/remove", managing.remove_user),
    ("/projects", managing.add_project),
    ("/projects/{name}/remove", managing.remove_project),
    ("/tokens", managing.make_server_token),
    ("/tokens/{token_id}/end", managing.end_server_token),
)


def routes() -> list[BaseRoute]:
    """Return the dashboard's routes: ``/``, all below ``/p/{project}``, ``/server``, ``/approve`` and ``/static``."""
    return [
        Route("/", pages.home, methods=["GET"]),
        *(Route(f"/p/{{project}}{path}", shown, methods=["GET"]) for path, shown in _PAGES),
        *(Route(f"/p/{{project}}{path}", act, methods=["POST"]) for path, act in _ACTIONS),
        *(Route(f"/server{path}", shown, methods=["GET"]) for path, shown in _SERVER_PAGES),
        *(Route(f"/server{path}", act, methods=["POST"]) for path, act in _SERVER_ACTIONS),
        Route("/approve/{project}/{token}", approving.show_question, methods=["GET"]),
        Route("/approve/{project}/{token}", approving.answer_question, methods=["POST"]),
        Route("/p/{project}/{rest:path}", pages.show_nothing, methods=["GET"]),
        Mount("/static", StaticPages()),
    ]
