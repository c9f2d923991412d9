"""What programs report: their spools, and the telemetry of others."""

from starlette.routing import BaseRoute, Route

from prunella.server.ingest import telemetry
from prunella.server.ingest.spools import feed, feed_events, forget_spool, keep_spool
from prunella.server.ingest.straight import Straight

__all__ = ["Straight", "routes"]

_PROJECT = "/api/v1/projects/{project}"


def routes() -> list[BaseRoute]:
    """Return the routes that programs report to."""
    return [
        Route(f"{_PROJECT}/spool/{{name}}", keep_spool, methods=["POST"]),
        Route(f"{_PROJECT}/spool/{{name}}", forget_spool, methods=["DELETE"]),
        Route(f"{_PROJECT}/feed", feed, methods=["GET"]),
        Route(f"{_PROJECT}/feed/events", feed_events, methods=["GET"]),
        Route("/v1/traces", telemetry.traces, methods=["POST"]),
        Route("/v1/logs", telemetry.logs, methods=["POST"]),
        Route("/api/{number:int}/envelope/", telemetry.envelope, methods=["POST"]),
        Route("/api/{number:int}/store/", telemetry.store, methods=["POST"]),
    ]
