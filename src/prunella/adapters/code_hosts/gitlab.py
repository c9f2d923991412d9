"""GitLab, through python-gitlab. One request makes a branch and its commit at once."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote

from prunella.adapters.code_hosts.answers import decoded, encoded, items, number, part, text
from prunella.adapters.code_hosts.api import TIMEOUT_S, Api
from prunella.adapters.code_hosts.failures import UNUSABLE, Correspondent
from prunella.adapters.code_hosts.forge import HostFile, Opened
from prunella.model.errors import MissingExtra
from prunella.model.repair import PublicationState
from prunella.ports import Overlay

_PAGES, _PAGE = 10, 100
_DRAFT = "Draft: "
#: Access level from which on branches may be pushed.
_DEVELOPER = 30
_STATES = {"merged": PublicationState.MERGED, "opened": PublicationState.OPEN}


class GitLabForge:
    """One project on GitLab; `whom.project` is its path with its groups."""

    name = "GitLab"
    owner_files: Sequence[str] = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
    max_body = 500_000

    def __init__(
        self, whom: Correspondent, *, url: str, base: str = "", timeout_s: int = TIMEOUT_S
    ) -> None:
        """Take GitLab's address; what is asked without python-gitlab raises `MissingExtra`."""
        self._base = base
        self._api = Api(whom, _Carrier(whom, url, timeout_s))
        self._root = f"/projects/{quote(whom.project, safe='')}"

    @cached_property
    def _project(self) -> Mapping[str, Any]:
        def facts(found: Any) -> Mapping[str, Any]:
            return {"id": number(found, "id"), "base": text(found, "default_branch")}

        return self._api.ask("find the project", "GET", self._root, facts)

    def base_branch(self) -> str:
        return self._base or str(self._project["base"])

    def may_write(self) -> bool | None:
        return self._api.ask("look up what the token may do", "GET", self._root, _may_push)

    def head(self, branch: str) -> str | None:
        return self._api.find(
            f"look up the branch {branch}",
            f"{self._root}/repository/branches/{quote(branch, safe='')}",
            lambda found: text(found, "commit", "id"),
        )

    def message(self, commit: str) -> str:
        return self._api.ask(
            f"read the commit {commit}",
            "GET",
            f"{self._root}/repository/commits/{commit}",
            lambda found: text(found, "message"),
        )

    def read(self, path: str, commit: str) -> HostFile | None:
        def file(found: Any) -> HostFile:
            mode = "100755" if found.get("execute_filemode") else "100644"
            return HostFile(content=decoded(found), mode=mode)

        place = f"{self._root}/repository/files/{quote(path, safe='')}"
        return self._api.find(f"read {path}", place, file, query={"ref": commit})

    def commit(
        self, branch: str, parent: str, files: Overlay, message: str, *, present: str | None
    ) -> str:
        actions = [
            {
                "action": "update" if self.read(path, parent) else "create",
                "file_path": path,
                "content": encoded(content),
                "encoding": "base64",
            }
            for path, content in files.items()
        ]
        body = {
            "branch": branch,
            "start_sha": parent,
            "commit_message": message,
            "actions": actions,
            "force": present is not None,
        }
        place = f"{self._root}/repository/commits"
        return self._api.ask(
            f"commit to the branch {branch}",
            "POST",
            place,
            lambda made: text(made, "id"),
            body=body,
        )

    def remove_branch(self, branch: str) -> None:
        place = f"{self._root}/repository/branches/{quote(branch, safe='')}"
        self._api.do(f"remove the branch {branch}", "DELETE", place)

    def opened(self) -> Iterator[Opened]:
        for page in range(1, _PAGES + 1):
            found = self._list({"state": "opened", "per_page": _PAGE, "page": page})
            yield from (_opened(item) for item in found if self._is_inside(item))
            if len(found) < _PAGE:
                return

    def of_branch(self, branch: str) -> Opened | None:
        found = self._list({"source_branch": branch, "state": "all", "per_page": _PAGE})
        return next((_opened(item) for item in found if self._is_inside(item)), None)

    def _list(self, query: Mapping[str, Any]) -> list[Any]:
        def checked(found: Any) -> list[Any]:
            for item in items(found):
                _opened(item)
            return list(found)

        place = f"{self._root}/merge_requests"
        return self._api.ask("look for merge requests", "GET", place, checked, query=query)

    def _is_inside(self, item: Any) -> bool:
        # One from a fork may say what it likes in its text: it isn't ours.
        return bool(item.get("source_project_id") == self._project["id"])

    def open(self, branch: str, title: str, body: str, *, draft: bool) -> Opened:
        request = {
            "source_branch": branch,
            "target_branch": self.base_branch(),
            "title": f"{_DRAFT}{title}" if draft else title,
            "description": body,
            "remove_source_branch": True,
        }
        place = f"{self._root}/merge_requests"
        return self._api.ask(
            f"open the merge request of {branch}", "POST", place, _opened, body=request
        )

    def edit(self, number: int, title: str, body: str) -> None:
        place = f"{self._root}/merge_requests/{number}"
        present = self._api.ask("read its title", "GET", place, lambda found: text(found, "title"))
        draft = _DRAFT if present.startswith(_DRAFT) else ""
        change = {"title": draft + title, "description": body}
        self._api.do(f"bring merge request {number} up to date", "PUT", place, body=change)

    def label(self, number: int, labels: Sequence[str]) -> None:
        place = f"{self._root}/merge_requests/{number}"
        body = {"add_labels": ",".join(labels)}
        self._api.do(f"label merge request {number}", "PUT", place, body=body)

    def ask_for_review(self, opened: Opened, owners: Sequence[str]) -> None:
        names = [owner.removeprefix("@") for owner in owners if owner.startswith("@")]
        ids = [self._person(name) for name in names if name != opened.author]
        known = [person for person in ids if person is not None]
        if known:
            place = f"{self._root}/merge_requests/{opened.number}"
            doing = "ask the owners of the code for a review"
            self._api.do(doing, "PUT", place, body={"reviewer_ids": known})

    def _person(self, name: str) -> int | None:
        def first(found: Any) -> int | None:
            return next((number(item, "id") for item in items(found)), None)

        return self._api.ask(f"look up {name}", "GET", "/users", first, query={"username": name})

    def close(self, number: int, reason: str) -> None:
        place = f"{self._root}/merge_requests/{number}"
        self._api.do(f"say why {number} is closed", "POST", f"{place}/notes", body={"body": reason})
        close = {"state_event": "close"}
        self._api.do(f"close merge request {number}", "PUT", place, body=close)


