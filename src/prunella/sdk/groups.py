"""Which failures look alike within one process, so that they are counted instead of described.

The look of a failure is its site, its exception's type, the code objects and instructions of its
frames, the types of its causes, and what its message begins with, up to the first digit or quote.
It costs about two microseconds; `prunella.triage` groups across processes and versions.
"""

import re
import zlib
from collections.abc import Hashable
from dis import opmap
from functools import lru_cache
from types import TracebackType
from typing import Any

from prunella.sdk.failure import MAX_CAUSES, MAX_ENTRIES, cause_of, entries
from prunella.sdk.site import Site, by_code

#: Groups of one process; failures beyond share one group for each site.
MAX_GROUPS = 2_000
#: Different beginnings of messages told apart at one place.
MAX_BEGINNINGS = 16
#: Steps of a traceback among which it pays to look for the same code.
MANY_STEPS = 50
#: Frames among which a call finds its own, and that of a call of the same site made by it.
_NEAR = 8
#: How exact the moment of a repeated failure is.
SAME_US = 1_000
#: Failures with complete inputs that are wanted of each group.
ENOUGH_COMPLETE = 5

_match = re.compile(r"[^\d'\"]{0,60}").match
_RAISE = opmap["RAISE_VARARGS"]


@lru_cache(maxsize=256)
def _beginning(start: str) -> str:
    return _match(start)[0]  # type: ignore[index]  # it always matches


_args = BaseException.__dict__["args"].__get__


class Group:
    """Failures that look alike."""

    # Defaults of the class, not assignments: a failure is not to wait for them.
    #: What the records of its repeated failures begin with, and the checksum of that.
    repeat_start = b""
    checksum = 0
    #: The latest of these records, and its moment.
    repeat = b""
    repeat_at_us = 0
    #: Failures before this one are counted by their look alone.
    quiet_below = 0
    is_error = False
    #: The fix that turned these failures into successes.
    masked_by = ""
    count = 0
    #: Id of the occurrence described last.
    latest = ""
    #: Failures recorded with complete inputs.
    complete = 0

    def __init__(self, name: str, inner: Site | None, refers_to: Any) -> None:
        self.name = name
        #: The site inside that failed first and has recorded it.
        self.inner = inner
        #: Keeps code and classes alive, so that no other gets their ids.
        self.refers_to = refers_to

    def begin_repeats_with(self, text: bytes, ending: str) -> None:
        """Settle what the records of repeated failures begin with, and how these ended."""
        self.repeat_start, self.checksum = text, zlib.crc32(text)
        self.is_error = ending == "error"

    def rest(self) -> None:
        """Once the latest failure is described: let others pass until one wants inputs."""
        if self.inner is None:
            self.quiet_below = 2 * self.count - 1

    def repeat_line(self, at_us: int) -> bytes:
        """Return the framed `prunella.model.records.Repeat` of one more failure.

        Its moment is right to `SAME_US`: failures that come in faster share their text.
        """
        if 0 <= at_us - self.repeat_at_us < SAME_US:
            return self.repeat
        self.repeat_at_us = at_us
        end = b"%d}" % at_us
        checksum = zlib.crc32(end, self.checksum)
        self.repeat = b"%08x %b%b\n" % (checksum, self.repeat_start, end)
        return self.repeat

    @property
    def is_due(self) -> bool:
        """The latest failure is recorded in full: the 1st, 2nd, 4th, 8th, …"""
        return self.count & (self.count - 1) == 0

    @property
    def wants_inputs(self) -> bool:
        """The next failure will be recorded in full, and should have inputs."""
        return self.count & (self.count + 1) == 0 and self.complete < ENOUGH_COMPLETE


#: The site, the type, the beginning of the message, and whatever else tells failures apart.
Look = tuple[Hashable, ...]


class Groups:
    """All groups of a process. Used under the journal's lock."""

    def __init__(self, *, prefix: str = "g", masked_by: str = "") -> None:
        self._prefix = prefix
        self._masked_by = masked_by
        self._groups: dict[Look, Group] = {}
        #: Returns the group of a look, if there is one.
        self.get = self._groups.get
        self._beginnings: dict[Look, set[Hashable]] = {}

    def of(
        self, site: Site, error: BaseException, look: Look | None = None, *, is_first: bool = False
    ) -> Group:
        """Return the group of a failure at `site`, a new one if nothing looked like it before.

        `look` is what `look_of` says of it, if that is known. `is_first` says that no site inside
        has recorded it, whatever its frames say.
        """
        look = look or look_of(site, error)
        if is_first:
            look = (*look, "first")
        group = self._groups.get(look)
        if group is None:
            steps = entries(error.__traceback__)
            inner = None if is_first else came_through(site, steps)
            group = self._new(site, look, inner, _named_by_id(error, steps))
        return group

    def _new(self, site: Site, look: Look, inner: Site | None, refers_to: list[Any]) -> Group:
        beginning, rest = look[2], look[:2] + look[3:]
        beginnings = self._beginnings.get(rest)
        if beginnings is None:
            self._beginnings[rest] = {beginning}
        elif beginning not in beginnings:
            if len(beginnings) >= MAX_BEGINNINGS:
                beginning = ""
                look = (*look[:2], beginning, *look[3:])
            beginnings.add(beginning)
        if len(self._groups) >= MAX_GROUPS:
            look = (site.site_id, inner is None)
        group = self._groups.get(look)
        if group is None:
            name = f"{self._prefix}{len(self._groups) + 1}"
            group = self._groups[look] = Group(name, inner, refers_to)
            if self._masked_by:
                group.masked_by = self._masked_by
        return group


