"""A call while it is recorded, and a failure on its way to its record."""

from typing import Any, NamedTuple

from prunella.sdk.groups import Group
from prunella.sdk.site import Site


class Running:
    """A call that is being recorded."""

    __slots__ = (
        "call_id",
        "complete",
        "held",
        "held_bytes",
        "inputs",
        "is_kept",
        "is_over",
        "parent",
        "site",
        "started_ns",
        "started_us",
        "token",
        "trace_id",
        "yielded",
    )

    def __init__(self, site: Site, call_id: str, trace_id: str, parent: "Running | None") -> None:
        self.site = site
        self.call_id = call_id
        self.trace_id = trace_id
        self.parent = parent
        self.is_kept = False
        self.is_over = False
        self.inputs: Any = None
        self.complete = False
        #: Lines of the boundary calls it made, written only if it is.
        self.held: list[bytes] = []
        self.held_bytes = 0
        self.yielded: list[Any] | None = None
        self.started_us = 0
        self.started_ns = 0
        self.token: Any = None


class Failure(NamedTuple):
    """A call that ended by an exception, on its way to its record."""

    site: Site
    running: Running | None
    #: ``None`` where the arguments aren't known.
    values: dict[str, Any] | None
    error: BaseException
    group: Group
    ending: str
    at_us: int
