"""Approval links: tokens that let whoever has one approve or decline one fix, once, for a while.

A token names a rollout at one step of its way, so that it is void as soon as anything was decided
about it since, by the token itself too: it can't be used twice. It is signed by HMAC-SHA256 with the
project's secret.
"""

import binascii
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from prunella.model.audit import AuditEntry
from prunella.model.errors import StepRefused, TokenRefused
from prunella.model.ids import AuditId, new_id
from prunella.model.rollouts import Rollout, RolloutState
from prunella.rollout.by_hand import By

#: Longer texts are no tokens.
MAX_TOKEN_CHARS = 2_000
#: What is wrong with a token that wasn't signed with the project's secret.
NOT_OURS = (
    "the approval link isn't one of this project, or was changed on the way; copy it whole, or "
    "make another: prunella approvals link FIX_ID"
)
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a token says."""

    rollout_id: str
    #: Where the rollout stood when the link was made.
    sequence: int
    expires_at: datetime
    #: Who made the link.
    made_by: str


def link(rollout: Rollout, by: By, *, expires_at: datetime) -> tuple[Ticket, AuditEntry]:
    """Return the ticket that approves a candidate, and the entry that says who made it.

    Raises `StepRefused` where it doesn't wait for approval.
    """
    if rollout.state is not RolloutState.CANDIDATE:
        raise StepRefused(
            f"{rollout.fix_id} doesn't wait for approval: it is "
            f"{rollout.state.value.replace('_', ' ')}."
        )
    ticket = Ticket(
        rollout_id=rollout.rollout_id,
        sequence=rollout.sequence,
        expires_at=expires_at.replace(microsecond=0),
        made_by=by.actor,
    )
    entry = AuditEntry(
        audit_id=AuditId(new_id("aud")),
        at=by.at,
        actor=by.actor,
        action="approval.link_made",
        subject=rollout.rollout_id,
        reason=f"a link that approves it until {ticket.expires_at:%Y-%m-%d %H:%M} UTC",
        evidence={"fix": rollout.fix_id, "version": rollout.version},
    )
    return ticket, entry


def sign(ticket: Ticket, secret: bytes) -> str:
    """Return the token of a ticket: letters, digits, ``-``, ``_`` and one dot."""
    fields = [
        _VERSION,
        ticket.rollout_id,
        ticket.sequence,
        int(ticket.expires_at.timestamp()),
        ticket.made_by[:200],
    ]
    body = _encoded(json.dumps(fields, separators=(",", ":")).encode())
    return f"{body}.{_signature(body, secret)}"


def read(token: str, secret: bytes, *, at: datetime) -> Ticket:
    """Return what a token says; raises `TokenRefused` where it is forged, malformed or expired."""
    body, _, signature = token.strip().partition(".")
    is_ours = len(token) <= MAX_TOKEN_CHARS and hmac.compare_digest(
        signature.encode("utf-8", "replace"), _signature(body, secret).encode()
    )
    if not is_ours:
        raise TokenRefused(NOT_OURS)
    try:
        version, rollout_id, sequence, expires_s, made_by = json.loads(
            urlsafe_b64decode(body + "=" * (-len(body) % 4))
        )
        expires_at = datetime.fromtimestamp(expires_s, UTC)
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise TokenRefused("the approval link can't be read; make another one") from error
    if version != _VERSION:
        raise TokenRefused("the approval link was made by another release; make another one")
    if at >= expires_at:
        raise TokenRefused(
            f"the approval link expired at {expires_at:%Y-%m-%d %H:%M} UTC; make another: "
            "prunella approvals link FIX_ID"
        )
    return Ticket(rollout_id=rollout_id, sequence=sequence, expires_at=expires_at, made_by=made_by)


def check(ticket: Ticket, rollout: Rollout) -> None:
    """Raise `TokenRefused` where something was decided about the rollout since the link was made."""
    if rollout.rollout_id != ticket.rollout_id or rollout.sequence != ticket.sequence:
        raise TokenRefused(
            f"the approval link of {rollout.fix_id} was used, or something else was decided since: "
            f"it is {rollout.state.value.replace('_', ' ')} now ({rollout.reason})"
        )


def _signature(body: str, secret: bytes) -> str:
    signed = f"prunella approval {body}".encode("utf-8", "replace")
    return _encoded(hmac.new(secret, signed, sha256).digest())


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
