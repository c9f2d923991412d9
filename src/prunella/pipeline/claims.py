"""One healer an incident, and a cooldown after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Event, Thread

from prunella.model.claims import Claim
from prunella.model.clock import now
from prunella.model.errors import CoolingDown, StoreError
from prunella.model.ids import ClaimId, new_id
from prunella.model.incidents import Incident
from prunella.ports import Store

#: A healer that hasn't been heard of for so long is dead, and others may take over.
LEASE = timedelta(seconds=90)
#: How often a healer at work says that it lives, in seconds.
_BEAT_S = 20.0


@dataclass(slots=True)
class Outcome:
    """How the attempt under a claim ended; set by whoever makes it."""

    value: str = "failed: interrupted"


@contextmanager
def claimed(
    store: Store, incident: Incident, *, actor: str, cooldown: timedelta
) -> Iterator[Outcome]:
    """Hold the claim on an incident and its function while it is being healed.

    Raises `CoolingDown` where another healer is at it, or one was within the cooldown.
    """
    function = healed_function(incident)
    at = now()
    claim = Claim(
        claim_id=ClaimId(new_id("clm")),
        incident_id=incident.incident_id,
        function=function,
        actor=actor,
        started_at=at,
        lease_until=at + LEASE,
    )
    other = store.claim(claim, cooldown=cooldown)
    if other is not None:
        raise CoolingDown(_refusal(incident, other, cooldown), claim=other)
    outcome, ended = Outcome(), Event()
    beat = Thread(target=_beat, args=(store, claim, ended), name="prunella-claim", daemon=True)
    beat.start()
    try:
        yield outcome
    except Exception as error:
        outcome.value = f"failed: {type(error).__name__}: {error}"[:500]
        raise
    finally:
        ended.set()
        beat.join()
        store.keep_claim(replace(claim, ended_at=now(), outcome=outcome.value))


def healed_function(incident: Incident) -> str:
    """Return the function that healing an incident would edit."""
    place = incident.location
    return f"{place.module}:{place.qualname}" if place else incident.site_id


def _beat(store: Store, claim: Claim, ended: Event) -> None:
    while not ended.wait(_BEAT_S):
        try:
            store.keep_claim(replace(claim, lease_until=now() + LEASE))
        except StoreError:
            continue  # the lease outlives a few missed beats


def _refusal(incident: Incident, other: Claim, cooldown: timedelta) -> str:
    what = (
        f"{incident.incident_id}"
        if other.incident_id == incident.incident_id
        else f"{other.incident_id}, in the same function {other.function},"
    )
    if other.ended_at is None:
        return (
            f"{what} is being healed by {other.actor} since {other.started_at:%H:%M:%S} UTC; "
            "two healers at once would only repeat each other"
        )
    again = other.ended_at + cooldown
    return (
        f"{what} was attempted at {other.ended_at:%Y-%m-%d %H:%M} UTC ({other.outcome}); the next "
        f"attempt is at {again:%H:%M} UTC, after the cooldown of "
        f"{cooldown // timedelta(minutes=1)} minutes. --force tries it now"
    )
