"""Alerts on their way: at least once to every place, and no faster than a place takes them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from prunella.codec.plain import to_plain
from prunella.model.alerts import Alert, AlertState, Delivery, DeliveryState
from prunella.model.errors import NotDelivered, UnknownName
from prunella.model.incidents import IncidentStatus
from prunella.ports import AlertStore, Notifier, Store

#: An alert that could not be delivered for so long is given up.
MAX_AGE = timedelta(hours=24)
#: A sender that was killed with an alert in its hands leaves it to others after so long.
LEASE = timedelta(minutes=2)
#: Wait after the first failed attempt; it doubles with each, up to `_MAX_WAIT`.
_FIRST_WAIT = timedelta(seconds=30)
_MAX_WAIT = timedelta(hours=1)
#: Alerts sent to one place in one go.
_BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReport:
    """What one go at sending did."""

    sent: int = 0
    #: Name of the place to why it didn't take an alert.
    failed: tuple[tuple[str, str], ...] = ()


Addressed = Callable[[Alert], Alert]
"""Puts into an alert the links that it is sent with."""


def deliver(
    store: Store,
    notifiers: Sequence[Notifier],
    now: Callable[[], datetime],
    addressed: Addressed = lambda alert: alert,
) -> SendReport:
    """Send what is due to each place, the places beside each other, with the links of `addressed`.

    The first failure at a place ends this go at it: the place is down, and others needn't wait. Raises
    `StoreError`.
    """
    if not notifiers:
        return SendReport()
    with ThreadPoolExecutor(min(len(notifiers), 8), "prunella-alerts") as pool:
        done = list(pool.map(lambda one: _deliver_to(store, one, now, addressed), notifiers))
    return SendReport(
        sent=sum(number for number, _ in done),
        failed=tuple(
            (notifier.name, why) for notifier, (_, why) in zip(notifiers, done, strict=True) if why
        ),
    )


def _deliver_to(
    store: Store, notifier: Notifier, now: Callable[[], datetime], addressed: Addressed
) -> tuple[int, str]:
    sent = 0
    for _ in range(_BATCH):
        at = now()
        taken = store.take_alert(notifier.name, at=at, since=at - MAX_AGE, lease=LEASE)
        if taken is None:
            break
        alert, delivery = taken
        if _is_ignored(store, alert):
            store.keep_delivery(_ended(delivery, DeliveryState.GIVEN_UP, "ignored since"))
            continue
        try:
            notifier.send(addressed(alert))
        except NotDelivered as error:
            store.keep_delivery(_after_failure(alert, delivery, error, now()))
            return sent, str(error)
        store.keep_delivery(_ended(delivery, DeliveryState.SENT, ""))
        sent += 1
    return sent, ""


def _is_ignored(store: Store, alert: Alert) -> bool:
    if not alert.subject.startswith("inc_"):
        return False
    try:
        return store.incident(alert.subject).status is IncidentStatus.IGNORED
    except UnknownName:
        return False


def _ended(delivery: Delivery, state: DeliveryState, reason: str) -> Delivery:
    return replace(delivery, state=state, reason=reason)


def _after_failure(alert: Alert, delivery: Delivery, error: NotDelivered, at: datetime) -> Delivery:
    wait = min(_FIRST_WAIT * 2 ** min(delivery.attempts - 1, 10), _MAX_WAIT)
    is_over = error.is_final or at + wait > alert.decided_at + MAX_AGE
    state = DeliveryState.GIVEN_UP if is_over else DeliveryState.WAITING
    return replace(delivery, state=state, due_at=at + wait, reason=str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert with how far it got."""

    alert: Alert
    deliveries: tuple[Delivery, ...]

    @property
    def standing(self) -> str:
        """In a word or two: ``sent``, ``waiting``, ``given up``, ``muted``, ``folded``, ``decided``."""
        if self.alert.state is not AlertState.DECIDED:
            return self.alert.state.value
        states = {item.state for item in self.deliveries}
        for state in (DeliveryState.GIVEN_UP, DeliveryState.WAITING, DeliveryState.SENT):
            if state in states:
                return state.value.replace("_", " ")
        return self.alert.state.value


def tell_alerts(store: AlertStore, *, since: datetime, limit: int) -> Sequence[Told]:
    """Return the latest alerts with their deliveries, oldest first."""
    by_alert: dict[str, list[Delivery]] = {}
    for delivery in store.deliveries(since=since):
        by_alert.setdefault(delivery.alert_id, []).append(delivery)
    return [
        Told(alert=alert, deliveries=tuple(by_alert.get(alert.alert_id, ())))
        for alert in store.alerts(since=since, limit=limit)
    ]


def plain_told(told: Told) -> dict[str, Any]:
    """Return an alert with its deliveries as JSON types."""
    return {
        **to_plain(told.alert),
        "standing": told.standing,
        "deliveries": to_plain(told.deliveries),
    }
