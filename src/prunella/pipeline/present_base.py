"""Bringing an accepted patch onto what the code host has now."""

from dataclasses import dataclass, replace

from prunella.model.errors import PatchRefused, SourceUnavailable
from prunella.model.repair import Candidate
from prunella.patching import rebase
from prunella.ports import CodeHost


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """An accepted patch that isn't handed to people after all."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A candidate as an edit of the code host's present base."""

    candidate: Candidate
    #: That commit; ``None`` for a plain folder.
    base: str | None
    #: Its file isn't the one that the candidate was proven with: it has to be proven again.
    is_changed: bool
    #: What people call that base.
    where: str

    def note(self, commit: str | None) -> str:
        """Return what people have to know of a patch that was made on `commit`."""
        if not self.is_changed:
            return ""
        return (
            f"`{self.candidate.patch.path}` has changed since the commit `{(commit or '')[:12]}` that "
            f"the patch was made on. It was carried over to `{(self.base or '')[:12]}` and proven "
            "again with that file; the other files were those of the earlier commit."
        )


def carry_over(host: CodeHost, candidate: Candidate) -> Carried | Withdrawn:
    """Return `candidate` on the host's present base; raises what the host raises."""
    patch, base = candidate.patch, host.base()
    present = host.read(patch.path, base)
    where = f"on {host.name}, at the commit {(base or '')[:12]}"
    if present == patch.before:
        return Carried(candidate=candidate, base=base, is_changed=False, where=where)
    if present is None:
        return Withdrawn(reason=f"{patch.path} is not there any more {where}")
    try:
        candidate = replace(candidate, patch=rebase(patch, present))
    except (PatchRefused, SourceUnavailable) as error:
        return Withdrawn(reason=f"the patch doesn't fit {patch.path} {where}: {error}")
    return Carried(candidate=candidate, base=base, is_changed=True, where=where)
