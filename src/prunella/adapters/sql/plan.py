"""How a schema grows: numbered steps, and which releases may use what they lead to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """Statements of a step that can't be the same in both databases."""

    sqlite: tuple[str, ...] = ()
    postgres: tuple[str, ...] = ()


Step = tuple[str | Each, ...]
"""Statements that go together; plain ones are written as SQLite reads them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All steps of one schema, oldest first. Steps are only ever appended.

    A step adds: tables, indexes, columns that have a default. The release before goes on with what it
    knows, so that an upgrade is: migrate, then replace one process after the other. A step that takes
    something away names in `breaks` the oldest schema version whose release may still use the result,
    and belongs into a release after the one that stopped using it.
    """

    #: What people call what is kept there.
    name: str
    #: Marks a SQLite file as made by this plan.
    application_id: int
    steps: tuple[Step, ...]
    #: Number of a step to the oldest schema version that a release must know after it.
    breaks: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def version(self) -> int:
        """The schema version that all steps lead to."""
        return len(self.steps)

    def least(self, version: int) -> int:
        """Return the oldest schema version whose release may use a store of `version`."""
        return max((self.breaks.get(step, 0) for step in range(1, version + 1)), default=0)

    def statements(self, step: int, database: str) -> Iterator[str]:
        """Return what step number `step` runs in ``sqlite`` or ``postgres``."""
        for item in self.steps[step - 1]:
            if isinstance(item, str):
                yield item
            else:
                yield from item.sqlite if database == "sqlite" else item.postgres
