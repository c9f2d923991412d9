"""The healer of one project, put together from settings: what the commands and users' code call."""

import os
from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property

from prunella.model.audit import AuditEntry
from prunella.model.clock import now
from prunella.model.ids import AuditId, new_id
from prunella.model.incidents import Diagnosis, Incident, IncidentStatus
from prunella.model.project import data_folder
from prunella.model.repair import Publication
from prunella.pipeline.claims import claimed
from prunella.pipeline.faults import note_fault
from prunella.pipeline.heal import find_cause, heal
from prunella.pipeline.heal_tests import heal_tests
from prunella.pipeline.metrics import Metrics, measure
from prunella.pipeline.names import find_incidents, find_site, is_healable, spreads_of, worst_first
from prunella.pipeline.publications import sync
from prunella.pipeline.refresh import triage_pending
from prunella.pipeline.replay import replay_site
from prunella.pipeline.results import Healing, HealingOutcome, RefreshReport, ReplayReport, Story
from prunella.pipeline.story import tell
from prunella.ports import KeptCall
from prunella.wiring import SPOOL_NAME, retention
from prunella.wiring.assembly import Assembly
from prunella.wiring.fixes import user
from prunella.wiring.programs import Programs

#: Incidents that words are compared with, and the least likeness that is worth showing.
_NEAR_MOST, _NEAR_LEAST = 1000, 0.1
#: The store is looked through for what is too old this often.
_PRUNE_EACH = timedelta(hours=1)


