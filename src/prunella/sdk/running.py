"""A call while it is recorded, and a failure on its way to its record."""

from typing import TYPE_CHECKING, Any, NamedTuple

from prunella.codec.texts import values_text
from prunella.sdk.groups import Look
from prunella.sdk.site import Site
from prunella.sdk.trace import current

if TYPE_CHECKING:
    from prunella.codec.redact import Redactor
    from prunella.codec.texts import Text
    from prunella.fixes import Finished


class Running:
    """A call that is being recorded."""

    # Defaults of the class, not assignments: a sampled call is not to pay for what it doesn't use.
    is_kept = False
    #: Its record needn't be written before its caller goes on.
    may_wait = False
    is_over = False
    #: Parameter names and values before the call: JSON text of a tree.
    inputs = "null"
    #: The values as they were before the call, where their text is made when it is needed.
    given: "tuple[Any, ...] | None" = None
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
    #: What it returned, as it was then, and the text of that where it is made at once.
    result: "tuple[Any, ...] | None" = None
    answer: "Text" = ("null", False)
    #: Both found out when it has ended.
    started_us = 0
    duration_us = 0
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
        found.given = self.given
        found.started_ns = self.started_ns
        found.held, self.held = self.held, None
        return found

    def read(self, redactor: "Redactor") -> None:
        """Make the text of the arguments, if it isn't there yet."""
        given, self.given = self.given, None
        if given is not None:
            site = self.site
            self.inputs, complete = values_text(site.form, site.names, given, redactor)
            self.complete = self.complete and complete

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
    #: What tells it from others.
    look: Look
    ending: str
    at_us: int
