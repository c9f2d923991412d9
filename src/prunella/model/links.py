"""Addresses of a project's pages, as people reach the server: for messages and pages alike."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from prunella.model.directory import LOCAL
from prunella.model.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The pages of one project. Every method returns ``""`` where the server's address isn't known."""

    #: ``https://prunella.example``, without a slash at its end; empty where nobody told it.
    server: str
    project: str

    def incident(self, incident_id: str) -> str:
        return self._page("incidents", incident_id)

    def fix(self, fix_id: str) -> str:
        return self._page("fixes", fix_id)

    def alerts(self) -> str:
        return self._page("alerts")

    def approval(self, token: str) -> str:
        """Return where whoever has it approves or declines the fix that `token` is for."""
        return self._address("approve", self.project, token)

    def invitation(self, secret: str) -> str:
        """Return where somebody who was invited sets a password."""
        return self._address("invitation", secret)

    def dsn(self, key: str) -> str:
        """Return what a program reports with."""
        parts = urlsplit(self.server)
        path = f"{parts.path.rstrip('/')}/{self.project}"
        return f"{parts.scheme}://{key}@{parts.netloc}{path}" if self.server else ""

    def _page(self, *path: str) -> str:
        return self._address("p", self.project, *path)

    def _address(self, *path: str) -> str:
        return (
            "/".join((self.server, *(quote(each, safe="") for each in path))) if self.server else ""
        )


def links_of(settings: Settings) -> Links:
    """Return the links that may stand in messages: by the setting ``server_url``, and by that alone.

    What a request says of the server's name (``Host``) is whatever its sender likes.
    """
    project = settings.project if settings.database else LOCAL
    return Links(server=settings.server_url.rstrip("/"), project=project)
