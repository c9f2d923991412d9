"""What happens after a call that failed: counted at once, described if it is one of the first.

A failure like one that was described (`prunella.sdk.groups`) costs a look-up and one short line.
"""

from time import perf_counter_ns, time_ns
from types import CodeType, TracebackType
from typing import TYPE_CHECKING, Any

from prunella.codec.texts import quote
from prunella.model.clock import now_us
from prunella.sdk import counters
from prunella.sdk.endings import ending_of, inputs_at_failure
from prunella.sdk.failure import Sight, entries, own_attributes
from prunella.sdk.groups import NEAR, Group, Groups, is_recursion, look_of, path_of
from prunella.sdk.lines import occurrence_line
from prunella.sdk.running import Failure, Running
from prunella.sdk.site import Site, by_code, site_of_code
from prunella.sdk.trace import current

if TYPE_CHECKING:
    from prunella.sdk.journal import Journal
    from prunella.sdk.process import Host

EXHAUSTED = (RecursionError, MemoryError)
#: Set on an exception that says that stack or memory is used up, once it is recorded: the innermost
#: sites may have been unable to, so that its frames don't tell whether one has.
_MARK = "__prunella_recorded__"


#: Arguments in the order of the site's parameters, or by their names, where they are known.
Given = tuple[Any, ...] | dict[str, Any] | None


