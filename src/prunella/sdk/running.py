"""A call while it is recorded, and a failure on its way to its record."""

from typing import TYPE_CHECKING, Any, NamedTuple

from prunella.sdk.groups import Look, Path
from prunella.sdk.site import Site
from prunella.sdk.trace import current

if TYPE_CHECKING:
    from prunella.fixes import Finished


class Running:
    """A call that is being recorded."""

    # Defaults of the class, not assignments: a sampled call is not to pay for what it doesn't use.
    is_kept = False
    is_over = False
    #: Parameter names and values before the call: JSON text of a tree.
    inputs = "null"
    #: Of a call that is only watched: the tree of its arguments without the scalars, which can't
    #: change and are read only when it fails.
    early: Any = None
    complete = False
    #: What fixes made of it.
    finished: "Finished | None" = None
    #: Lines of the boundary calls it made, written only if it is; ``None`` while there are none.
    held: list[bytes] | None = None
    held_bytes = 0
    yielded: list[Any] | None = None
    #: Found out only when it is written.
    started_us = 0
    #: On the performance counter.
    started_ns = 0
    token: Any = None

    def __init__(self, site: Site, unique: str, parent: "Running | None") -> None:
        self.site = site
        #: What its id has behind the prefix, and that of the outermost call.
        self.unique = unique
        self.trace: str = unique if parent is None else parent.trace
        self.parent = parent

    def leave(self) -> None:
        """End the call: what runs from now on isn't called by it."""
        self.is_over = True
        token = self.token
        if token is not None:
            self.token = None
            try:
                current.reset(token)
            except ValueError:  # it ends in another context than it began in
                current.set(self.parent)

    def as_failed(self) -> "Running":
        """Return the recording as it is now, for the failure that a fix has healed.

        It takes along the lines of boundary calls that were made until then.
        """
        found = Running(self.site, self.unique, self.parent)
        found.inputs, found.early, found.complete = self.inputs, self.early, self.complete
        found.started_ns = self.started_ns
        found.held, self.held = self.held, None
        return found

    @property
    def trace_id(self) -> str:
        """The id that all calls under one outermost call share."""
        return f"trace_{self.trace}"

    @property
    def reference(self) -> str:
        """Its `prunella.model.ids.CallId` as JSON."""
        return f'"call_{self.unique}"'


class Failure(NamedTuple):
    """What a call ended by, on the way to its record."""

    error: BaseException
    #: The way it took.
    path: Path
    #: What tells it from others.
    look: Look
    ending: str
    at_us: int
