"""Gitea and Forgejo, over their common API. One request makes a branch and its commit at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from prunella.adapters.code_hosts.answers import (
    decoded,
    encoded,
    items,
    may_push,
    number,
    part,
    text,
)
from prunella.adapters.code_hosts.api import TIMEOUT_S, Api
from prunella.adapters.code_hosts.failures import UNUSABLE, Correspondent
from prunella.adapters.code_hosts.forge import HostFile, Opened
from prunella.model.errors import MissingExtra
from prunella.model.repair import PublicationState
from prunella.ports import Overlay

_PAGES, _PAGE = 20, 50
#: What makes a pull request a draft here: the beginning of its title.
_DRAFT = "WIP: "
_COLOUR = "#5b8c5a"


class GiteaForge:
    """One repository on a Gitea or Forgejo; `whom.project` is ``owner/name``."""

    name = "Gitea"
    #: It reads its own sort of CODEOWNERS and asks the owners by itself.
    owner_files: Sequence[str] = ()
    max_body = 500_000

    def __init__(
        self, whom: Correspondent, *, url: str, base: str = "", timeout_s: int = TIMEOUT_S
    ) -> None:
        """Take the API's address; what is asked without httpx2 raises `MissingExtra`."""
        self._whom, self._base = whom, base
        self._api = Api(whom, _Carrier(whom, url, timeout_s))
        self._root = f"/repos/{quote(whom.project)}"

    def base_branch(self) -> str:
        if not self._base:
            self._base = self._api.ask(
                "find the default branch",
                "GET",
                self._root,
                lambda found: text(found, "default_branch"),
            )
        return self._base

    def may_write(self) -> bool | None:
        return self._api.ask("look up what the token may do", "GET", self._root, may_push)

    def head(self, branch: str) -> str | None:
        return self._api.find(
            f"look up the branch {branch}",
            f"{self._root}/branches/{quote(branch)}",
            lambda found: text(found, "commit", "id"),
        )

    def message(self, commit: str) -> str:
        return self._api.ask(
            f"read the commit {commit}",
            "GET",
            f"{self._root}/git/commits/{commit}",
            lambda found: text(found, "commit", "message"),
        )

    def read(self, path: str, commit: str) -> HostFile | None:
        found = self._contents(path, commit)
        return None if found is None else HostFile(content=found[0], mode="")

    def _contents(self, path: str, ref: str) -> tuple[bytes, str] | None:
        """Return the content of a file and the id of its blob."""

        def file(found: Any) -> tuple[bytes, str] | None:
            if not isinstance(found, Mapping) or part(found, "type") != "file":
                return None
            return decoded(found), text(found, "sha")

        place = f"{self._root}/contents/{quote(path)}"
        return self._api.find(f"read {path}", place, file, query={"ref": ref})

    def commit(
        self, branch: str, parent: str, files: Overlay, message: str, *, present: str | None
    ) -> str:
        """As `Forge.commit`, on top of the base branch, or behind `present`: nothing is replaced here.

        Files go by their blob's id at `parent`, so that a base which has moved on in one of them
        is a conflict and nothing is lost.
        """
        body: dict[str, Any] = {
            "files": [
                self._change(path, content, present or parent) for path, content in files.items()
            ],
            "message": message,
            "branch": self.base_branch() if present is None else branch,
        }
        if present is None:
            body["new_branch"] = branch
        return self._api.ask(
            f"commit to the branch {branch}",
            "POST",
            f"{self._root}/contents",
            lambda made: text(made, "commit", "sha"),
            body=body,
        )

    def _change(self, path: str, content: bytes, ref: str) -> Mapping[str, str]:
        change = {"operation": "create", "path": path, "content": encoded(content)}
        there = self._contents(path, ref)
        return change if there is None else change | {"operation": "update", "sha": there[1]}

    def remove_branch(self, branch: str) -> None:
        place = f"{self._root}/branches/{quote(branch)}"
        self._api.do(f"remove the branch {branch}", "DELETE", place)

    def opened(self) -> Iterator[Opened]:
        yield from self._pulls("open")

    def of_branch(self, branch: str) -> Opened | None:
        return next((item for item in self._pulls("all") if item.branch == branch), None)

    def _pulls(self, state: str) -> Iterator[Opened]:
        for page in range(1, _PAGES + 1):
            query = {"state": state, "sort": "recentupdate", "limit": _PAGE, "page": page}
            found = self._api.ask(
                "look for pull requests", "GET", f"{self._root}/pulls", _all_opened, query=query
            )
            # One from a fork may say what it likes in its text: it isn't ours.
            yield from (item for home, item in found if home == self._whom.project.lower())
            if len(found) < _PAGE:
                return

    def open(self, branch: str, title: str, body: str, *, draft: bool) -> Opened:
        request = {
            "head": branch,
            "base": self.base_branch(),
            "title": f"{_DRAFT}{title}" if draft else title,
            "body": body,
        }
        place = f"{self._root}/pulls"
        doing = f"open the pull request of {branch}"
        return self._api.ask(doing, "POST", place, _opened, body=request)

    def edit(self, number: int, title: str, body: str) -> None:
        place = f"{self._root}/pulls/{number}"
        present = self._api.ask("read its title", "GET", place, lambda found: text(found, "title"))
        draft = _DRAFT if present.startswith(_DRAFT) else ""
        change = {"title": draft + title, "body": body}
        self._api.do(f"bring pull request {number} up to date", "PATCH", place, body=change)

    def label(self, number: int, labels: Sequence[str]) -> None:
        ids = [self._label_id(name) for name in labels]
        place = f"{self._root}/issues/{number}/labels"
        self._api.do(f"label pull request {number}", "POST", place, body={"labels": ids})

    def _label_id(self, name: str) -> int:
        def of_name(found: Any) -> int | None:
            return next(
                (number(item, "id") for item in items(found) if part(item, "name") == name), None
            )

        place = f"{self._root}/labels"
        query = {"limit": _PAGE}
        known = self._api.ask("look for labels", "GET", place, of_name, query=query)
        if known is not None:
            return known
        body = {"name": name, "color": _COLOUR}
        return self._api.ask(
            f"make the label {name}", "POST", place, lambda made: number(made, "id"), body=body
        )

    def ask_for_review(self, opened: Opened, owners: Sequence[str]) -> None:
        """Ask nobody: the host does, by its own rules."""

    def close(self, number: int, reason: str) -> None:
        place = f"{self._root}/issues/{number}/comments"
        self._api.do(f"say why {number} is closed", "POST", place, body={"body": reason})
        place = f"{self._root}/pulls/{number}"
        self._api.do(f"close pull request {number}", "PATCH", place, body={"state": "closed"})