class Healer(Assembly):
    """Finds out why functions under ``@heal`` fail, and repairs them.

    `model` names a language model (``"openai:gpt-4.1"``, or plain ``"gpt-4-turbo"``); without one the
    built-in rules work alone. `root` is the project's folder, found from the working directory by
    default. Further keyword arguments are settings and win over environment and ``pyproject.toml``.

    Raises `ConfigurationError` for a bad setting. `close` closes the store; also a context manager that
    does.
    """

    def note_fault(self, activity: str, error: Exception) -> None:
        """Keep an error of the healer as an incident of its own, where the store still takes it."""
        note_fault(self.store, activity, error)

    def clear_faults(self, activity: str | None = None) -> None:
        """Close the incidents of the healer's own errors: in `activity`, or all."""
        self.store.clear_faults(activity=activity, at=now())

    def refresh(self) -> RefreshReport:
        """Bring the store up to date: take in what was spooled, forget what is old, triage what is new.

        Records of a folder whose programs report to a server are left to that.
        """
        from prunella.adapters.spool import DrainReport, drain

        spool = data_folder(self.root) / SPOOL_NAME
        drained = DrainReport()
        if not self.reports_to:
            drained = drain(spool, self.store, retention=retention(self.settings))
        return RefreshReport(
            records=drained.records,
            unreadable=drained.torn,
            triaged=self.settle(),
            left_alone=drained.refused,
        )

    def settle(self) -> int:
        """Triage what is new, let rollouts go on, forget what is old; return how many were triaged."""
        from prunella.adapters.feed import FileFeed
        from prunella.pipeline.advancing import advance_rollouts
        from prunella.triage import load_rules

        triaged = triage_pending(self.store, load_rules(self.root))
        advance_rollouts(self.store, FileFeed(data_folder(self.root)), self.settings)
        kept = retention(self.settings)
        self.store.prune(max_age=kept.max_age, max_bytes=kept.max_bytes, at_most_each=_PRUNE_EACH)
        return triaged

    @cached_property
    def programs(self) -> Programs:
        """What programs report over the network, and what they hear."""
        return Programs(self)

    def sync(self) -> Sequence[Publication]:
        """See what people did with the pull requests, and learn from it; return what has changed.

        Raises `CodeHostError`.
        """
        return sync(self.store, self.host) if self.store.publications() else ()

    def incidents(self, *, status: IncidentStatus | None = None) -> Sequence[Incident]:
        """Return incidents, the one seen last first."""
        return self.store.incidents(status=status)

    def near(self, text: str, *, limit: int = 5) -> Sequence[Incident]:
        """Return incidents near to `text` in words and meaning, the nearest first.

        Of the thousand that failed last; what shares next to nothing with it is left out.
        """
        from prunella.adapters.retrieval import HybridRetriever
        from prunella.taxonomy import CODES

        recent = self.store.texts(limit=_NEAR_MOST)
        texts = [
            f"{item.error_code} {CODES[item.error_code].sentence if item.error_code in CODES else ''} "
            f"{item.error_type} {item.site_id} {item.message[:300]}"
            for item in recent
        ]
        found = HybridRetriever().rank(text, texts, limit=limit)
        near = [recent[index] for index, similarity in found if similarity >= _NEAR_LEAST]
        return [self.store.incident(item.incident_id) for item in near]

    def metrics(self, *, within: timedelta | None = None) -> Metrics:
        """Return how well healing works: of what happened lately, or of all that is kept."""
        at = now()
        return measure(self.store, since=None if within is None else at - within, at=at)

    def ignore(self, incident_id: str, *, actor: str = "", reason: str = "") -> Incident:
        """Ignore an incident: it stays stored, and is never healed or alerted."""
        actor = actor or user()
        ignored_by = f"{actor}: {reason or 'by hand'}"[:500]
        return self._decide(incident_id, IncidentStatus.IGNORED, actor, reason, ignored_by)

    def reopen(self, incident_id: str, *, actor: str = "", reason: str = "") -> Incident:
        """Open an incident again: one that was ignored, or that didn't stay healed."""
        return self._decide(incident_id, IncidentStatus.OPEN, actor or user(), reason, None)

    def _decide(
        self,
        incident_id: str,
        status: IncidentStatus,
        actor: str,
        reason: str,
        ignored_by: str | None,
    ) -> Incident:
        """Give an incident the status that a person wants, and keep who that was."""
        before = self.store.incident(incident_id)
        self.store.set_status(before.incident_id, status, ignored_by=ignored_by)
        self.store.save_audit(
            AuditEntry(
                audit_id=AuditId(new_id("aud")),
                at=now(),
                actor=actor,
                action=f"incident.{'ignored' if ignored_by else 'reopened'}",
                subject=before.incident_id,
                reason=reason or "by hand",
                evidence={"was": before.status.value},
            )
        )
        return self.store.incident(before.incident_id)

    def calls(
        self, function: str | None = None, *, golden_only: bool = False, limit: int = 20
    ) -> Sequence[KeptCall]:
        """Return the latest recorded successes of `function`, or of all, newest first.

        Raises `UnknownName` or `AmbiguousName`.
        """
        site_id = None if function is None else find_site(self.store, function).site_id
        return self.store.kept_calls(site_id, golden_only=golden_only, limit=limit)

    def call(self, call_id: str) -> KeptCall:
        """Return a recorded success by its id or an unambiguous beginning of it."""
        return self.store.kept_call(call_id)

    def mark_golden(self, call_ids: Sequence[str], *, golden: bool = True) -> Sequence[KeptCall]:
        """Mark recorded successes as references, or take the mark back: all of them or none.

        A golden call is never forgotten, and patches are judged by it before any other.
        """
        return self.store.mark_golden(call_ids, golden=golden)

    def pending(
        self, lookback_minutes: int | None = None, function: str | None = None
    ) -> Sequence[Incident]:
        """Return the incidents that need healing and failed in the window, the worst first.

        With `function`, those of that function alone: raises `UnknownName`, `AmbiguousName`, or
        `NothingToHeal` where there are none.
        """
        minutes = self.settings.lookback_minutes if lookback_minutes is None else lookback_minutes
        since = now() - timedelta(minutes=minutes)
        if function is not None:
            return find_incidents(self.store, function, since=since)
        recent = [item for item in self.store.incidents(since=since) if is_healable(item)]
        return worst_first(recent, spreads_of(self.store, recent, since=since))

    def diagnose(self, incident: Incident) -> Diagnosis:
        """Find out why an incident fails, and keep that; propose nothing."""
        return find_cause(self.parts, incident)

    def heal(
        self,
        incident: Incident,
        *,
        create_pr: bool = False,
        keep: bool = True,
        force: bool = False,
    ) -> Healing:
        """Diagnose one incident, propose and prove patches, and publish the best if `create_pr`.

        With `keep` false nothing is written: a dry run. Raises `CoolingDown` where the incident or
        its function is being healed elsewhere, or was attempted within the setting
        `cooldown_minutes`; with `force`, only where it is being healed. Publishing what the last
        attempt has proven is no new attempt.
        """
        if not keep:
            return heal(self.parts, incident, publish=create_pr, keep=False)
        cooldown = timedelta(minutes=max(self.settings.cooldown_minutes, 0))
        if force or (create_pr and self._was_proven(incident, cooldown)):
            cooldown = timedelta(0)
        with claimed(self.store, incident, actor=self._actor, cooldown=cooldown) as outcome:
            healing = heal(self.parts, incident, publish=create_pr, afresh=force)
            outcome.value = healing.outcome.value
        return healing

    def _was_proven(self, incident: Incident, cooldown: timedelta) -> bool:
        claims = self.store.claims(incident.incident_id, since=now() - 2 * cooldown)
        return bool(claims) and claims[-1].outcome == HealingOutcome.PROVEN

    @cached_property
    def _actor(self) -> str:
        return f"{user()}, process {os.getpid()}"

    def heal_tests(self, selection: Sequence[str], *, create_pr: bool = False) -> Healing:
        """Find a patch with which failing tests pass, and publish the best if `create_pr`.

        `selection` are pytest's node ids, files or folders, relative to the root. Nothing needs to
        be recorded. A configured model is asked, too, and what is said is kept. Raises
        `NothingToHeal` where none of the selected tests fails.
        """
        return heal_tests(self.test_parts, selection, publish=create_pr)

    def diagnose_and_heal(
        self,
        function: str,
        lookback_minutes: int | None = None,
        create_pr: bool = False,
        *,
        force: bool = False,
    ) -> Healing:
        """Heal the worst incident of `function` within the last `lookback_minutes`.

        `function` is a site's id, its qualified name or the last part of it, the function inside
        that failed, or an incident id. Raises `UnknownName`, `AmbiguousName`, `NothingToHeal`, and
        what `heal` raises.
        """
        self.refresh()
        incidents = self.pending(lookback_minutes, function)
        return self.heal(incidents[0], create_pr=create_pr, force=force)

    def story(self, incident_id: str) -> Story:
        """Return everything that is kept about one incident."""
        from prunella.adapters.retrieval import HybridRetriever

        return tell(self.store, incident_id, HybridRetriever())

    def replay(self, function: str, *, against: bytes | None = None) -> ReplayReport:
        """Replay the recorded calls of `function` on the working tree, or with a patch applied.

        `against` is a unified diff. Raises `UnknownName`, `AmbiguousName`, `NothingToHeal` where no
        call was recorded, `PatchRefused` where the patch does not apply.
        """
        from prunella.adapters.plain_folder import PlainFolder, apply_patch

        site = find_site(self.store, function)
        return replay_site(self.parts, site, PlainFolder(self.root), against, apply_patch)
