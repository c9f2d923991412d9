"""Which failures look alike within one process, so that they are counted instead of described.

The look of a failure is its site, its exception's type, the code objects and instructions of its
frames, the types of its causes, and what its message begins with, up to the first digit or quote.
It costs about two microseconds; `prunella.triage` groups across processes and versions.
"""

import re
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
#: Failures with complete inputs that are wanted of each group.
ENOUGH_COMPLETE = 5

_match = re.compile(r"[^\d'\"]{0,60}").match
_RAISE = opmap["RAISE_VARARGS"]


@lru_cache(maxsize=256)
def _beginning(start: str) -> str:
    return _match(start)[0]  # type: ignore[index]  # it always matches


class Group:
    """Failures that look alike."""

    __slots__ = ("complete", "count", "inner", "latest", "name", "refers_to", "repeat_start")

    def __init__(self, name: str, inner: Site | None, refers_to: Any) -> None:
        self.name = name
        #: What the records of its repeated failures begin with.
        self.repeat_start = b""
        #: The site inside that failed first and has recorded it.
        self.inner = inner
        self.count = 0
        #: Id of the occurrence described last.
        self.latest = ""
        #: Failures recorded with complete inputs.
        self.complete = 0
        #: Keeps code and classes alive, so that no other gets their ids.
        self.refers_to = refers_to

    @property
    def is_due(self) -> bool:
        """The latest failure is recorded in full: the 1st, 2nd, 4th, 8th, …"""
        return self.count & (self.count - 1) == 0

    @property
    def wants_inputs(self) -> bool:
        """The next failure will be recorded in full, and should have inputs."""
        return self.count & (self.count + 1) == 0 and self.complete < ENOUGH_COMPLETE


class Groups:
    """All groups of a process. Used under the recorder's lock."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, Group] = {}
        self._beginnings: dict[Hashable, set[str]] = {}

    def of(self, site: Site, error: BaseException, *, is_first: bool = False) -> Group:
        """Return the group of a failure at `site`, a new one if nothing looked like it before.

        `is_first` says that no site inside has recorded it, whatever its frames say.
        """
        look: Hashable = _look(site, error)
        if is_first:
            look = (look, "first")
        arguments = BaseException.args.__get__(error)  # type: ignore[attr-defined]  # a getset
        beginning = ""
        if arguments and type(arguments[0]) is str:
            beginning = _beginning(arguments[0][:60])
        group = self._groups.get((look, beginning))
        if group is None:
            inner = None if is_first else came_through(site, error)
            group = self._new(site, look, beginning, inner, _named_by_id(error))
        return group

    def _new(
        self,
        site: Site,
        look: Hashable,
        beginning: str,
        inner: Site | None,
        refers_to: list[Any],
    ) -> Group:
        beginnings = self._beginnings.setdefault(look, set())
        if beginning not in beginnings and len(beginnings) >= MAX_BEGINNINGS:
            beginning = ""
        beginnings.add(beginning)
        if len(self._groups) >= MAX_GROUPS:
            look, beginning = (site.site_id, inner is None), ""
        group = self._groups.get((look, beginning))
        if group is None:
            name = f"g{len(self._groups) + 1}"
            group = self._groups[(look, beginning)] = Group(name, inner, refers_to)
        return group


def _look(site: Site, error: BaseException) -> Hashable:
    """Return what tells this failure from others."""
    steps: Any = []
    traceback = error.__traceback__
    while traceback is not None:
        steps.append((id(traceback.tb_frame.f_code) << 24) + traceback.tb_lasti)
        traceback = traceback.tb_next
        if len(steps) == MAX_ENTRIES:
            break
    if len(steps) > 1:  # those of a recursion count once, so that its depth makes no difference
        steps = dict.fromkeys(steps)
    causes: tuple[int, ...] = ()
    if error.__context__ is not None or error.__cause__ is not None:
        causes = tuple([id(type(cause)) for cause in _causes(error)])
    return (site.site_id, id(type(error)), tuple(steps), causes)


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    cause, _ = cause_of(error)
    while cause is not None and len(found) < MAX_CAUSES:
        found.append(cause)
        cause, _ = cause_of(cause)
    return found


def _named_by_id(error: BaseException) -> list[Any]:
    """Return everything whose id `_look` takes."""
    codes = [entry.tb_frame.f_code for entry in entries(error.__traceback__)]
    return [type(error), *(type(cause) for cause in _causes(error)), *dict.fromkeys(codes)]


def came_through(site: Site, error: BaseException) -> Site | None:
    """Return the site inside `site` that `error` has passed already, if there is one.

    It is told from the frames. An exception object that is kept and raised again carries the
    frames of its earlier lives: they lie behind a ``raise`` statement that occurs once more in
    them, and don't count.
    """
    own = None
    inner: Site | None = None
    #: ``raise`` statements that led to another frame, with what had been found until then.
    raised: dict[tuple[int, int], Site | None] = {}
    previous = None
    for entry in entries(error.__traceback__):
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
    first = entry = error.__traceback__
    if first is None:
        return False
    for _ in range(8):
        following = entry.tb_next
        if following is None:
            return False
        entry = following
        if entry.tb_frame.f_code is site.code and entry.tb_frame is not first.tb_frame:
            return not _raises(first)
    return False


def _raises(entry: TracebackType) -> bool:
    return entry.tb_frame.f_code.co_code[entry.tb_lasti] == _RAISE