def _all_opened(found: Any) -> list[tuple[str, Opened]]:
    return [(_home(item), _opened(item)) for item in items(found)]


def _home(item: Any) -> str:
    repository = part(item, "head").get("repo")
    return text(repository, "full_name").lower() if repository else ""


def _opened(item: Any) -> Opened:
    state = PublicationState.OPEN
    if text(item, "state") != "open":
        merged = part(item, "merged") is True
        state = PublicationState.MERGED if merged else PublicationState.CLOSED
    return Opened(
        number=number(item, "number"),
        url=text(item, "html_url"),
        branch=text(item, "head", "ref"),
        title=text(item, "title").removeprefix(_DRAFT),
        body=item.get("body") or "",
        state=state,
        labels=frozenset(text(label, "name") for label in item.get("labels") or ()),
        author=text(item, "user", "login") if item.get("user") else "",
    )


class _Carrier:
    """Sends requests by httpx2."""

    def __init__(self, whom: Correspondent, url: str, timeout_s: int) -> None:
        self._whom, self._url, self._timeout_s = whom, url, timeout_s

    def __call__(
        self,
        doing: str,
        verb: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
    ) -> Any:
        try:
            from httpx2 import HTTPError, TimeoutException, request
        except ImportError:
            raise MissingExtra("gitea", "opening pull requests on Gitea or Forgejo") from None
        headers = {"Authorization": f"token {self._whom.token}", "Accept": "application/json"}
        place = self._url + path
        try:
            answer = request(
                verb, place, params=query, json=body, headers=headers, timeout=self._timeout_s
            )
        except TimeoutException as error:
            raise self._whom.unreachable(doing, error, timeout=True) from None
        except HTTPError as error:
            raise self._whom.unreachable(doing, error, timeout=False) from None
        if answer.status_code >= 300:
            raise self._whom.refused(doing, answer.status_code, _said(answer), answer.headers)
        try:
            return answer.json() if answer.content else None
        except UNUSABLE as error:
            raise self._whom.unusable(doing, error) from None


def _said(answer: Any) -> str:
    try:
        return str(answer.json()["message"])
    except UNUSABLE:
        return ""
