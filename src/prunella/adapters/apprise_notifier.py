"""Alerts to Slack, Discord, Microsoft Teams, mail, PagerDuty and others through Apprise."""

import logging
import re
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from prunella.adapters.webhook import named
from prunella.model.alerts import Alert, AlertKind
from prunella.model.errors import ConfigurationError, MissingExtra, NotDelivered

#: True while this thread sends: what libraries log then may hold addresses with their secrets.
_sending: ContextVar[bool] = ContextVar("prunella_sending", default=False)
_LOGGERS = ("apprise", "urllib3.connectionpool", "requests")
#: Characters that could end a line, hide text or reverse it.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
#: What chat services make mentions, links and markup of.
_MARKS = re.compile(r"(?m)^[#>+=-]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])|&|:(?=//)")
#: What each of them is shown as: it reads the same and is nothing to any service.
_LOOKS_LIKE = str.maketrans(
    {
        "@": "\uff20",
        "<": "\u2039",
        ">": "\u203a",
        "`": "\u02cb",
        "*": "\u2217",
        "~": "\u223c",
        "|": "\u00a6",
        "[": "\u298b",
        "]": "\u298c",
        "\\": "\u2216",
    }
)


class _Quiet(logging.Filter):
    def filter(self, _record: logging.LogRecord) -> bool:
        return not _sending.get()


_quiet = _Quiet()


class AppriseNotifier:
    """One place that Apprise knows to reach; implements `prunella.ports.Notifier`."""

    def __init__(self, url: str, number: int) -> None:
        """Take one Apprise URL, the `number`-th of the setting, from 1.

        Raises `MissingExtra`, or `ConfigurationError` (without the URL) where Apprise knows no such.
        """
        try:
            import apprise
        except ModuleNotFoundError as error:
            raise MissingExtra("alerts", "sending alerts to alert_urls") from error
        for logger in _LOGGERS:
            logging.getLogger(logger).addFilter(_quiet)
        self._apprise: Any = apprise
        self._url = url.strip()
        scheme = url.partition(":")[0].lower()
        self._name = f"{scheme if scheme.isalnum() else 'place'} {named(url)}"
        token = _sending.set(True)
        try:
            self._place = apprise.Apprise()
            accepted = self._place.add(url)
        finally:
            _sending.reset(token)
        if not accepted:
            raise ConfigurationError(
                f"alert_urls: number {number} (it begins with {scheme[:20]!r}) is no URL that Apprise "
                "knows; it is taken from the environment variable PRUNELLA_ALERT_URLS"
            )
        self._pages = scheme == "pagerduty"
        self._is_markdown = self._place[0].notify_format == apprise.NotifyFormat.MARKDOWN

    @property
    def name(self) -> str:
        return self._name

    def send(self, alert: Alert) -> None:
        kinds, formats = self._apprise.NotifyType, self._apprise.NotifyFormat
        token = _sending.set(True)
        try:
            body = "\n".join(filter(None, (neutral(alert.body), *_links(alert, self._is_markdown))))
            arrived = self._place_for(alert).notify(
                title=neutral(alert.title),
                # Apprise would escape the points of the link, which is none then.
                body=body.replace("\n", "\n\n") if self._is_markdown else body,
                notify_type=_notify_type(kinds, alert),
                body_format=formats.MARKDOWN if self._is_markdown else formats.TEXT,
            )
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises, with secrets in it
            raise NotDelivered(f"{self.name} failed with {type(error).__name__}") from None
        finally:
            _sending.reset(token)
        if not arrived:
            raise NotDelivered(f"{self.name} could not be reached or did not take the alert")

    def _place_for(self, alert: Alert) -> Any:
        if not self._pages:
            return self._place
        place = self._apprise.Apprise()
        place.add(about_incident(self._url, alert))
        return place


def about_incident(url: str, alert: Alert) -> str:
    """Return the URL of PagerDuty with which all alerts of one incident are one incident there.

    Its cure resolves it. A key that the URL has by itself is left alone, and so is its action.
    """
    asked = parse_qs(urlsplit(url).query)
    if "dedup" in asked:
        return url
    ours = {
        "dedup": alert.subject or alert.alert_id,
        "action": "resolve" if alert.kind is AlertKind.CURED else "trigger",
        "overflow": "truncate",
        "click": alert.link or alert.page,
    }
    added = {name: value for name, value in ours.items() if value and name not in asked}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(added)}"


def neutral(text: str) -> str:
    """Return text in which no service finds a mention, a link behind other words, or markup."""
    visible = _CONTROL.sub("\ufffd", text.replace("\r\n", "\n")).translate(_LOOKS_LIKE)
    # Other marks mean something in certain places only: a word joiner takes them out of those.
    return _MARKS.sub(lambda match: f"\u2060{match[0]}\u2060", visible)


def _links(alert: Alert, is_markdown: bool) -> list[str]:
    """Return the lines with the alert's addresses; none of them is of the program that failed."""
    named_links = (("", alert.link), ("", alert.page), ("Approve or decline: ", alert.approval))
    return [
        # In Markdown two of these would make what stands between them slanted, and no address.
        f"{name}{link.replace('_', '%5F') if is_markdown else link}"
        for name, link in named_links
        if link
    ]


def _notify_type(kinds: Any, alert: Alert) -> Any:
    if alert.kind in {AlertKind.CURED, AlertKind.FIX_GRADUATED, AlertKind.PULL_REQUEST}:
        return kinds.SUCCESS
    if alert.kind in {AlertKind.AWAITING_APPROVAL, AlertKind.MORE, AlertKind.TEST}:
        return kinds.INFO
    return kinds.FAILURE if alert.severity >= 3 else kinds.WARNING
