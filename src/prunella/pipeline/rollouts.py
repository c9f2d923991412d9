"""What people do with fixes: each a step that is kept with its reason and told to running programs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from prunella.fixes import parse
from prunella.model.audit import AuditEntry
from prunella.model.errors import StepRefused
from prunella.model.ids import IncidentId, ProcessId
from prunella.model.records import FixCounts, Process
from prunella.model.rollouts import LIVE, Rollout, RolloutState
from prunella.model.settings import Settings
from prunella.pipeline.advancing import baseline, status_after
from prunella.pipeline.lessons import keep_lessons
from prunella.ports import Feed, RolloutStore, Store
from prunella.rollout import By, Step, propose

#: How often a step is tried anew because somebody else took one at the same moment.
_TRIES = 10
#: Of projects that set nothing.
DEFAULTS = Settings()


class TakeStep(Protocol):
    """A step by hand: `prunella.rollout.approve` and its likes."""

    def __call__(self, rollout: Rollout, by: By, /) -> Step: ...


def add(
    store: RolloutStore,
    feed: Feed,
    document: Mapping[str, Any],
    by: By,
    *,
    incident_id: IncidentId | None = None,
    confidence: float = 0.0,
    shadow: bool = False,
    keep: bool = True,
) -> Rollout:
    """Keep a fix document as a candidate; a document of a known `fix_id` is its next version.

    With `keep` false nothing is written: a dry run.

    Raises `FixError` where the document isn't valid, and `StepRefused` where its latest version is
    at work or waits.
    """
    fix = parse(document)
    for _ in range(_TRIES):
        latest = _latest(store, fix.fix_id)
        if latest is not None and latest.state in {*LIVE, RolloutState.CANDIDATE}:
            raise StepRefused(
                f"{fix.fix_id} is there already, as version {latest.version}: "
                f"{latest.state.value}. Roll it back or remove it first, or choose another fix_id."
            )
        version = 1 if latest is None else latest.version + 1
        rollout, because = propose(
            fix.document(),
            by,
            version=version,
            incident_id=incident_id,
            confidence=confidence,
            shadow=shadow,
        )
        if not keep:
            return rollout
        if store.add_rollout(rollout, because):
            feed.publish(store)
            return rollout
    raise StepRefused(f"{fix.fix_id} is being added by others at the same time; try again.")


def take(
    store: Store, feed: Feed, name: str, step: TakeStep, by: By, settings: Settings = DEFAULTS
) -> Rollout:
    """Take a step with the rollout that `name` stands for, and tell the running programs.

    The step that lets a fix act freezes what its units are measured by.

    Raises `UnknownName`, `AmbiguousName`, and `StepRefused` where it can't from where it stands.
    """
    for _ in range(_TRIES):
        before = store.rollout(name)
        after, because = step(before, by)
        if after.state in LIVE and after.baseline is None:
            after = replace(after, baseline=baseline(store, after.document, settings))
        status = status_after(store, before, after, by_itself=False)
        if store.step_rollout(after, because, status=status):
            feed.publish(store)
            keep_lessons(store, [after])
            return after
    raise StepRefused(f"{name} is being changed by others at the same time; try again.")


def _latest(store: RolloutStore, fix_id: str) -> Rollout | None:
    versions = [item for item in store.rollouts() if item.fix_id == fix_id]
    return max(versions, key=lambda item: item.version, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixStory:
    """A fix with what was decided about it, oldest first."""

    rollout: Rollout
    history: tuple[AuditEntry, ...]
    #: What it did in each process, all its versions together; the latest process first.
    processes: tuple["FixInProcess", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FixInProcess:
    """What a fix did in one process."""

    process_id: ProcessId
    #: ``None`` where the process isn't kept any more.
    process: Process | None
    counts: FixCounts


def tell_fix(store: Store, name: str) -> FixStory:
    """Return everything that is kept about one fix; raises `UnknownName`, `AmbiguousName`."""
    rollout = store.rollout(name)
    return FixStory(
        rollout=rollout,
        history=tuple(store.audit(subject=rollout.rollout_id)),
        processes=_processes(store, rollout.fix_id),
    )


def _processes(store: Store, fix_id: str) -> tuple[FixInProcess, ...]:
    found = [
        FixInProcess(
            process_id=item.process_id,
            process=store.process(item.process_id),
            counts=item.fixes[fix_id],
        )
        for item in store.counts()
        if fix_id in item.fixes
    ]
    return tuple(sorted(found, key=_began_at, reverse=True))


def _began_at(item: FixInProcess) -> str:
    return "" if item.process is None else item.process.started_at.isoformat()
