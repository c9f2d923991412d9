"""Cases, alerts, audit, settings: lists that are shown as they are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from prunella.model.audit import AuditEntry
from prunella.model.incidents import Case
from prunella.model.settings import Settings, shown, variable_name
from prunella.ports import Store
from prunella.server.dashboard.views.code import DiffLine, diff_lines
from prunella.wiring.healer import Healer

_MAX_ENTRIES = 2000
_PER_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCase:
    """A case with its diff."""

    case: Case
    diff: tuple[DiffLine, ...]


def cases(store: Store, text: str) -> tuple[ShownCase, ...]:
    """Return what was learned where it has all words of `text`, the latest first."""
    words = text.lower().split()
    found = [
        case
        for case in store.cases()
        if all(
            word
            in f"{case.function} {case.error_type} {case.error_code} {case.message} "
            f"{case.root_cause} {case.resolution} {case.origin}".lower()
            for word in words
        )
    ]
    found.sort(key=lambda case: case.learned_at, reverse=True)
    return tuple(ShownCase(case=case, diff=diff_lines(case.diff)) for case in found[:_PER_PAGE])


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """One page of decisions, the latest first."""

    entries: tuple[AuditEntry, ...]
    total: int
    page: int
    pages: int
    #: Id of a subject to the address within the project that shows it.
    links: Mapping[str, str]


def audit_page(store: Store, text: str, page: int) -> AuditPage:
    """Return the decisions that have all words of `text`."""
    words = text.lower().split()
    found = [
        entry
        for entry in reversed(store.audit(limit=_MAX_ENTRIES))
        if all(
            word in f"{entry.actor} {entry.action} {entry.subject} {entry.reason}".lower()
            for word in words
        )
    ]
    pages = max(1, -(-len(found) // _PER_PAGE))
    page = min(max(page, 1), pages)
    entries = found[(page - 1) * _PER_PAGE : page * _PER_PAGE]
    return AuditPage(
        entries=tuple(entries),
        total=len(found),
        page=page,
        pages=pages,
        links={entry.subject: _link(entry.subject) for entry in entries},
    )


def _link(subject: str) -> str:
    if subject.startswith("inc_"):
        return f"/incidents/{subject}"
    return f"/fixes/{subject}" if subject.startswith("rol_") else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSetting:
    """One setting in force."""

    name: str
    value: Any
    doc: str
    origin: str
    variable: str
    is_default: bool


def settings(healer: Healer) -> Sequence[ShownSetting]:
    """Return every setting; of a secret, only whether it is set."""
    origins = healer.loaded.origins
    return [
        ShownSetting(
            name=item.name,
            value=shown(item.name, getattr(healer.settings, item.name)),
            doc=item.metadata["doc"],
            origin=origins[item.name],
            variable=variable_name(item.name),
            is_default=origins[item.name] == "default",
        )
        for item in fields(Settings)
    ]
