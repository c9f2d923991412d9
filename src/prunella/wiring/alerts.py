"""The alerts of one project: what the commands, the bot and users' code call."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from prunella.model.alerts import Alert, AlertKind, Mute
from prunella.model.clock import now
from prunella.model.errors import ConfigurationError, UnknownName
from prunella.model.links import links_of
from prunella.model.settings import Settings
from prunella.pipeline.alerts import alert_id, decide_alerts
from prunella.pipeline.deliver import SendReport, Told, deliver, tell_alerts
from prunella.ports import Notifier, Store
from prunella.wiring.approvals import Approvals
from prunella.wiring.fixes import user

#: The longest mute.
MAX_MUTE = timedelta(days=366)


class Alerts:
    """Decides what people are told, and sends it to every place that the settings name."""

    def __init__(
        self, store: Store, settings: Settings, approvals: Approvals | None = None
    ) -> None:
        """Take the project's store; with `approvals`, what waits for approval is sent with a link."""
        self._store, self._settings, self._approvals = store, settings, approvals

    @cached_property
    def notifiers(self) -> Sequence[Notifier]:
        """The places; raises `ConfigurationError` for a bad address, `MissingExtra` without Apprise.

        None where `offline` is set.
        """
        if self._settings.offline:
            return ()
        places: dict[str, Notifier] = {}
        for number, url in enumerate(self._settings.alert_urls.split(), start=1):
            from prunella.adapters.apprise_notifier import AppriseNotifier

            place: Notifier = AppriseNotifier(url, number)
            places[place.name] = place
        if self._settings.alert_webhook:
            from prunella.adapters.webhook import Webhook

            hook = Webhook(self._settings.alert_webhook, self._settings.alert_secret)
            places[hook.name] = hook
        return tuple(places.values())

    def send(self) -> SendReport:
        """Decide what is due, and send that and what waits. Safe to run twice at once."""
        notifiers = self.notifiers
        decide_alerts(self._store, self._settings, at=now())
        return deliver(self._store, notifiers, now, self._addressed)

    def test(self) -> SendReport:
        """Send one alert that says it is a test; raises `ConfigurationError` where there is no place."""
        if not self.notifiers:
            raise ConfigurationError(
                "there is nowhere to send alerts to: set PRUNELLA_ALERT_URLS or "
                "PRUNELLA_ALERT_WEBHOOK, and don't set offline"
            )
        at = now()
        alert = Alert(
            alert_id=alert_id(AlertKind.TEST, at.isoformat()),
            kind=AlertKind.TEST,
            subject="",
            title="Prunella tries whether alerts arrive",
            body=f"Sent by {user()} with `prunella alerts test`.",
            decided_at=at,
        )
        self._store.add_alerts([alert], quiet=timedelta(0), per_hour=0)
        return deliver(self._store, self.notifiers, now, self._addressed)

    def _addressed(self, alert: Alert) -> Alert:
        """Return the alert with the links that it is sent with, as far as they are known."""
        links = links_of(self._settings)
        if alert.subject.startswith("inc_"):
            return replace(alert, page=links.incident(alert.subject))
        if not alert.subject.startswith("rol_"):
            return replace(alert, page=links.alerts())
        try:
            rollout = self._store.rollout(alert.subject)
        except UnknownName:  # forgotten since
            return alert
        approval = ""
        if self._approvals is not None and alert.kind is AlertKind.AWAITING_APPROVAL:
            # Where the secret can't be read the alert is told all the same: its page has a button.
            with suppress(ConfigurationError):
                approval = self._approvals.told(alert, rollout)
        return replace(alert, page=links.fix(rollout.fix_id), approval=approval)

    def list(self, *, since: timedelta = timedelta(days=7), limit: int = 100) -> Sequence[Told]:
        """Return the latest alerts with how far they got, oldest first."""
        return tell_alerts(self._store, since=now() - since, limit=limit)

    def mute(self, what: str, duration: timedelta, *, actor: str = "") -> Mute:
        """Tell nobody of a site or of an error code (and all below it) for a while.

        Raises `ConfigurationError` for a `duration` that isn't above 0 and at most a year.
        """
        if not what.strip() or not timedelta(0) < duration <= MAX_MUTE:
            raise ConfigurationError(
                f"a mute needs a site or error code, and a time up to a year: {what!r}, {duration}"
            )
        at = now()
        muted = Mute(what=what.strip(), until=at + duration, by=actor or user(), since=at)
        self._store.mute(muted)
        return muted

    def unmute(self, what: str) -> None:
        """End a mute; raises `UnknownName` where there is none of that name."""
        if not self._store.unmute(what.strip()):
            muted = ", ".join(item.what for item in self.mutes()) or "nothing"
            raise UnknownName(f"{what!r} is not muted; muted now: {muted}")

    def mutes(self) -> Sequence[Mute]:
        """Return the mutes in force."""
        return self._store.mutes(at=now())
