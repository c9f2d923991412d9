"""GitHub and GitHub Enterprise, through PyGithub.

The Git database is used rather than the contents API: one commit with several files, on a base of
our choice, that nobody sees until its branch is made.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
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
from prunella.model.errors import CodeHostError, MissingExtra
from prunella.model.repair import PublicationState
from prunella.ports import Overlay

#: Open pull requests are looked through for ours, the latest first: so many pages of so many.
_PAGES, _PAGE = 10, 100


class GitHubForge:
    """One repository on GitHub; `whom.project` is ``owner/name``."""

    name = "GitHub"
    owner_files: Sequence[str] = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
    max_body = 65_000

    def __init__(
        self, whom: Correspondent, *, url: str, base: str = "", timeout_s: int = TIMEOUT_S
    ) -> None:
        """Take the API's address; what is asked without PyGithub raises `MissingExtra`."""
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
            f"{self._root}/git/ref/heads/{quote(branch)}",
            lambda found: text(found, "object", "sha"),
        )

    def message(self, commit: str) -> str:
        return self._api.ask(
            f"read the commit {commit}",
            "GET",
            f"{self._root}/git/commits/{commit}",
            lambda found: text(found, "message"),
        )

    def read(self, path: str, commit: str) -> HostFile | None:
        entry: Mapping[str, str] | None = {"type": "tree", "sha": commit}
        for name in path.split("/"):
            if entry is None or entry["type"] != "tree":
                return None
            entry = self._entry(entry["sha"], name)
        if entry is None or entry["type"] != "blob" or entry["mode"] == "120000":
            return None
        place = f"{self._root}/git/blobs/{entry['sha']}"
        content = self._api.ask(f"read {path}", "GET", place, decoded)
        return HostFile(content=content, mode=entry["mode"])

    def _entry(self, tree: str, name: str) -> Mapping[str, str] | None:
        def named(found: Any) -> Mapping[str, str] | None:
            for entry in items(part(found, "tree")):
                if part(entry, "path") == name:
                    return {key: text(entry, key) for key in ("type", "sha", "mode")}
            return None

        place = f"{self._root}/git/trees/{tree}"
        return self._api.ask(f"look for {name}", "GET", place, named)

    def commit(
        self, branch: str, parent: str, files: Overlay, message: str, *, present: str | None
    ) -> str:
        entries = [self._uploaded(path, content, parent) for path, content in files.items()]
        tree = self._made("trees", {"base_tree": parent, "tree": entries})
        commit = self._made("commits", {"message": message, "tree": tree, "parents": [parent]})
        if present is None:
            body: dict[str, Any] = {"ref": f"refs/heads/{branch}", "sha": commit}
            self._api.do(f"make the branch {branch}", "POST", f"{self._root}/git/refs", body=body)
        else:
            place = f"{self._root}/git/refs/heads/{quote(branch)}"
            body = {"sha": commit, "force": True}
            self._api.do(f"bring the branch {branch} up to date", "PATCH", place, body=body)
        return commit

    def _uploaded(self, path: str, content: bytes, parent: str) -> Mapping[str, str]:
        before = self.read(path, parent)
        blob = self._made("blobs", {"content": encoded(content), "encoding": "base64"})
        mode = before.mode if before else "100644"
        return {"path": path, "mode": mode, "type": "blob", "sha": blob}

    def _made(self, kind: str, body: Mapping[str, Any]) -> str:
        place = f"{self._root}/git/{kind}"
        return self._api.ask(
            f"upload the commit ({kind})", "POST", place, lambda made: text(made, "sha"), body=body
        )

    def remove_branch(self, branch: str) -> None:
        place = f"{self._root}/git/refs/heads/{quote(branch)}"
        self._api.do(f"remove the branch {branch}", "DELETE", place)

    def opened(self) -> Iterator[Opened]:
        for page in range(1, _PAGES + 1):
            found = self._list({"state": "open", "per_page": _PAGE, "page": page})
            # One from a fork may say what it likes in its text: it isn't ours.
            yield from (_opened(item) for item in found if self._is_inside(item))
            if len(found) < _PAGE:
                return

    def of_branch(self, branch: str) -> Opened | None:
        owner = self._whom.project.partition("/")[0]
        found = self._list({"state": "all", "head": f"{owner}:{branch}", "per_page": _PAGE})
        mine = [item for item in found if self._is_inside(item)]
        return next((item for item in map(_opened, mine) if item.branch == branch), None)

    def _list(self, query: Mapping[str, Any]) -> list[Any]:
        def checked(found: Any) -> list[Any]:
            for item in items(found):
                _opened(item)
            return list(found)

        place = f"{self._root}/pulls"
        return self._api.ask("look for pull requests", "GET", place, checked, query=query)

    def _is_inside(self, item: Any) -> bool:
        home = item["head"].get("repo")
        name = home.get("full_name") if isinstance(home, Mapping) else None
        return isinstance(name, str) and name.lower() == self._whom.project.lower()

    def open(self, branch: str, title: str, body: str, *, draft: bool) -> Opened:
        request = {"title": title, "head": branch, "base": self.base_branch(), "body": body}
        doing, place = f"open the pull request of {branch}", f"{self._root}/pulls"
        try:
            return self._api.ask(doing, "POST", place, _opened, body=request | {"draft": draft})
        except CodeHostError as error:
            # Not every plan has drafts; that is no reason to keep a repair from people.
            if not draft or error.reason != "conflict" or "draft" not in str(error).lower():
                raise
        return self._api.ask(doing, "POST", place, _opened, body=request)

    def edit(self, number: int, title: str, body: str) -> None:
        place = f"{self._root}/pulls/{number}"
        change = {"title": title, "body": body}
        self._api.do(f"bring pull request {number} up to date", "PATCH", place, body=change)

    def label(self, number: int, labels: Sequence[str]) -> None:
        place = f"{self._root}/issues/{number}/labels"
        body = {"labels": list(labels)}
        self._api.do(f"label pull request {number}", "POST", place, body=body)

    def ask_for_review(self, opened: Opened, owners: Sequence[str]) -> None:
        names = [owner.removeprefix("@") for owner in owners if owner.startswith("@")]
        people = [name for name in names if "/" not in name and name != opened.author]
        teams = [name.partition("/")[2] for name in names if "/" in name]
        if people or teams:
            place = f"{self._root}/pulls/{opened.number}/requested_reviewers"
            body = {"reviewers": people, "team_reviewers": teams}
            self._api.do("ask the owners of the code for a review", "POST", place, body=body)

    def close(self, number: int, reason: str) -> None:
        place = f"{self._root}/issues/{number}/comments"
        self._api.do(f"say why {number} is closed", "POST", place, body={"body": reason})
        place = f"{self._root}/pulls/{number}"
        self._api.do(f"close pull request {number}", "PATCH", place, body={"state": "closed"})


