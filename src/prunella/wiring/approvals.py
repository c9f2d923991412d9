"""Approvals by signed links: whoever has one may approve or decline one fix, once, for a while."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from prunella.model.alerts import Alert
from prunella.model.clock import now
from prunella.model.errors import ConfigurationError, TokenRefused, UnknownName
from prunella.model.ids import AuditId
from prunella.model.links import links_of
from prunella.model.rollouts import Rollout, RolloutState
from prunella.model.settings import Settings
from prunella.pipeline.rollouts import TakeStep, take
from prunella.ports import Feed, Store
from prunella.rollout import By, Step, approve, remove
from prunella.rollout.approval import check, link, read, sign
from prunella.wiring.fixes import permit, user

#: The longest time that a link may be valid.
MAX_VALID = timedelta(days=30)
#: How long a link that came with an alert is valid, from when the alert was decided.
TOLD_VALID = timedelta(days=3)
_GONE = "the fix of the approval link isn't there any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalLink:
    """A token, and what it is for."""

    token: str
    fix_id: str
    expires_at: datetime
    #: Where people follow it; empty where the setting ``server_url`` isn't set.
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a token asks for."""

    rollout: Rollout
    #: Who made the link, and until when it is valid.
    made_by: str
    expires_at: datetime


class Approvals:
    """Makes and takes approval tokens.

    They are signed with a secret: in the teams' database, so that all its servers and commands have
    the same; beside an embedded store in a file that only its owner may read.
    """

    def __init__(self, store: Store, feed: Feed, folder: Path, *, settings: Settings) -> None:
        self._store, self._feed, self._folder = store, feed, folder
        self._settings = settings

    def link(
        self, name: str, *, expires: timedelta = timedelta(hours=24), actor: str = ""
    ) -> ApprovalLink:
        """Return a token that approves the fix `name`; raises `StepRefused` where it doesn't wait.

        Raises `UnknownName`, `AmbiguousName`, and `ConfigurationError` for a time that isn't above 0
        and at most 30 days, or a secret that isn't one.
        """
        if not timedelta(0) < expires <= MAX_VALID:
            raise ConfigurationError(
                f"an approval link is valid for up to {MAX_VALID.days} days, not {expires}"
            )
        rollout, at = self._store.rollout(name), now()
        ticket, entry = link(rollout, By(actor=actor or user(), at=at), expires_at=at + expires)
        token = sign(ticket, self._secret)
        self._store.save_audit(entry)
        return ApprovalLink(
            token=token,
            fix_id=rollout.fix_id,
            expires_at=ticket.expires_at,
            url=links_of(self._settings).approval(token),
        )

    def told(self, alert: Alert, rollout: Rollout) -> str:
        """Return the address by which an alert that a fix waits is answered; ``""`` where there is none.

        It is the same at every place and attempt, and stands in the fix's history once.
        """
        links = links_of(self._settings)
        expires_at = alert.decided_at + TOLD_VALID
        if not links.server or rollout.state is not RolloutState.CANDIDATE or expires_at <= now():
            return ""
        by = By(actor="an alert", at=now())
        ticket, entry = link(rollout, by, expires_at=expires_at)
        token = sign(ticket, self._secret)
        audit_id = AuditId(f"aud_{alert.alert_id.removeprefix('alr_')}")
        self._store.save_audit(replace(entry, audit_id=audit_id))
        return links.approval(token)

    def ask(self, token: str) -> Question:
        """Return what a token would approve; raises `TokenRefused` where it can't any more."""
        ticket = read(token, self._secret, at=now())
        try:
            rollout = self._store.rollout(ticket.rollout_id)
        except UnknownName as error:
            raise TokenRefused(_GONE) from error
        check(ticket, rollout)
        return Question(rollout=rollout, made_by=ticket.made_by, expires_at=ticket.expires_at)

    def show(self, token: str) -> Rollout:
        """Return the fix that a token would approve; raises `TokenRefused` as `ask` does."""
        return self.ask(token).rollout

    def redeem(self, token: str, *, who: str = "", reason: str = "") -> Rollout:
        """Approve the fix that a token is for, in the name of `who` (the user by default).

        Raises `TokenRefused` where it is forged, expired or used, or its fix is forgotten, and
        `StepRefused` where the setting ``approvers`` names others; the link stays good for them.
        """
        return self._answer(token, approve, "approved", who, reason)

    def decline(self, token: str, *, who: str = "", reason: str = "") -> Rollout:
        """Retire the fix that a token is for; it uses the link up, and never acts.

        Raises `TokenRefused` and `StepRefused` as `redeem` does.
        """
        return self._answer(token, remove, "declined", who, reason)

    def _answer(self, token: str, take_it: TakeStep, said: str, who: str, reason: str) -> Rollout:
        at = now()
        ticket = read(token, self._secret, at=at)
        actor = who.strip()[:200] or user()
        permit(actor, self._settings)
        why = f"{said} by a link that {ticket.made_by} made"
        by = By(actor=actor, at=at, reason=f"{why}: {reason}" if reason else why)

        def step(rollout: Rollout, by: By, /) -> Step:
            check(ticket, rollout)
            return take_it(rollout, by)

        try:
            return take(self._store, self._feed, ticket.rollout_id, step, by, self._settings)
        except UnknownName as error:
            raise TokenRefused(_GONE) from error

    @cached_property
    def _secret(self) -> bytes:
        if self._settings.database:
            return self._store.secret("approvals")
        from prunella.adapters.project_secret import project_secret

        return project_secret(self._folder)
