"""What was recorded: sites and calls, and which calls are references."""

from typing import Annotated, Any

from msgspec import Meta

from prunella.codec.plain import to_plain
from prunella.pipeline.names import find_site
from prunella.ports import KeptCall
from prunella.server.access import Role
from prunella.server.api.incidents import Limit, Words
from prunella.server.api.operation import Asked, Operation, Query

_CALLS = "/projects/{project}/calls"
_SITES = "/projects/{project}/sites"


class CallFilter(Query, frozen=True, kw_only=True):
    """Which calls."""

    site: Annotated[Words, Meta(description="A function's id, or the last part of it.")] = ""
    golden: Annotated[bool, Meta(description="Only those marked as references.")] = False
    limit: Limit = 20


def _sites(asked: Asked) -> Any:
    store = asked.healer.store
    counted = store.site_counts()
    return {
        "items": [
            {"site": to_plain(site), "counts": counted.get(site.site_id, {})}
            for site in store.sites()
        ]
    }


def _site(asked: Asked) -> Any:
    store = asked.healer.store
    site = find_site(store, asked.path["site"])
    return {"site": to_plain(site), "counts": store.site_counts().get(site.site_id, {})}


def _calls(asked: Asked) -> Any:
    wanted: CallFilter = asked.query
    found = asked.healer.calls(wanted.site or None, golden_only=wanted.golden, limit=wanted.limit)
    return {"items": to_plain(found)}


def _call(asked: Asked) -> Any:
    return to_plain(asked.healer.call(asked.path["call"]))


def _mark(asked: Asked) -> Any:
    return to_plain(asked.healer.mark_golden([asked.path["call"]], golden=True)[0])


def _unmark(asked: Asked) -> Any:
    return to_plain(asked.healer.mark_golden([asked.path["call"]], golden=False)[0])


OPERATIONS = (
    Operation(
        method="GET",
        path=_SITES,
        name="list_sites",
        summary="The latest version of every function under @heal, with its counters.",
        role=Role.VIEWER,
        run=_sites,
        answer=list[dict[str, Any]],
    ),
    Operation(
        method="GET",
        path=f"{_SITES}/{{site}}",
        name="get_site",
        summary="One function under @heal, by its id or the last part of it.",
        role=Role.VIEWER,
        run=_site,
        answer=dict[str, Any],
    ),
    Operation(
        method="GET",
        path=_CALLS,
        name="list_calls",
        summary="Recorded successes, newest first.",
        role=Role.VIEWER,
        run=_calls,
        answer=list[KeptCall],
        query=CallFilter,
    ),
    Operation(
        method="GET",
        path=f"{_CALLS}/{{call}}",
        name="get_call",
        summary="A recorded success, by its id or a beginning of it.",
        role=Role.VIEWER,
        run=_call,
        answer=KeptCall,
    ),
    Operation(
        method="PUT",
        path=f"{_CALLS}/{{call}}/golden",
        name="mark_call",
        summary="Mark a success as a reference: never forgotten, and judged by before any other.",
        role=Role.OPERATOR,
        run=_mark,
        answer=KeptCall,
    ),
    Operation(
        method="DELETE",
        path=f"{_CALLS}/{{call}}/golden",
        name="unmark_call",
        summary="Take that mark back.",
        role=Role.OPERATOR,
        run=_unmark,
        answer=KeptCall,
    ),
)
