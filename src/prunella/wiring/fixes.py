"""The fixes of one project: what the commands and users' code call."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from prunella.adapters.feed import switch_off, switch_on
from prunella.model.clock import now
from prunella.model.errors import StepRefused
from prunella.model.ids import IncidentId
from prunella.model.project import data_folder
from prunella.model.rollouts import Rollout, RolloutState
from prunella.model.settings import Settings
from prunella.pipeline.advancing import is_quiet
from prunella.pipeline.fixes import Suggestion, suggest_fixes
from prunella.pipeline.looking import Look, look_at
from prunella.pipeline.rollouts import FixStory, TakeStep, add, take, tell_fix
from prunella.ports import Feed, KeptModel, Store
from prunella.rollout import By, approve, pause, promote, remove, resume, roll_back


class Fixes:
    """Keeps fix documents, and steers what running programs apply.

    Every step is kept with who took it and why. Steps raise `UnknownName`, `AmbiguousName` where
    `name` isn't one fix's id (or a beginning of it), and `StepRefused` where it can't take the step
    from where it stands.
    """

    def __init__(
        self,
        store: Store,
        feed: Feed,
        *,
        settings: Settings,
        actor: str | None = None,
        open_model: Callable[[IncidentId], KeptModel] | None = None,
    ) -> None:
        self._store, self._feed = store, feed
        self._settings = settings
        self._actor = actor or user()
        self._open_model = open_model

    def list(self, *, states: Collection[RolloutState] | None = None) -> Sequence[Rollout]:
        """Return the rollouts of fixes, the one that changed last first."""
        return self._store.rollouts(states=states)

    def story(self, name: str) -> FixStory:
        """Return a fix with its history."""
        return tell_fix(self._store, name)

    def look(self, name: str) -> Look:
        """Return a rollout with what was counted of it and what that says so far."""
        return look_at(self._store, name, self._settings)

    def add(
        self,
        document: Mapping[str, Any],
        *,
        reason: str = "",
        shadow: bool = False,
        keep: bool = True,
    ) -> Rollout:
        """Keep a fix document as a candidate; raises `FixError` where it isn't valid.

        With `keep` false nothing is written: a dry run.
        """
        by = self._by(reason)
        return add(self._store, self._feed, document, by, shadow=shadow, keep=keep)

    def suggest(self, incident_id: str, *, keep: bool = True) -> Sequence[Suggestion]:
        """Propose fixes for an incident, try each on its records, and decide; the surest first.

        What is sure enough is kept and waits for approval, or starts by itself where the project
        has set ``auto_fix_enabled``. With `keep` false nothing is kept.
        """
        from prunella.adapters.retrieval import HybridRetriever

        by = By(actor="healer", at=now(), reason="")
        settings = self._settings
        may_start = settings.auto_fix_enabled and not is_quiet(settings.quiet_hours, by.at)
        return suggest_fixes(
            self._store,
            self._feed,
            incident_id,
            by,
            may_start=may_start,
            keep=keep,
            open_model=self._open_model,
            retriever=HybridRetriever(),
        )

    def approve(self, name: str, *, reason: str = "") -> Rollout:
        """Let a candidate act on the canary's share of the traffic."""
        permit(self._actor, self._settings)
        return self._take(name, approve, reason)

    def promote(self, name: str, *, reason: str = "") -> Rollout:
        """Let a fix act everywhere but on the holdback, without waiting for evidence."""
        permit(self._actor, self._settings)
        return self._take(name, promote, reason)

    def pause(self, name: str, *, reason: str = "") -> Rollout:
        """Stop a fix for now."""
        return self._take(name, pause, reason)

    def resume(self, name: str, *, reason: str = "") -> Rollout:
        """Let a paused fix go on."""
        permit(self._actor, self._settings)
        return self._take(name, resume, reason)

    def roll_back(self, name: str, *, reason: str = "") -> Rollout:
        """Take a fix back everywhere, for good."""
        return self._take(name, roll_back, reason)

    def remove(self, name: str, *, reason: str = "") -> Rollout:
        """Retire a fix; its history stays."""
        return self._take(name, remove, reason)

    def _take(self, name: str, step: TakeStep, reason: str) -> Rollout:
        return take(self._store, self._feed, name, step, self._by(reason), self._settings)

    def _by(self, reason: str) -> By:
        return By(actor=self._actor, at=now(), reason=reason)


def off(root: Path, fix_id: str | None, *, reason: str = "", recording: bool = False) -> Path:
    """Switch a fix of the project at `root` off, or all of them (``None``), without the store.

    With `recording`, everything that Prunella does in programs. Return the file that does it; it
    says who and why. Raises `StoreError`.
    """
    why = f"{now():%Y-%m-%d %H:%M:%S} {user()}: {reason or 'by hand'}"
    return switch_off(data_folder(root), fix_id, why, recording=recording)


def on(root: Path, fix_id: str | None, *, recording: bool = False) -> bool:
    """Take `off` back; return whether it was off. Raises `StoreError`."""
    return switch_on(data_folder(root), fix_id, recording=recording)


def permit(actor: str, settings: Settings) -> None:
    """Raise `StepRefused` where the project names who may let fixes act, and `actor` isn't one."""
    allowed = {each.strip() for each in settings.approvers.split(",") if each.strip()}
    name = actor.partition("@")[0]
    if allowed and not {name, actor} & allowed:
        raise StepRefused(
            f"{name} may not let fixes act: the setting approvers names "
            f"{', '.join(sorted(allowed))}. Ask one of them; pausing and rolling back is "
            "everybody's."
        )


def user() -> str:
    """Return ``user@host``."""
    import getpass
    import platform

    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        name = "unknown"
    return f"{name}@{platform.node()}"
