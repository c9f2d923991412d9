"""What happens after a call that failed: counted at once, described if it is one of the first.

A failure like one that was described (`prunella.sdk.groups`) costs a look-up and one short line.
"""

from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from prunella.codec.texts import quote
from prunella.model.clock import now_us
from prunella.sdk import counters
from prunella.sdk.endings import ending_of, inputs_at_failure
from prunella.sdk.failure import Sight, entries, own_attributes
from prunella.sdk.groups import Group, Groups, is_recursion, look_of
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
    ) -> None:
        """Record a call that ended by `error`, unless an inner call of the site has."""
        if running is not None:
            running.leave()
        at_us = now_us()
        host = self._host
        if at_us >= host.look_again_us:
            host.look()
        if host.is_off:
            return
        look = look_of(site, error)
        group = self.groups.get(look)
        # A look of four parts is of a failure in the site's own frame, so of no call inside it.
        if group is not None and (len(look) == 4 or not is_recursion(site, error)):
            with self._lock:
                count = group.count + 1
                if count < group.quiet_below:
                    if not self._append(group.repeat_line(at_us), at_us):
                        counters.count("dropped_errors")
                    group.count = count
                    site.errors += group.is_error
                    site.latest = group
                    if site.wanting:
                        site.wanting.discard(group)
                    return
        ending = ending_of(site, error)
        if ending and not _is_recorded(site, error):
            self._count(site, running, values, Failure(error, look, ending, at_us))

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
            failure = Failure(error, look_of(site, error), "error", now_us())
            self._count(site, failed, values, failure, groups)

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
            group = (groups or self.groups).of(site, error, failure.look, is_first=is_exhausted)
            group.count += 1
            try:
                if group.is_due:
                    self._describe(site, running, values, failure, group)
                    if group.count > 1 and not group.repeat_start:  # two are always described
                        self._prepare_repeats(site, group, ending)
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
                site.settle()
                site.grant(0)
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
            failure = Failure(error, look_of(site, error), "error", now_us())
            self._count(site, None, None, failure)

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
            failure,
            group,
            running,
            duration_us,
            process_id=host.process_id,
            occurrence_id=occurrence_id,
            sight=sight,
        )
        if running.held:
            line = b"".join((*running.held, line))
        if journal.write(site, line, failure.at_us):
            group.latest = occurrence_id
            group.complete += running.complete
        elif group.inner is None:
            counters.count("dropped_errors")


def _named(site: Site, values: tuple[Any, ...] | dict[str, Any]) -> dict[str, Any]:
    if isinstance(values, dict):
        return values
    return dict(zip(site.names, values, strict=True))


def _is_recorded(site: Site, error: BaseException) -> bool:
    """Tell whether an inner call of the same site has recorded `error` already."""
    if isinstance(error, EXHAUSTED):
        return _MARK in own_attributes(error)
    return is_recursion(site, error)
