"""What this process writes into the spool, in order, under one lock.

The lock is reentrant, because a signal handler may run a site while another is being recorded by
the same thread.
"""

from collections.abc import Iterator
from itertools import count
from threading import RLock
from typing import TYPE_CHECKING, Any

from prunella.model.clock import now_us
from prunella.sdk import counters
from prunella.sdk.background import start
from prunella.sdk.feed import Feed
from prunella.sdk.installing import apply
from prunella.sdk.lines import record_line, source_hash
from prunella.sdk.runtime import get_fixing
from prunella.sdk.site import Site, all_sites
from prunella.sdk.spool import Spool
from prunella.sdk.waiting import Waiting

if TYPE_CHECKING:
    from prunella.model.records import FixCounts
    from prunella.sdk.process import Host
    from prunella.sdk.sampling import Sampling


#: Ends of unique numbers; putting one behind a beginning takes a third of the time of formatting.
_ENDS = [f"{number:02x}" for number in range(256)]


class Journal:
    """The spool of one process, with what has been described in it."""

    def __init__(self, host: "Host", sampling: "Sampling") -> None:
        self._host = host
        self._sampling = sampling
        #: Root of the project whose records these are.
        self.root = host.root
        #: The project doesn't say that nothing is to be done here, which holds until the end.
        self.is_wanted = not host.settings.disabled
        self.data_folder, self.settings = host.data_folder, host.settings
        self.feed = Feed(host.data_folder, apply)
        self.renew()

    def renew(self) -> None:
        """Forget what belongs to the process: at the start, and in a forked child."""
        self.lock = RLock()
        room_bytes = max(self.settings.spool_mb, 1) * 1024 * 1024
        self.spool = Spool(self.data_folder / "spool", self._header, room_bytes=room_bytes)
        self.waiting = Waiting(self._host, self, self._sampling)
        self._numbers = count()
        self._uniques: Iterator[str] = iter(())
        self._sequence = 0
        #: What fixes did, as it was written last.
        self._told: dict[str, FixCounts] = {}

    @property
    def dsn(self) -> str:
        """Where the records are reported to; empty for the store in the data folder."""
        return self.settings.dsn

    def new_unique(self) -> str:
        """Return what no other id has behind its prefix, in this process or any other."""
        found = next(self._uniques, None)
        if found is None:  # two threads may come here at once: each has a number of its own
            start = f"{self._host.unique}{next(self._numbers):04x}"
            uniques = map(start.__add__, _ENDS)
            found = next(uniques)
            self._uniques = uniques
        return found

    def write(self, site: Site, lines: bytes, at_us: int) -> bool:
        """Write lines of `site`, after its description if the file lacks it. Under the lock."""
        spool = self.spool
        if at_us <= spool.good_until_us and site.site_id in spool.described:
            return spool.append(lines, at_us)
        if not spool.prepare(at_us):
            return False
        if site.site_id in spool.described:
            return spool.write(lines)
        source_hash(site)
        if not spool.write(record_line(site.record(self._host)) + lines):
            return False
        spool.described.add(site.site_id)
        start(self)
        return True

    def write_all(self, lines: "list[tuple[Site, bytes]]", at_us: int) -> int:
        """Write lines with the sites that they are of, at once if it can be; return how many weren't."""
        with self.lock:
            spool = self.spool
            if spool.prepare(at_us) and all(site.site_id in spool.described for site, _ in lines):
                return 0 if spool.write(b"".join([line for _, line in lines])) else len(lines)
            return sum(not self.write(site, line, at_us) for site, line in lines)

    def flush(self) -> None:
        """Write what waits, and the counters as they stand, unless nothing may be written."""
        self._host.look()
        if self._host.is_off:
            return
        self.waiting.write()
        with self.lock:
            self._sequence += 1
            self._told = self._fixes()
            sites = {}
            for site in all_sites():
                site.settle()
                if site.calls or site.errors:
                    sites[site.site_id] = {"calls": site.calls, "errors": site.errors}
            record = {
                "class": "counts",
                "process_id": self._host.process_id,
                "sequence": self._sequence,
                "sites": sites,
                "sdk": dict(counters.counters),
                "fixes": {fix_id: self._plain(each) for fix_id, each in self._told.items()},
            }
            self.spool.append(record_line(record), now_us())

    def tell_of_fixes(self) -> None:
        """Write the counters if fixes did something that no record says yet."""
        if self._fixes() != self._told:
            self.flush()

    def _fixes(self) -> "dict[str, FixCounts]":
        fixing = get_fixing()
        return {} if fixing is None else fixing.counted()

    def _plain(self, counts: "FixCounts") -> dict[str, Any]:
        """Return what one fix did as JSON; the texts in it may say what the program was given."""
        clean = self._host.redactor.text
        found = {name: getattr(counts, name) for name in counts.__dataclass_fields__}
        found["would"] = {clean(what): times for what, times in counts.would.items()}
        found["latest"] = {event: clean(what) for event, what in counts.latest.items()}
        return {name: value for name, value in found.items() if value}

    def ship(self, *, at_exit: bool = False) -> bool:
        """Write what was counted of fixes in rollouts, if there is news; tell whether there was."""
        fixing = get_fixing()
        record = None
        if fixing is not None:
            record = fixing.shipment(self._host.process_id, at_exit=at_exit)
        if record is None:
            return False
        with self.lock:
            is_safe = self.spool.append(record_line(record), now_us())
        if not is_safe and fixing is not None:
            fixing.unsent()
        return is_safe

    def finish(self) -> None:
        """Write what there is and give the spool up, at exit."""
        self.waiting.close()
        self.ship(at_exit=True)
        self.flush()
        with self.lock:
            self.spool.close()

    def _header(self) -> bytes:
        return record_line(self._host.process_record())
