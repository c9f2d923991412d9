"""What programs report: their spools, and the telemetry of others."""

from starlette.routing import BaseRoute


def routes() -> list[BaseRoute]:
    """Return the routes that programs report to."""
    return []
