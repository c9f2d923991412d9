"""A call while it is recorded, and a failure on its way to its record."""

from typing import TYPE_CHECKING, Any, NamedTuple

from prunella.sdk.groups import Group
from prunella.sdk.site import Site

if TYPE_CHECKING:
    from prunella.fixes import Finished


class Running:
    """A call that is being recorded."""

    __slots__ = (
        "complete",
        "finished",
        "held",
        "held_bytes",
        "inputs",
        "is_kept",
        "is_over",
        "lacks_scalars",
        "parent",
        "site",
        "started_ns",
        "started_us",
        "token",
        "trace",
        "unique",
        "yielded",
    )

    def __init__(self, site: Site, unique: str, parent: "Running | None") -> None:
        self.site = site
        #: What its id has behind the prefix, and that of the outermost call.
        self.unique = unique
        self.trace: str = unique if parent is None else parent.trace
        self.parent = parent
        self.is_kept = False
        self.is_over = False
        self.inputs: Any = None
        #: `inputs` are without the scalars, which can't change and are read only when it fails.
        self.lacks_scalars = False
        self.complete = False
        #: What fixes made of it.
        self.finished: Finished | None = None
        #: Lines of the boundary calls it made, written only if it is; ``None`` while there are none.
        self.held: list[bytes] | None = None
        self.held_bytes = 0
        self.yielded: list[Any] | None = None
        #: Found out only when it is written.
        self.started_us = 0
        #: On the performance counter.
        self.started_ns = 0
        self.token: Any = None

    def as_failed(self) -> "Running":
        """Return the recording as it is now, for the failure that a fix has healed.

        It takes along the lines of boundary calls that were made until then.
        """
        found = Running(self.site, self.unique, self.parent)
        found.inputs, found.complete = self.inputs, self.complete
        found.lacks_scalars = self.lacks_scalars
        found.started_ns = self.started_ns
        found.held, self.held = self.held, None
        return found

    @property
    def call_id(self) -> str:
        """Its `prunella.model.ids.CallId`."""
        return f"call_{self.unique}"

    @property
    def trace_id(self) -> str:
        """The id that all calls under one outermost call share."""
        return f"trace_{self.trace}"


class Failure(NamedTuple):
    """What a call ended by, on the way to its record."""

    error: BaseException
    group: Group
    ending: str
    at_us: int