def _opened(item: Any) -> Opened:
    state = PublicationState.OPEN
    if text(item, "state") != "open":
        merged = part(item, "merged_at") is not None
        state = PublicationState.MERGED if merged else PublicationState.CLOSED
    return Opened(
        number=number(item, "number"),
        url=text(item, "html_url"),
        branch=text(item, "head", "ref"),
        title=text(item, "title"),
        body=item.get("body") or "",
        state=state,
        labels=frozenset(text(label, "name") for label in items(part(item, "labels"))),
        author=text(item, "user", "login") if item.get("user") else "",
    )


class _Carrier:
    """Sends requests by PyGithub."""

    def __init__(self, whom: Correspondent, url: str, timeout_s: int) -> None:
        self._whom, self._url, self._timeout_s = whom, url, timeout_s

    @cached_property
    def _requester(self) -> Any:
        try:
            from github import Auth, Github
        except ImportError:
            raise MissingExtra("github", "opening pull requests on GitHub") from None
        # What to repeat is decided by the next attempt, never by the client: it can't know whether
        # a request that timed out was carried out.
        client = Github(
            auth=Auth.Token(self._whom.token),
            base_url=self._url,
            timeout=self._timeout_s,
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )
        return client.requester

    def __call__(
        self,
        doing: str,
        verb: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
    ) -> Any:
        requester = self._requester
        from requests import RequestException, Timeout

        parameters = dict(query) if query else None
        try:
            status, headers, output = requester.requestJson(
                verb, path, parameters=parameters, input=dict(body) if body else None
            )
            if status >= 300:
                raise self._whom.refused(doing, status, _said(output), headers)
            return json.loads(output) if output else None
        except Timeout as error:
            raise self._whom.unreachable(doing, error, timeout=True) from None
        except RequestException as error:
            raise self._whom.unreachable(doing, error, timeout=False) from None
        except RuntimeError as error:  # PyGithub's way to refuse a redirection
            raise self._whom.refused(doing, 301, error, None) from None
        except UNUSABLE as error:
            raise self._whom.unusable(doing, error) from None


def _said(output: str) -> str:
    try:
        answer = json.loads(output)
        details = answer.get("errors")
        return f"{answer['message']}: {details}" if details else str(answer["message"])
    except UNUSABLE:
        return ""
