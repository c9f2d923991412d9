"""Which failures look alike within one process, so that they are counted instead of described.

The look of a failure is its site, its exception's type, the code objects and instructions of its
frames, the types of its causes, and what its message begins with, up to the first digit or quote.
A failure that repeats its site's latest one step by step is told without its look, which takes less
time. `prunella.triage` groups across processes and versions.
"""

import re
import zlib
from collections.abc import Hashable
from dis import opmap
from functools import lru_cache
from types import CodeType, TracebackType
from typing import Any

from prunella.sdk.failure import MAX_CAUSES, MAX_ENTRIES, cause_of, entries
from prunella.sdk.site import Site, by_code

#: Groups of one process; failures beyond share one group for each site.
MAX_GROUPS = 2_000
#: Different beginnings of messages told apart at one place.
MAX_BEGINNINGS = 16
#: Steps of a traceback among which it pays to look for the same code.
MANY_STEPS = 50
#: Steps by which a call is told from one that a call of the same site has made.
NEAR = 9
#: What `Group.is_again` compares with, at most: steps of a traceback, characters of a message.
FEW_STEPS = 8
LONGEST_MESSAGE = 60
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
    #: The latest of these records, its moment, and until when it serves for others.
    repeat = b""
    repeat_at_us = repeat_until_us = 0
    #: Failures before this one are counted by their look alone.
    quiet_below = 0
    #: What each of them adds to the errors of its site.
    errors_each = 0
    #: The fix that turned these failures into successes.
    masked_by = ""
    count = 0
    #: Id of the occurrence described last.
    latest = ""
    #: Failures recorded with complete inputs.
    complete = 0
    #: The failure that `is_again` compares with: its type, what it says, its code and instruction,
    #: and those of further steps.
    kind: type | None = None
    message = ""
    code: CodeType | None = None
    instruction = 0
    further: tuple[tuple[CodeType, int], ...] = ()

    def __init__(self, name: str, inner: Site | None, refers_to: Any) -> None:
        self.name = name
        #: The site inside that failed first and has recorded it.
        self.inner = inner
        #: Keeps code and classes alive, so that no other gets their ids.
        self.refers_to = refers_to

    def begin_repeats_with(self, text: bytes, ending: str) -> None:
        """Settle what the records of repeated failures begin with, and how these ended."""
        self.repeat_start, self.checksum = text, zlib.crc32(text)
        self.errors_each = int(ending == "error")

    def rest(self) -> None:
        """Once the latest failure is described: let others pass until one wants inputs."""
        self.quiet_below = 2 * self.count - 1

    def remember(self, error: BaseException) -> None:
        """Let failures like `error`, which has this group's look, be told by `is_again`.

        Not where there is more to compare: causes, many steps, a long message, a call of the site
        by itself.
        """
        steps = entries(error.__traceback__)
        has_cause = error.__context__ is not None or error.__cause__ is not None
        if has_cause or not 0 < len(steps) <= FEW_STEPS:
            return
        found = tuple((step.tb_frame.f_code, step.tb_lasti) for step in steps)
        message = _args(error)[0] if _args(error) else ""
        if type(message) is not str or len(message) > LONGEST_MESSAGE:
            return
        if len({id(code) for code, _ in found}) == len(found):
            self.kind, self.message = type(error), message
            (self.code, self.instruction), *further = found
            self.further = tuple(further)

    def is_again(self, error: BaseException, step: TracebackType | None) -> bool:
        """Tell whether `error` is the same failure as the one that is remembered.

        `step` begins its traceback, at the code that is remembered.
        """
        if step is None or step.tb_lasti != self.instruction or type(error) is not self.kind:
            return False
        if error.__context__ is not None or error.__cause__ is not None:
            return False
        arguments = _args(error)
        message = arguments[0] if arguments else ""
        if type(message) is not str or message != self.message:
            return False
        step = step.tb_next
        for code, instruction in self.further:
            if step is None or step.tb_lasti != instruction or step.tb_frame.f_code is not code:
                return False
            step = step.tb_next
        return step is None

    def repeat_line(self, at_us: int) -> bytes:
        """Return the framed `prunella.model.records.Repeat` of one more failure.

        Its moment is right to `SAME_US`: failures that come in faster share their text.
        """
        if self.repeat_at_us <= at_us < self.repeat_until_us:
            return self.repeat
        self.repeat_at_us, self.repeat_until_us = at_us, at_us + SAME_US
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


#: The beginning of the message, the site, the type, and whatever else tells failures apart.
Look = tuple[Hashable, ...]


