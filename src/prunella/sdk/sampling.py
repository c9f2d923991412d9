"""Which calls are recorded: the first ones, then as many as a small share of the time pays for.

A call is

- *kept*: one of the first successes of its site, then at most one in ``sample_interval_ms``;
- *watched*: its inputs are held in memory and written only if it fails. Sites that wait for a
  failure with inputs (armed) are watched first; any other site is while the time for it lasts, so
  that all but the busiest functions have their inputs at their first failure.

Each of these has its own share of the process's time (`Budget`).
"""

from typing import TYPE_CHECKING

from prunella.sdk import counters
from prunella.sdk.budget import Budget
from prunella.sdk.site import LOOK_NS, MAX_GRANT, Site

if TYPE_CHECKING:
    from prunella.model.settings import Settings

#: A site's first successes are recorded whatever they cost, because nothing can be proven without
#: them; it has this many calls to succeed so often, for each of them.
TRIES = 10
#: What finding out costs that a call isn't recorded.
COST_OF_LOOK_NS = 3_000
#: How often a site looks at the clock when there is no time left for looks, and how many calls it
#: lets pass at most.
SELDOM_NS = 10_000_000
MOST_GRANTED = 4_096


class Sampling:
    """The shares of the process's time, and what they are spent on."""

    def __init__(self, settings: "Settings") -> None:
        #: Successes of each site that are recorded whatever they cost.
        self.first = settings.sample_first
        self.keeps_successes = settings.capture != "errors"
        self.interval_ns = settings.sample_interval_ms * 1_000_000
        self.samples = Budget(burst_ms=10, share=0.005)
        self.armed = Budget(burst_ms=20, share=0.005)
        self.watching = Budget(burst_ms=10, share=0.005)
        self.looks = Budget(burst_ms=2, share=0.005)

    def keeps(self, site: Site, now: int) -> bool:
        """Tell whether a success of `site` is recorded now."""
        if site.first_left is None:
            site.first_left = self.first
            site.tries_left = TRIES * site.first_left
            if site.capture is None:
                site.keeps_successes = self.keeps_successes
            else:
                site.keeps_successes = site.capture != "errors"
        if not site.keeps_successes:
            return False
        if site.first_left:
            if site.tries_left:
                site.tries_left -= 1
                return True
        elif now < site.next_sample_ns:
            return False
        if self.samples.allows(now):
            return True
        counters.count("dropped_samples")
        return False

    def watches(self, site: Site, now: int) -> "Budget | None":
        """Return what pays for watching a call of `site`, or ``None`` where nothing does."""
        if not site.wanting:
            return self.watching if self.watching.allows(now) else None
        if site.armed_left > 0:
            site.armed_left -= 1
            return self.armed
        return self.armed if self.armed.allows(now) else None

    def let_pass(self, site: Site, since: int, now: int) -> None:
        """Let calls of a site pass until about `LOOK_NS` are over, at the pace of the last ones.

        Where many sites look at the clock, each does so about once in `SELDOM_NS`.
        """
        elapsed_ns = max(now - site.last_look_ns, 1)
        site.last_look_ns = now
        if self.looks.allows(now):
            self.looks.take(COST_OF_LOOK_NS)
            site.grant(min(since * LOOK_NS // elapsed_ns, MAX_GRANT))
        else:
            # A slow site too lets many calls pass: a thousand of them are a load like a busy one.
            site.grant(min(max(since * SELDOM_NS // elapsed_ns, MAX_GRANT), MOST_GRANTED))
