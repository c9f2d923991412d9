"""What reaches running programs and people."""

from collections.abc import Callable
from typing import Protocol

from prunella.model.alerts import Alert
from prunella.ports.store_parts import RolloutStore

Progress = Callable[[str], None]
"""Told in a few words what is being done now; for a person who waits."""


class Feed(Protocol):
    """How running programs hear of what they are to apply."""

    def publish(self, store: RolloutStore) -> bool:
        """Tell them what `store` says now; return whether that is news. Raises `StoreError`."""
        ...


class Notifier(Protocol):
    """One place that people are told at."""

    @property
    def name(self) -> str:
        """What kind of place it is and which, without its secrets: ``slack 3f2a1c09``."""
        ...

    def send(self, alert: Alert) -> None:
        """Deliver an alert within seconds; raises `NotDelivered` where it did not arrive."""
        ...