class Groups:
    """All groups of a process. Used under the journal's lock."""

    def __init__(self, *, prefix: str = "g", masked_by: str = "") -> None:
        self._prefix = prefix
        self._masked_by = masked_by
        self._groups: dict[Look, Group] = {}
        #: Returns the group of a look, if there is one.
        self.get = self._groups.get
        #: How many beginnings of messages were met with the rest of a look.
        self._beginnings: dict[Look, int] = {}

    def of(
        self,
        site: Site,
        error: BaseException,
        path: "Path | None" = None,
        look: Look | None = None,
        *,
        is_first: bool = False,
    ) -> Group:
        """Return the group of a failure at `site`, a new one if nothing looked like it before.

        `path` is its `path_of`, and `look` what `look_of` says of it, if they are known. `is_first`
        says that no site inside has recorded it, whatever its frames say.
        """
        steps, codes, _ = path = path or path_of(error)
        look = look or look_of(site, error, path)
        if is_first:
            look = (*look, "first")
        group = self._groups.get(look)
        if group is None:
            inner = None
            if not is_first and not _passed_alone(site, codes):
                inner = came_through(site, steps)
            group = self._new(site, look, inner, _named_by_id(error, codes))
        return group

    def _new(self, site: Site, look: Look, inner: Site | None, refers_to: list[Any]) -> Group:
        rest = look[1:]
        beginnings = self._beginnings.get(rest, 0)
        if beginnings < MAX_BEGINNINGS:
            self._beginnings[rest] = beginnings + 1
        else:
            look = ("", *rest)
        if len(self._groups) >= MAX_GROUPS:
            look = (site.site_id, inner is None)
        group = self._groups.get(look)
        if group is None:
            name = f"{self._prefix}{len(self._groups) + 1}"
            group = self._groups[look] = Group(name, inner, refers_to)
            if self._masked_by:
                group.masked_by = self._masked_by
        return group


#: The entries of a traceback, their codes, and numbers that tell their instructions apart.
Path = tuple[list[TracebackType], list[CodeType], list[int]]


def path_of(error: BaseException, most: int = MAX_ENTRIES) -> Path:
    """Return the way that `error` took, outermost first, at most so many steps of it."""
    steps: list[TracebackType] = []
    codes: list[CodeType] = []
    places: list[int] = []
    step = error.__traceback__
    while step is not None and len(steps) < most:
        code = step.tb_frame.f_code
        steps.append(step)
        codes.append(code)
        # An address, as it were: CPython keeps the instructions of a code object within it.
        places.append(id(code) + step.tb_lasti)
        step = step.tb_next
    return steps, codes, places


def look_of(site: Site, error: BaseException, path: Path) -> Look:
    """Return what tells this failure, which took `path`, from others.

    That is the site, the exception's type, what its message begins with, the steps of its
    traceback, and the types of its causes.
    """
    arguments = _args(error)
    beginning = ""
    if arguments:
        message = arguments[0]
        if type(message) is str:
            beginning = _beginning(message if len(message) <= 60 else message[:60])
    # Those of a recursion count once, so that its depth makes no difference.
    places = dict.fromkeys(path[2])
    if error.__context__ is None and error.__cause__ is None:
        return (beginning, site.site_id, id(type(error)), *places)
    causes = [-id(type(cause)) for cause in _causes(error)] if places else ()
    return (beginning, site.site_id, id(type(error)), *places, *causes)


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    cause, _ = cause_of(error)
    while cause is not None and len(found) < MAX_CAUSES:
        found.append(cause)
        cause, _ = cause_of(cause)
    return found


def _named_by_id(error: BaseException, codes: list[CodeType]) -> list[Any]:
    """Return everything whose id `look_of` takes, the `codes` of the traceback among it."""
    found: list[Any] = [*codes, type(error)]
    if len(found) > MANY_STEPS:  # those of a recursion are the same again and again
        found = [*{id(each): each for each in found}.values()]
    if error.__context__ is not None or error.__cause__ is not None:
        found += [type(cause) for cause in _causes(error)]
    return found


def _passed_alone(site: Site, codes: list[CodeType]) -> bool:
    """Tell whether an error has passed no site but `site`, and that once, by the codes it passed."""
    passed = [*filter(None, map(by_code.get, map(id, codes)))]
    return not passed or (passed[0] is site and len(passed) == 1)


def came_through(site: Site, steps: list[TracebackType]) -> Site | None:
    """Return the site inside `site` that an error has passed already, if there is one.

    It is told from the `steps` of its traceback. An exception object that is kept and raised again
    carries the frames of its earlier lives: they lie behind a ``raise`` statement that occurs once
    more in them, and don't count.
    """
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


def is_recursion(site: Site, path: Path) -> bool:
    """Tell whether `error`, which took `path`, came from a call of `site` by its present call.

    That call has recorded it. Only the first `NEAR` frames are looked at, because a thousand calls
    inside each other each have a thousand frames below them.
    """
    steps, codes, _ = path
    if id(site.code) not in map(id, codes[1:NEAR]):
        return False
    #: Where the present call is; what other decorators put around the function comes before it.
    own = steps[0] if site.called is site.code else None
    for step, code in zip(steps[1:NEAR], codes[1:NEAR], strict=True):
        if code is site.code:
            if own is None:
                own = step
            elif step.tb_frame is not own.tb_frame:
                return not _raises(own)
    return False


def _raises(entry: TracebackType) -> bool:
    return entry.tb_frame.f_code.co_code[entry.tb_lasti] == _RAISE
