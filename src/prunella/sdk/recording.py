"""What happens around a call that is looked at, and after every call that fails.

`begin` decides whether this call is recorded and reads its arguments before the call; `returned`
and `failed` end it. A call is recorded

- *kept*: one of the first successes of its site, then at most one in ``sample_interval_ms``;
- *watched*: its inputs are held in memory and written only if it fails. Sites that wait for a
  failure with inputs (armed) are watched first; any other site is while the time for it lasts, so
  that all but the busiest functions have their inputs at their first failure.

Each of the three has its own share of the process's time (`Budget`). Locks are reentrant, because
a signal handler may run a site while another is being recorded by the same thread.
"""

import os
from itertools import count
from json import JSONEncoder
from threading import RLock
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from prunella.codec import encode, encode_mapping
from prunella.model.clock import now_us
from prunella.sdk import counters
from prunella.sdk.background import start, wake
from prunella.sdk.budget import Budget
from prunella.sdk.endings import ending_of, is_unchanged
from prunella.sdk.failure import Sight, describe, entries, own_attributes
from prunella.sdk.feed import Feed
from prunella.sdk.groups import Group, Groups, is_recursion
from prunella.sdk.installing import apply
from prunella.sdk.running import Failure, Running
from prunella.sdk.site import LOOK_NS, MAX_GRANT, Site, all_sites, by_code, hash_code, site_of_code
from prunella.sdk.spool import Spool, framed
from prunella.sdk.trace import current
from prunella.sdk.yields import NUMBERS_EACH, renumbered

if TYPE_CHECKING:
    from prunella.sdk.process import Host

#: A site's first successes are recorded whatever they cost, because nothing can be proven without
#: them; it has this many calls to succeed so often, for each of them.
TRIES = 10
#: Answers of boundary sites that are held for one watched call.
MAX_HELD = 200
MAX_HELD_BYTES = 1_000_000
#: How often it is looked whether the operator's file is there.
_SWITCH_NS = 1_000_000_000
#: What finding out costs that a call isn't recorded.
COST_OF_LOOK_NS = 3_000

_encode = JSONEncoder(separators=(",", ":"), check_circular=False).encode


EXHAUSTED = (RecursionError, MemoryError)
#: Set on an exception that says that stack or memory is used up, once it is recorded: the innermost
#: sites may have been unable to, so that its frames don't tell whether one has.
_MARK = "__prunella_recorded__"


def _to_json(tree: Any) -> str:
    """Return a tree as JSON text."""
    if tree is None:
        return "null"
    return int.__repr__(tree) if type(tree) is int else _encode(tree)