class Failures:
    """Records the failures of one process."""

    def __init__(self, host: "Host", journal: "Journal") -> None:
        self._host = host
        self._journal = journal
        self._sight = Sight(host.redactor, host.code_places)
        self.renew()

    def renew(self) -> None:
        """Forget what belongs to the process: at the start, and in a forked child."""
        self.groups = Groups()
        self._masked: dict[str, Groups] = {}
        self._lock = self._journal.lock
        self._append = self._journal.spool.append

    def take(
        self,
        site: Site,
        running: Running | None,
        values: tuple[Any, ...],
        error: BaseException,
        step: TracebackType | None,
        code: CodeType | None,
    ) -> None:
        """Record a call that ended by `error`, unless an inner call of the site has.

        `step` is where its traceback begins, and `code` the code there.
        """
        if running is not None:
            running.leave()
        at_us = time_ns() // 1_000  # as `now_us`, without a call
        host = self._host
        if at_us >= host.look_again_us:
            host.look()
        if host.is_off:
            return
        group: Group | None = site.latest
        if (
            group is None
            or group.code is not code
            or not group.is_again(error, step)
            or not self._pass(site, group, at_us)
        ):
            self._take_anew(site, running, values, error, at_us)

    def _pass(self, site: Site, group: Group, at_us: int) -> bool:
        """Count one more failure of a group; ``False`` where it is to be described instead."""
        with self._lock:
            count = group.count + 1
            if count >= group.quiet_below:
                return False
            if group.inner is None:
                line = group.repeat  # as `repeat_line`, without a call
                if not group.repeat_at_us <= at_us < group.repeat_until_us:
                    line = group.repeat_line(at_us)
                if not self._append(line, at_us):
                    counters.count("dropped_errors")
                site.errors += group.errors_each
                site.latest = group
            group.count = count
            if site.wanting:
                site.wanting.discard(group)
            return True

    def _take_anew(
        self,
        site: Site,
        running: Running | None,
        values: tuple[Any, ...],
        error: BaseException,
        at_us: int,
    ) -> None:
        """As `take`, of a failure that isn't the site's latest one again."""
        if isinstance(error, EXHAUSTED):
            if _MARK in own_attributes(error):
                return
            path = path_of(error)
        else:
            path = path_of(error, NEAR)
            if is_recursion(site, path):
                return
            if len(path[0]) == NEAR:
                path = path_of(error)
        look = look_of(site, error, path)
        group = self.groups.get(look)
        if group is None or not self._pass(site, group, at_us):
            ending = ending_of(site, error)
            if ending:
                self._count(site, running, values, Failure(error, path, look, ending, at_us))

    def mask(
        self,
        site: Site,
        running: Running | None,
        values: dict[str, Any],
        error: BaseException,
        fix_id: str,
    ) -> None:
        """Record a failure that a fix has turned into a success; it counts as any other.

        `running` is the recording of the call, which goes on: it is read, not ended.
        """
        if perf_counter_ns() >= self._host.look_again_ns:
            self._host.look()
        if self._host.is_off or _is_recorded(site, error):
            return
        with self._lock:
            groups = self._masked.get(fix_id)
            if groups is None:
                prefix = f"m{len(self._masked) + 1}."
                groups = self._masked[fix_id] = Groups(prefix=prefix, masked_by=fix_id)
            failed = None
            if running is not None:
                failed = running.as_failed()
            self._count(site, failed, values, _failure(site, error), groups)

    def _count(
        self,
        site: Site,
        running: Running | None,
        values: Given,
        failure: Failure,
        groups: Groups | None = None,
    ) -> None:
        error, ending, at_us = failure.error, failure.ending, failure.at_us
        is_exhausted = isinstance(error, EXHAUSTED)
        with self._lock:
            group = (groups or self.groups).of(
                site, error, failure.path, failure.look, is_first=is_exhausted
            )
            group.count += 1
            try:
                if group.is_due:
                    self._describe(site, running, values, failure, group)
                    if group.count > 1 and not group.repeat_start:  # two are always described
                        self._prepare_repeats(site, group, ending)
                        if groups is None and not is_exhausted:
                            group.remember(error)
                    group.rest()
                elif group.inner is None and not self._append(group.repeat_line(at_us), at_us):
                    counters.count("dropped_errors")
            except BaseException:
                group.count -= 1
                raise
            if is_exhausted:
                own_attributes(error)[_MARK] = True
            if group.inner is None:
                site.errors += ending == "error"
                site.latest = group
            if ending == "error" and group.wants_inputs:
                site.wanting.add(group)
                site.pause()
            elif site.wanting:
                site.wanting.discard(group)

    def _prepare_repeats(self, site: Site, group: Group, ending: str) -> None:
        text = (
            f'{{"class":"repeat","process_id":"{self._host.process_id}",'
            f'"group":"{group.name}","site_id":{quote(site.site_id)},"count":1,"at":'
        )
        group.begin_repeats_with(text.encode(), ending)

    def elsewhere(self, error: BaseException) -> None:
        """Record an exception that no site has seen, at the innermost function of the project."""
        found = None
        for entry in entries(error.__traceback__):
            code = entry.tb_frame.f_code
            if id(code) in by_code:
                return
            if self._host.code_places.place(code.co_filename)[1]:
                found = entry.tb_frame
        site = None if found is None else site_of_code(found.f_code, found.f_globals)
        self._host.look()
        if site is not None and not self._host.is_off:
            self._count(site, None, None, _failure(site, error))

    def _describe(
        self,
        site: Site,
        running: Running | None,
        values: Given,
        failure: Failure,
        group: Group,
    ) -> None:
        """Write the occurrence of a failure, and count it as dropped where that isn't possible."""
        host, journal = self._host, self._journal
        sight = self._sight
        if site.redact:
            sight = Sight(host.redactor_for(site.redact), host.code_places)
        redactor = sight.redactor
        duration_us = 0
        if running is None:
            running = Running(site, journal.new_unique(), current.get())
            if values is not None:
                named = _named(site, values)
                running.inputs, running.complete = inputs_at_failure(named, None, redactor)
        else:
            duration_us = (perf_counter_ns() - running.started_ns) // 1000
            if running.given is not None:
                running.read(redactor)
            if running.early is not None and values is not None:
                named = _named(site, values)
                text, complete = inputs_at_failure(named, running.early, redactor)
                running.inputs, running.complete = text, running.complete and complete
        running.started_us = failure.at_us - duration_us
        occurrence_id = f"occ_{journal.new_unique()}"
        line = occurrence_line(
            failure, group, running, duration_us, host.process_id, occurrence_id, sight
        )
        if running.held:
            line = b"".join((*running.held, line))
        if journal.write(site, line, failure.at_us):
            group.latest = occurrence_id
            group.complete += running.complete
        elif group.inner is None:
            counters.count("dropped_errors")


def _failure(site: Site, error: BaseException) -> Failure:
    path = path_of(error)
    return Failure(error, path, look_of(site, error, path), "error", now_us())


def _named(site: Site, values: tuple[Any, ...] | dict[str, Any]) -> dict[str, Any]:
    if isinstance(values, dict):
        return values
    return dict(zip(site.names, values, strict=True))


def _is_recorded(site: Site, error: BaseException) -> bool:
    """Tell whether an inner call of the same site has recorded `error` already."""
    if isinstance(error, EXHAUSTED):
        return _MARK in own_attributes(error)
    return is_recursion(site, path_of(error, NEAR))
