"""What the interpreter asks of whoever runs a call, and what it is told.

The interpreter does nothing itself: it yields these steps and is sent `Outcome`s. One driver runs
them synchronously, one asynchronously, one replays recorded answers under a virtual clock.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple, Protocol

#: Shapes of functions that hand out items one by one.
STREAMS = ("generator", "async_generator")


class Outcome(NamedTuple):
    """How an attempt ended: by a value, or by an error that isn't ``None``."""

    value: Any = None
    error: BaseException | None = None


class Attempt(NamedTuple):
    """Call the function itself."""

    #: Parameter name to value, all of them; ``*args`` a tuple, ``**kwargs`` a dict.
    arguments: dict[str, Any]
    #: Where the function is asynchronous: ask `on_timeout` after this time.
    timeout_s: float | None = None
    #: Tells whether the attempt is to be cancelled, and to end by `TimeoutError`.
    on_timeout: Callable[[], bool] | None = None


class Sleep(NamedTuple):
    """Wait; answered by an empty `Outcome`."""

    seconds: float


class Invoke(NamedTuple):
    """Call another site, with those of these arguments that it takes.

    Answered by an `Unreachable` error where there is no such site, or it doesn't fit.
    """

    site: str
    arguments: dict[str, Any]


class Unreachable(Exception):
    """The site that is to be invoked isn't there, or can't take the place of the other."""


class Finished(NamedTuple):
    """What the interpretation of a call came to."""

    outcome: Outcome
    #: The fix that acted last.
    fix_id: str | None = None
    #: The result isn't the function's own: a fallback, a default, something cut off.
    degraded: bool = False
    #: Arguments or result were changed: the recorded call doesn't show what the function does.
    altered: bool = False
    #: An error that the caller doesn't see, and the fix that masked it.
    masked: tuple[BaseException, str] | None = None
    #: To be called with how a stream ended that has begun; ``None`` where nobody waits for that.
    at_end: Callable[[BaseException | None], None] | None = None


Step = Attempt | Sleep | Invoke
Steps = Generator[Step, Outcome, Finished]
#: A part of an interpretation: what it makes of an outcome.
Healing = Generator[Step, Outcome, Outcome]


class SiteView(Protocol):
    """What a fix has to know of a function."""

    @property
    def site_id(self) -> str:
        """``module:qualname``."""

    @property
    def name(self) -> str:
        """The short name that it is registered by."""

    @property
    def kind(self) -> str:
        """``function``, ``tool``, ``llm`` or ``agent``."""

    @property
    def shape(self) -> str:
        """``sync``, ``async``, ``generator`` or ``async_generator``."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Parameters in the order of the signature; ``*args`` and ``**kwargs`` carry their stars."""

    @property
    def defaults(self) -> Mapping[str, Any]:
        """Parameters that may be left out, with their defaults."""

    @property
    def roles(self) -> Mapping[str, str]:
        """Role (model, messages, prompt, system, temperature, max_tokens, timeout) to parameter."""

    @property
    def idempotent(self) -> bool:
        """A call may be repeated without approval."""


class CodeInfo(Protocol):
    """What the taxonomy says of an error."""

    @property
    def code(self) -> str:
        """``MODULE.CATEGORY.CODE``."""

    @property
    def transient(self) -> bool:
        """It may pass by itself."""

    @property
    def healable_by(self) -> tuple[str, ...]:
        """The types of fixes that can heal it."""


Classify = Callable[[BaseException, str], CodeInfo]
"""An error, and the kind of the site that it came from, to what the taxonomy says of it."""
