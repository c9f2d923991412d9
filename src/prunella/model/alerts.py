"""What people are told by themselves: decided once, delivered at least once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from prunella.model.ids import AlertId


class AlertKind(StrEnum):
    """The rule by which people are told."""

    #: An incident that nobody has been told of.
    NEW = "new"
    #: It was cured and fails again.
    REGRESSED = "regressed"
    #: It fails much more often than its own history explains.
    SPIKE = "spike"
    #: One that people were told of is cured, or closed as an error of the healer itself.
    CURED = "cured"
    #: A fix was shown to help.
    FIX_GRADUATED = "fix_graduated"
    #: A fix did harm, or a person took it back.
    FIX_ROLLED_BACK = "fix_rolled_back"
    #: A fix waits for a person's approval.
    AWAITING_APPROVAL = "awaiting_approval"
    #: A patch stands on a branch or in a pull request.
    PULL_REQUEST = "pull_request"
    #: More was to be told within an hour than the limit allows.
    MORE = "more"
    #: A person tries whether alerts arrive.
    TEST = "test"


class AlertState(StrEnum):
    """What becomes of an alert."""

    #: It is, or is to be, sent to every place that is configured.
    DECIDED = "decided"
    #: A mute covered it when it was decided; it is never sent.
    MUTED = "muted"
    #: The hour's limit was reached; one alert of kind `AlertKind.MORE` stands for all of these.
    FOLDED = "folded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing that people are told. Texts are bounded, redacted and not yet escaped for any place."""

    #: Derived from what is told, so that two healers tell it once.
    alert_id: AlertId
    kind: AlertKind
    state: AlertState = AlertState.DECIDED
    #: Id of the incident or rollout it is about; ``""`` where it is about neither.
    subject: str
    #: One line.
    title: str
    #: A few lines.
    body: str
    #: Ids of the sites it concerns.
    sites: tuple[str, ...] = ()
    #: Codes of the errors it concerns.
    error_codes: tuple[str, ...] = ()
    #: From 1 to 5, as in `prunella.taxonomy`; 1 where nothing fails.
    severity: int = 1
    #: Address to look at, made by Prunella or a code host; empty where there is none.
    link: str = ""
    #: Its page on the server's dashboard; put in when it is sent, where the server's address is known.
    page: str = ""
    #: Where whoever follows it approves or declines the fix that waits. Put in when it is sent and
    #: never kept: what lists alerts is read by people who may not approve.
    approval: str = ""
    decided_at: datetime


class DeliveryState(StrEnum):
    """How far an alert got to one place."""

    #: It is tried again.
    WAITING = "waiting"
    #: The place took it.
    SENT = "sent"
    #: The place refused it for good, or could not be reached for a day.
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One alert on its way to one place."""

    alert_id: AlertId
    #: Name of the place, without its secrets.
    target: str
    state: DeliveryState
    attempts: int
    #: When it may be tried next; a sender at work pushes it on, so that no other tries meanwhile.
    due_at: datetime
    #: Why the last attempt failed; empty where none did.
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """Nobody is told of a site or of a sort of errors for a while."""

    #: A site's id or the last part of it, or an error code or the beginning of one up to a dot.
    what: str
    until: datetime
    #: ``user@host``
    by: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How one incident's failures spread over time and places."""

    #: Failures before the moment that was asked for, and from then on.
    earlier: int
    later: int
    #: The most failures in one stretch of `TALLY_S` before that moment.
    most: int
    #: Start of the first stretch that has any.
    first_at: datetime
    #: Processes that saw it, as far as they are remembered.
    processes: int
    #: Machines that saw it.
    hosts: int


#: Length of the stretches of time in which failures are counted, in seconds.
TALLY_S = 600