def _may_push(project: Any) -> bool | None:
    """Say whether the project's answer gives the role of a developer, by itself or by a group."""
    found = (project.get("permissions") or {}).values()
    levels = [number(access, "access_level") for access in found if access]
    # Administrators and members of invited groups have none here, and may push all the same.
    return max(levels) >= _DEVELOPER if levels else None


def _opened(item: Any) -> Opened:
    labels = items(part(item, "labels"))
    return Opened(
        number=number(item, "iid"),
        url=text(item, "web_url"),
        branch=text(item, "source_branch"),
        title=text(item, "title").removeprefix(_DRAFT),
        body=item.get("description") or "",
        state=_STATES.get(text(item, "state"), PublicationState.CLOSED),
        labels=frozenset(label for label in labels if isinstance(label, str)),
        author=text(item, "author", "username") if item.get("author") else "",
    )


class _Carrier:
    """Sends requests by python-gitlab."""

    def __init__(self, whom: Correspondent, url: str, timeout_s: int) -> None:
        self._whom, self._url, self._timeout_s = whom, url, timeout_s
        #: Of the latest answer: the client's errors leave them out.
        self._headers: Mapping[str, str] = {}

    @cached_property
    def _client(self) -> Any:
        try:
            from gitlab import Gitlab
        except ImportError:
            raise MissingExtra("gitlab", "opening merge requests on GitLab") from None
        client = Gitlab(self._url, private_token=self._whom.token, timeout=self._timeout_s)
        # The token would go along to wherever a redirection leads.
        client.session.max_redirects = 0
        client.session.hooks["response"].append(self._note)
        return client

    def _note(self, response: Any, **_options: Any) -> None:
        self._headers = dict(response.headers)

    def __call__(
        self,
        doing: str,
        verb: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
    ) -> Any:
        client = self._client
        from gitlab.exceptions import GitlabError
        from requests import RequestException, Timeout, TooManyRedirects

        try:
            answer = client.http_request(
                verb.lower(),
                path,
                query_data=dict(query or {}),
                post_data=dict(body) if body else None,
                # What to repeat is decided by the next attempt: see the carrier of GitHub.
                obey_rate_limit=False,
                retry_transient_errors=False,
            )
            return answer.json() if answer.content else None
        except TooManyRedirects as error:
            raise self._whom.refused(doing, 301, error, None) from None
        except GitlabError as error:
            status, said = error.response_code or 500, error.error_message
            raise self._whom.refused(doing, status, said, self._headers) from None
        except Timeout as error:
            raise self._whom.unreachable(doing, error, timeout=True) from None
        except UNUSABLE as error:
            raise self._whom.unusable(doing, error) from None
        except RequestException as error:
            raise self._whom.unreachable(doing, error, timeout=False) from None
