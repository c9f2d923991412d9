"""The breaker: a fix that makes every call fail is off before anything else reacts.

It doesn't decide whether a fix is worth its while; that is the rollout's. It stops total failure:
`FATAL` treated calls in a row that failed by the fix's doing, with no control call succeeding or
failing otherwise. A call failed *by the fix's doing* if

- the fix acts before the call or on its result, and the call failed, while the latest control calls
  (if there are any) haven't all failed too;
- the fix acts after a failure, and the call failed in another way than the one that the fix set
  out to heal: a retry that doesn't help leaves things as they were.
"""

from threading import Lock

#: Harmed calls in a row that switch a fix off.
FATAL = 5


class Breaker:
    """Counts harmed calls in a row for one fix."""

    def __init__(self, *, acts_after_failure: bool) -> None:
        self._acts_after_failure = acts_after_failure
        self._lock = Lock()
        #: A call has failed lately, so that one which succeeds is of interest.
        self.listens = False
        self._harmed = 0
        #: Control calls that failed in a row, up to the latest.
        self._control_failures = 0

    def control(self, *, failed: bool) -> None:
        """Take in a call of the control arm."""
        if not (failed or self._control_failures):
            return
        with self._lock:
            self._control_failures = self._control_failures + 1 if failed else 0
            self.listens = bool(self._control_failures or self._harmed)

    def treated(self, *, failed: bool, as_before: bool) -> bool:
        """Take in a call that got the fix; return whether the fix must go.

        `as_before` says that it failed by the error that the fix was triggered by.
        """
        if not (failed or self._harmed):
            return False
        with self._lock:
            if not failed:
                self._harmed = 0
                self.listens = bool(self._control_failures)
                return False
            if self._acts_after_failure and as_before:
                return False
            self._harmed += 1
            self.listens = True
            down = not self._acts_after_failure and self._control_failures >= FATAL
            return self._harmed >= FATAL and not down
