"""What happens around a call that is looked at, and after every call that fails.

`begin` decides whether this call is recorded (`prunella.sdk.sampling`) and reads its arguments
before the call; `returned` and `failed` end it. Scalars can't change while it runs: of a call that
is only watched they are read when it has failed.
"""

from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from prunella.codec import encode, encode_mapping
from prunella.codec.snapshot import snapshot
from prunella.codec.texts import Text, form_of, text_of, to_json, values_text
from prunella.model.clock import now_us
from prunella.sdk import counters
from prunella.sdk.background import start
from prunella.sdk.endings import SCALARS
from prunella.sdk.failures import Failures
from prunella.sdk.journal import Journal
from prunella.sdk.lines import call_line
from prunella.sdk.running import Running
from prunella.sdk.sampling import Sampling
from prunella.sdk.site import MAX_GRANT, Site, all_sites
from prunella.sdk.trace import current
from prunella.sdk.yields import NUMBERS_EACH, renumbered

if TYPE_CHECKING:
    from prunella.codec.redact import Redactor
    from prunella.sdk.process import Host

#: Answers of boundary sites that are held for one watched call.
MAX_HELD = 200
MAX_HELD_BYTES = 1_000_000


class Recorder:
    """Records the calls of one process. One instance; renewed in a forked child."""

    def __init__(self, host: "Host") -> None:
        self.host = host
        self.sampling = Sampling(host.settings)
        self.journal = Journal(host, self.sampling)
        self.failures = Failures(host, self.journal)
        self._forget()

    def renew(self) -> None:
        """Forget what belongs to the process, in a forked child."""
        self.journal.renew()
        self.failures.renew()
        self._forget()

    def _forget(self) -> None:
        for site in all_sites():
            site.forget()

    def begin(self, site: Site, values: tuple[Any, ...]) -> Running | None:
        """Decide about a call with these arguments; return its recording, or ``None``."""
        site.settle()
        site.calls += 1
        now = perf_counter_ns()
        host = self.host
        if now >= host.look_again_ns:
            host.look()
            start(self.journal)
        if host.is_off:
            site.grant(MAX_GRANT)
            return None
        sampling = self.sampling
        parent = current.get()
        is_kept = sampling.keeps(site, now)
        budget = sampling.samples if is_kept else sampling.watches(site, now)
        if budget is None:
            if not site.boundary or parent is None or parent.is_over:
                sampling.let_pass(site, site.calls - site.calls_at_look, now)
                site.calls_at_look = site.calls
                return None
            budget = sampling.watching
        if site.granted:
            site.grant(0)
        site.last_look_ns, site.calls_at_look = now, site.calls
        running = Running(site, self.journal.new_unique(), parent)
        if is_kept or site.boundary:
            running.is_kept = is_kept
            self._read(running, values)
        else:
            self._read_early(running, values)
        running.started_ns = started_ns = perf_counter_ns()
        budget.take(started_ns - now)
        running.token = current.set(running)
        return running

    def _read(self, running: Running, values: tuple[Any, ...]) -> None:
        site, host = running.site, self.host
        form = site.form
        if running.is_kept and not site.first_left and not site.boundary:
            running.may_wait = True
            given = None if form is None else snapshot(values)
            if given is not None:
                running.given, running.complete = given, True
                return
        redactor = host.redactor_for(site.redact) if site.redact else host.redactor
        if form is None:
            form = site.form = form_of(site.names, redactor)
        running.inputs, running.complete = values_text(form, site.names, values, redactor)

    def _redactor(self, site: Site) -> "Redactor":
        return self.host.redactor_for(site.redact) if site.redact else self.host.redactor

    def _read_early(self, running: Running, values: tuple[Any, ...]) -> None:
        named = zip(running.site.names, values, strict=True)
        early = {name: item for name, item in named if id(type(item)) not in SCALARS}
        if early:
            redactor = self._redactor(running.site)
            running.early, running.complete = encode_mapping(early, redactor=redactor)
        else:
            running.early, running.complete = ["d"], True

    def returned(self, running: Running, result: Any) -> None:
        """Record a call that returned `result`, if it is to be kept."""
        ended_ns = perf_counter_ns()
        running.leave()
        site, parent = running.site, running.parent
        if not running.is_kept and (not site.boundary or parent is None or parent.is_over):
            return
        host = self.host
        redactor = host.redactor_for(site.redact) if site.redact else host.redactor
        running.duration_us = duration_us = (ended_ns - running.started_ns) // 1000
        at_us = now_us()
        running.started_us = at_us - duration_us
        if running.may_wait:
            if running.yielded is None:
                running.result = snapshot((result,))
            if running.result is None:
                running.answer = _answer(running, result, redactor)
            self.journal.waiting.add(running)
        else:
            running.answer = _answer(running, result, redactor)
            line = call_line(running, host.process_id, redactor)
            if parent is not None and not running.is_kept:
                _hold(parent, [*running.held, line] if running.held else [line])
                return
            self._write(site, b"".join((*running.held, line)) if running.held else line, at_us)
        site.next_sample_ns = ended_ns + self.sampling.interval_ns
        self.sampling.samples.take(perf_counter_ns() - ended_ns)

    def _write(self, site: Site, lines: bytes, at_us: int) -> None:
        with self.journal.lock:
            if not self.journal.write(site, lines, at_us):
                counters.count("dropped_samples")
        if site.first_left:
            site.first_left -= 1

    def note(self, running: Running, value: Any) -> None:
        """Record a value that a generator yields."""
        redactor = self._redactor(running.site)
        tree, complete = encode(value, redactor=redactor)
        if running.yielded is not None:
            running.yielded.append(renumbered(tree, NUMBERS_EACH * len(running.yielded)))
        running.complete = running.complete and complete


def _answer(running: Running, result: Any, redactor: "Redactor") -> Text:
    """Return the text of what a call returned, or of all that it yielded."""
    if running.yielded is not None:
        return to_json(["l", *running.yielded]), True
    return text_of(result, redactor)


def _hold(parent: Running, lines: list[bytes]) -> None:
    """Keep the lines of a boundary call with the call that made it."""
    size = sum(map(len, lines))
    if parent.held is None:
        parent.held = []
    if len(parent.held) < MAX_HELD and parent.held_bytes + size <= MAX_HELD_BYTES:
        parent.held += lines
        parent.held_bytes += size
    else:
        parent.complete = False
        counters.count("dropped_boundary_calls")
