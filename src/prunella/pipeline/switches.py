"""Kill switches of a project that are kept in its store, for programs that report to a server.

They are decisions like others: each is an entry of the audit log, and the entries say what is off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from prunella.model.audit import AuditEntry
from prunella.model.clock import now
from prunella.model.ids import AuditId, new_id
from prunella.ports import RolloutStore

#: What all entries are about.
SUBJECT = "switches"
#: Everything: programs record nothing and apply nothing.
SDK = "sdk"
#: All fixes.
FIXES = "fixes"
_ONE_FIX = "fix:"
_OFF, _ON = "switch.off", "switch.on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Off:
    """What is switched off in the programs of a project."""

    sdk: bool = False
    all_fixes: bool = False
    #: Ids of fixes that are switched off one by one, sorted.
    fixes: tuple[str, ...] = ()


def switch_of(fix_id: str) -> str:
    """Return the switch of one fix."""
    return f"{_ONE_FIX}{fix_id}"


def turn(store: RolloutStore, switch: str, *, off: bool, actor: str, reason: str) -> bool:
    """Turn a switch; return whether it stood the other way. Raises `StoreError`."""
    if (switch in _switched_off(store.audit(subject=SUBJECT))) is off:
        return False
    store.save_audit(
        AuditEntry(
            audit_id=AuditId(new_id("aud")),
            at=now(),
            actor=actor,
            action=_OFF if off else _ON,
            subject=SUBJECT,
            reason=reason or "by hand",
            evidence={"switch": switch},
        )
    )
    return True


def switched_off(store: RolloutStore) -> Off:
    """Return what is off; raises `StoreError`."""
    found = _switched_off(store.audit(subject=SUBJECT))
    fixes = sorted(each.removeprefix(_ONE_FIX) for each in found if each.startswith(_ONE_FIX))
    return Off(sdk=SDK in found, all_fixes=FIXES in found, fixes=tuple(fixes))


def _switched_off(entries: Sequence[AuditEntry]) -> set[str]:
    found: set[str] = set()
    for entry in entries:
        switch = str(entry.evidence.get("switch", ""))
        if entry.action == _OFF:
            found.add(switch)
        elif entry.action == _ON:
            found.discard(switch)
    return found