def look_of(site: Site, error: BaseException) -> Look:
    """Return what tells this failure from others.

    That is the site, the exception's type, what its message begins with, the steps of its
    traceback, and the types of its causes.
    """
    arguments = _args(error)
    beginning = ""
    if arguments:
        message = arguments[0]
        if type(message) is str:
            beginning = _beginning(message if len(message) <= 60 else message[:60])
    traceback = error.__traceback__
    if traceback is None:
        return (site.site_id, id(type(error)), beginning)
    step = (id(traceback.tb_frame.f_code) << 24) + traceback.tb_lasti
    traceback = traceback.tb_next
    has_cause = error.__context__ is not None or error.__cause__ is not None
    if traceback is None and not has_cause:
        return (site.site_id, id(type(error)), beginning, step)
    steps = {step: None}  # those of a recursion count once, so that its depth makes no difference
    seen = 1
    while traceback is not None and seen < MAX_ENTRIES:
        steps[(id(traceback.tb_frame.f_code) << 24) + traceback.tb_lasti] = None
        traceback = traceback.tb_next
        seen += 1
    causes = [-id(type(cause)) for cause in _causes(error)] if has_cause else ()
    return (site.site_id, id(type(error)), beginning, *steps, *causes)


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    cause, _ = cause_of(error)
    while cause is not None and len(found) < MAX_CAUSES:
        found.append(cause)
        cause, _ = cause_of(cause)
    return found


def _named_by_id(error: BaseException, steps: list[TracebackType]) -> list[Any]:
    """Return everything whose id `look_of` takes."""
    found: list[Any] = [entry.tb_frame.f_code for entry in steps]
    if len(found) > MANY_STEPS:  # those of a recursion are the same again and again
        found = [*{id(code): code for code in found}.values()]
    found.append(type(error))
    if error.__context__ is not None or error.__cause__ is not None:
        found += [type(cause) for cause in _causes(error)]
    return found


def came_through(site: Site, steps: list[TracebackType]) -> Site | None:
    """Return the site inside `site` that an error has passed already, if there is one.

    It is told from the `steps` of its traceback. An exception object that is kept and raised again
    carries the frames of its earlier lives: they lie behind a ``raise`` statement that occurs once
    more in them, and don't count.
    """
    passed = [found for entry in steps if (found := by_code.get(id(entry.tb_frame.f_code)))]
    if not passed or (passed[0] is site and len(passed) == 1):
        return None
    own = None
    inner: Site | None = None
    #: ``raise`` statements that led to another frame, with what had been found until then.
    raised: dict[tuple[int, int], Site | None] = {}
    previous = None
    for entry in steps:
        frame = entry.tb_frame
        code = frame.f_code
        if previous is not None and frame is not previous.tb_frame and _raises(previous):
            raised[(id(previous.tb_frame.f_code), previous.tb_lasti)] = inner
        step = (id(code), entry.tb_lasti)
        if step in raised:
            return raised[step]
        previous = entry
        found = by_code.get(id(code))
        if found is site and own in (None, frame):
            own = frame
        elif found is not None:
            inner = found
    return inner


def is_recursion(site: Site, error: BaseException) -> bool:
    """Tell whether `error` came from a call of `site` that its present call has made.

    That call has recorded it. Only the first frames are looked at, because a thousand calls inside
    each other each have a thousand frames below them.
    """
    own = error.__traceback__
    code = site.code
    # Below the frames of decorators that stand between `@heal` and the function.
    for _ in range(_NEAR):
        if own is None:
            return False
        if own.tb_frame.f_code is code:
            break
        own = own.tb_next
    else:
        return False
    entry = own
    for _ in range(_NEAR):
        following = entry.tb_next
        if following is None:
            return False
        entry = following
        if entry.tb_frame.f_code is code and entry.tb_frame is not own.tb_frame:
            return not _raises(own)
    return False


def _raises(entry: TracebackType) -> bool:
    return entry.tb_frame.f_code.co_code[entry.tb_lasti] == _RAISE