class Recorder:
    """Records the calls of one process. One instance; renewed in a forked child."""

    def __init__(self, host: "Host") -> None:
        self.host = host
        self.is_off = False
        self.feed = Feed(host.data_folder, apply)
        self.samples = Budget(burst_ms=10, share=0.005)
        self.armed = Budget(burst_ms=20, share=0.005)
        self.watching = Budget(burst_ms=10, share=0.005)
        self.looks = Budget(burst_ms=2, share=0.005)
        self.sample_interval_ns = host.settings.sample_interval_ms * 1_000_000
        self.renew()

    def renew(self) -> None:
        """Forget what belongs to the process: at the start, and in a forked child."""
        self.lock = RLock()
        self.groups = Groups()
        self.spool = Spool(self.host.data_folder / "spool", self._header)
        self._numbers = count(1)
        for site in all_sites():
            site.forget()
        self._sequence = 0
        self._look_at_switch_ns = 0

    # --- calls

    def begin(self, site: Site, values: dict[str, Any]) -> Running | None:
        """Decide about a call with these arguments; return its recording, or ``None``."""
        since = site.settle() + 1
        site.calls += 1
        start(self)
        now = perf_counter_ns()
        if self._stands_off(now):
            site.grant(MAX_GRANT)
            return None
        parent = current.get()
        kept = self._keeps(site, now)
        held = site.boundary and parent is not None and not parent.is_over
        budget = self.samples if kept else self.armed if site.wanting else self.watching
        armed = bool(site.wanting) and site.armed_left > 0
        if not (kept or held or armed or budget.allows(now)):
            self._let_pass(site, since, now)
            return None
        if armed:
            site.armed_left -= 1
        site.grant(0)
        site.last_look_ns = now
        running = self._start(site, parent)
        running.is_kept = kept
        redactor = self.redactor_of(site)
        running.inputs, running.complete = encode_mapping(values, redactor=redactor)
        running.started_us = now_us()
        running.started_ns = perf_counter_ns()
        budget.take(running.started_ns - now)
        running.token = current.set(running)
        return running

    def returned(self, running: Running, result: Any) -> None:
        """Record a call that returned `result`, if it is to be kept."""
        ended_ns = perf_counter_ns()
        self._leave(running)
        parent = running.parent
        held = running.site.boundary and parent is not None and not parent.is_over
        if not (running.is_kept or held):
            return
        site = running.site
        if running.yielded is not None:
            tree: Any = ["l", *running.yielded]
            complete = True
        else:
            tree, complete = encode(result, redactor=self.redactor_of(site))
        line = self._call_line(running, ended_ns, tree, complete)
        if running.is_kept:
            with self.lock:
                self._write(site, [*running.held, line])
            if site.first_left:
                site.first_left -= 1
            site.next_sample_ns = ended_ns + self.sample_interval_ns
            self.samples.take(perf_counter_ns() - ended_ns)
        elif parent is not None:
            lines = [*running.held, line]
            size = sum(map(len, lines))
            if len(parent.held) < MAX_HELD and parent.held_bytes + size <= MAX_HELD_BYTES:
                parent.held += lines
                parent.held_bytes += size
            else:
                parent.complete = False
                counters.count("dropped_boundary_calls")

    def _let_pass(self, site: Site, since: int, now: int) -> None:
        """Let calls of a site pass until about `LOOK_NS` are over, at the pace of the last ones.

        Where many sites look at the clock, each does so less often.
        """
        elapsed_ns = now - site.last_look_ns
        site.last_look_ns = now
        if not self.looks.allows(now):
            site.grant(MAX_GRANT)
            return
        self.looks.take(COST_OF_LOOK_NS)
        site.grant(min(MAX_GRANT, since * LOOK_NS // elapsed_ns) if elapsed_ns > 0 else MAX_GRANT)

    def note(self, running: Running, value: Any) -> None:
        """Record a value that a generator yields."""
        tree, complete = encode(value, redactor=self.redactor_of(running.site))
        if running.yielded is not None:
            running.yielded.append(renumbered(tree, NUMBERS_EACH * len(running.yielded)))
        running.complete = running.complete and complete

    def _keeps(self, site: Site, now: int) -> bool:
        if site.first_left is None:
            site.first_left = self.host.settings.sample_first
            site.tries_left = TRIES * site.first_left
        if site.capture == "errors" or (
            site.capture is None and self.host.settings.capture == "errors"
        ):
            return False
        if not site.first_left and now < site.next_sample_ns:
            return False
        if site.first_left and site.tries_left:
            site.tries_left -= 1
            return True
        if self.samples.allows(now):
            return True
        counters.count("dropped_samples")
        return False

    def _start(self, site: Site, parent: Running | None) -> Running:
        unique = f"{self.host.unique}{next(self._numbers):06x}"
        trace_id = f"trace_{unique}" if parent is None else parent.trace_id
        return Running(site, f"call_{unique}", trace_id, parent)

    def _leave(self, running: Running) -> None:
        running.is_over = True
        token, running.token = running.token, None
        if token is not None:
            try:
                current.reset(token)
            except ValueError:  # it ends in another context than it began in
                current.set(running.parent)

    def _call_line(self, running: Running, ended_ns: int, result: Any, complete: bool) -> bytes:
        parent = f'"{running.parent.call_id}"' if running.parent else "null"
        whole = "true" if running.complete and complete else "false"
        text = (
            f'{{"class":"call","call_id":"{running.call_id}",{self._place(running.site)},'
            f'"trace_id":"{running.trace_id}","parent_id":{parent},'
            f'"started_at":{running.started_us},'
            f'"duration_us":{(ended_ns - running.started_ns) // 1000},"complete":{whole},'
            f'"inputs":{_to_json(running.inputs)},"result":{_to_json(result)}}}'
        )
        return framed(text.encode())

    def _place(self, site: Site) -> str:
        """Return the JSON of what all records of a site say."""
        if site.place is None or site.place[0] != self.host.process_id:
            text = (
                f'"site_id":{_to_json(site.site_id)},"source_hash":"{self._version(site)}",'
                f'"process_id":"{self.host.process_id}"'
            )
            site.place = (self.host.process_id, text)
        return site.place[1]

    # --- failures

    def failed(
        self,
        site: Site,
        running: Running | None,
        values: dict[str, Any],
        error: BaseException,
    ) -> None:
        """Record a call that ended by `error`, before anybody else sees it."""
        if running is not None:
            self._leave(running)
        if self._stands_off(perf_counter_ns()):
            return
        ending = ending_of(site, error)
        if ending and not _is_recorded(site, error):
            with self.lock:
                self._record(site, running, values, error, ending)

    def _record(
        self,
        site: Site,
        running: Running | None,
        values: dict[str, Any] | None,
        error: BaseException,
        ending: str,
    ) -> None:
        at_us = now_us()
        is_exhausted = isinstance(error, EXHAUSTED)
        group = self.groups.of(site, error, is_first=is_exhausted)
        group.count += 1
        try:
            if group.is_due:
                self._occurrence(Failure(site, running, values, error, group, ending, at_us))
            elif group.inner is None:
                self._repeat(site, group, at_us)
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

    def elsewhere(self, error: BaseException) -> None:
        """Record an exception that no site has seen, at the innermost function of the project."""
        found = None
        for entry in entries(error.__traceback__):
            code = entry.tb_frame.f_code
            if id(code) in by_code:
                return
            if self.host.code_places.place(code.co_filename)[1]:
                found = entry.tb_frame
        site = None if found is None else site_of_code(found.f_code, found.f_globals)
        if site is None or self._stands_off(perf_counter_ns()):
            return
        with self.lock:
            self._record(site, None, None, error, "error")

    def _repeat(self, site: Site, group: Group, at_us: int) -> None:
        start = group.repeat_start
        if not start:
            start = group.repeat_start = (
                f'{{"class":"repeat","process_id":"{self.host.process_id}",'
                f'"group":"{group.name}","site_id":{_to_json(site.site_id)},"count":1,"at":'
            )
        line = framed(f"{start}{at_us}}}".encode())
        if not self.spool.prepare(at_us) or not self.spool.write(line):
            counters.count("dropped_errors")

    def _occurrence(self, failure: Failure) -> None:
        ended_ns = perf_counter_ns()
        site, group = failure.site, failure.group
        running = failure.running
        if running is None:
            running = self._start(site, current.get())
            running.started_us, running.started_ns = failure.at_us, ended_ns
            if failure.values is not None:
                running.inputs, running.complete = self._late_inputs(site, failure.values)
        inner = group.inner
        occurrence_id = self.new_id("occ")
        sight = Sight(self.redactor_of(site), self.host.code_places)
        parent = f'"{running.parent.call_id}"' if running.parent else "null"
        yielded = None if running.yielded is None else ["l", *running.yielded]
        caused_by = None if inner is None else inner.latest.latest if inner.latest else "occ_"
        text = (
            f'{{"class":"occurrence","occurrence_id":"{occurrence_id}","group":"{group.name}",'
            f'{self._place(site)},"trace_id":"{running.trace_id}","parent_id":{parent},'
            f'"call_id":"{running.call_id}","started_at":{running.started_us},'
            f'"duration_us":{(ended_ns - running.started_ns) // 1000},"ending":"{failure.ending}",'
            f'"complete":{"true" if running.complete else "false"},'
            f'"caused_by":{_to_json(caused_by)},"yielded":{_to_json(yielded)},'
            f'"inputs":{_to_json(running.inputs)},'
            f'"exception":{_to_json(describe(failure.error, sight))}}}'
        )
        if self._write(site, [*running.held, framed(text.encode())]):
            group.latest = occurrence_id
            group.complete += running.complete
        elif inner is None:
            counters.count("dropped_errors")

    def _late_inputs(self, site: Site, values: dict[str, Any]) -> tuple[Any, bool]:
        """Return inputs that were not read before the call, as far as they can't have changed."""
        kept = {name: value for name, value in values.items() if is_unchanged(name, value)}
        tree: Any
        tree, complete = encode_mapping(kept, redactor=self.redactor_of(site))
        if len(kept) == len(values):
            return tree, complete
        whole: list[Any] = ["d"]
        encoded = iter(zip(tree[1::2], tree[2::2], strict=True))
        for name, value in values.items():
            if name in kept:
                whole += next(encoded)
            else:
                cls = type(value)
                place = f"{cls.__module__}:{cls.__qualname__}"
                whole += (name, ["?", place, "not read before the call"])
        return whole, False

    # --- writing

    def new_id(self, prefix: str) -> str:
        """Return an id that no other process and no other call of this one has."""
        return f"{prefix}_{self.host.unique}{next(self._numbers):06x}"

    def redactor_of(self, site: Site) -> Any:
        """Return the redactor that is in force for a site."""
        return self.host.redactor_for(site.redact)

    def flush_counts(self) -> None:
        """Write the counters of the process as they stand."""
        with self.lock:
            self._sequence += 1
            sites = {}
            for site in all_sites():
                site.settle()
                if site.calls or site.errors:
                    sites[site.site_id] = {"calls": site.calls, "errors": site.errors}
            record = {
                "class": "counts",
                "process_id": self.host.process_id,
                "sequence": self._sequence,
                "sites": sites,
                "sdk": dict(counters.counters),
            }
            if self.spool.prepare(now_us()):
                self.spool.write(self._line(record))

    def _write(self, site: Site, lines: list[bytes]) -> bool:
        """Write lines of `site`, after its description if the file lacks it."""
        if not self.spool.prepare(now_us()):
            return False
        if site.site_id not in self.spool.described:
            self._version(site)
            lines.insert(0, self._line(site.record(self.host)))
        if not self.spool.write(b"".join(lines)):
            return False
        self.spool.described.add(site.site_id)
        wake(self)
        return True

    def finish(self) -> None:
        """Write the counters and give the spool up, at exit."""
        self.flush_counts()
        with self.lock:
            self.spool.close()

    def _header(self) -> bytes:
        return self._line(self.host.process_record())

    @staticmethod
    def _line(record: dict[str, Any]) -> bytes:
        return framed(_to_json(record).encode())

    @staticmethod
    def _version(site: Site) -> str:
        if not site.source_hash:
            site.source_hash = hash_code(site.code)
        return site.source_hash

    def _stands_off(self, now: int) -> bool:
        """Tell whether nothing may be recorded: switched off here, by setting or by the file."""
        if now >= self._look_at_switch_ns:
            self._look_at_switch_ns = now + _SWITCH_NS
            self.is_off = (
                self.host.settings.disabled
                or self.host.settings.capture == "none"
                or os.path.exists(self.host.data_folder / "disabled")  # noqa: PTH110 - cheaper
            )
        return self.is_off


def _is_recorded(site: Site, error: BaseException) -> bool:
    """Tell whether an inner call of the same site has recorded `error` already."""
    if isinstance(error, EXHAUSTED):
        return _MARK in own_attributes(error)
    return is_recursion(site, error)
