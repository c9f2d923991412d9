"""GitHub's API over a bare repository; requests and answers are checked against its description."""

import base64
import re
from collections.abc import Mapping
from typing import Any

from doubles.code_host import TOKEN, Answered, Asked, CodeHostDouble, Pull, encoded
from doubles.descriptions import description

PROJECT = "shop/backend"
_ROOT = f"/repos/{PROJECT}"
#: Where GitHub Enterprise has its API.
_ENTERPRISE = "/api/v3"


class GitHubDouble(CodeHostDouble):
    """The repository ``shop/backend`` on a GitHub."""

    def do(self, asked: Asked) -> Answered:
        if TOKEN not in asked.headers.get("authorization", ""):
            return _refusal(401, "Bad credentials")
        path = asked.path.removeprefix(_ENTERPRISE)
        if not path.startswith(_ROOT):
            return _refusal(404, "Not Found")
        rest = path.removeprefix(_ROOT)
        for verb, pattern, method in _ROUTES:
            found = re.fullmatch(pattern, rest)
            if verb == asked.verb and found:
                return method(self, asked, *found.groups())
        raise LookupError(f"the double knows no {asked.verb} {rest}")

    def check(self, asked: Asked, answered: Answered) -> None:
        description("github").check(
            asked.verb,
            asked.address.removeprefix(_ENTERPRISE),
            asked.raw,
            answered.status,
            encoded(answered),
        )

    def _filled(self, schema: str, known: Mapping[str, Any]) -> dict[str, Any]:
        return description("github").filled(schema, known)

    def _repository(self, _asked: Asked) -> Answered:
        known: dict[str, Any] = {"default_branch": "main", "full_name": PROJECT}
        if self.may_push is not None:
            known["permissions"] = {"admin": False, "pull": True, "push": self.may_push}
        return Answered(body=self._filled("full-repository", known))

    def _reference(self, _asked: Asked, branch: str) -> Answered:
        head = self.repository.head(branch)
        return _refusal(404, "Not Found") if head is None else self._at(branch, head)

    def _at(self, branch: str, head: str, status: int = 200) -> Answered:
        known = {"ref": f"refs/heads/{branch}", "object": {"type": "commit", "sha": head.ljust(40)}}
        return Answered(status=status, body=self._filled("git-ref", known))

    def _make_reference(self, asked: Asked) -> Answered:
        branch = asked.body["ref"].removeprefix("refs/heads/")
        if self.repository.head(branch):
            return _refusal(422, "Reference already exists")
        self.repository.move(branch, asked.body["sha"])
        return self._at(branch, asked.body["sha"], 201)

    def _move_reference(self, asked: Asked, branch: str) -> Answered:
        if not self.repository.head(branch):
            return _refusal(422, "Reference does not exist")
        self.repository.move(branch, asked.body["sha"])
        return self._at(branch, asked.body["sha"])

    def _remove_reference(self, _asked: Asked, branch: str) -> Answered:
        if not self.repository.head(branch):
            return _refusal(422, "Reference does not exist")
        self.remove_branch(branch)
        return Answered(status=204)

    def _make_blob(self, asked: Asked) -> Answered:
        sha = self.repository.blob(base64.b64decode(asked.body["content"]))
        return Answered(status=201, body=self._filled("short-blob", {"sha": sha}))

    def _blob(self, _asked: Asked, sha: str) -> Answered:
        content = self.repository.git("cat-file", "blob", sha)
        known = {
            "sha": sha,
            "encoding": "base64",
            "content": base64.encodebytes(content).decode(),
            "size": len(content),
        }
        return Answered(body=self._filled("blob", known))

    def _make_tree(self, asked: Asked) -> Answered:
        entries = {item["path"]: (item["mode"], item["sha"]) for item in asked.body["tree"]}
        sha = self.repository.tree(asked.body["base_tree"], entries)
        return Answered(status=201, body=self._tree_body(sha))

    def _tree(self, _asked: Asked, sha: str) -> Answered:
        return Answered(body=self._tree_body(sha))

    def _tree_body(self, sha: str) -> dict[str, Any]:
        entries = []
        for line in self.repository.git("ls-tree", "-z", sha).decode().split("\0"):
            if line:
                about, _, path = line.partition("\t")
                mode, kind, entry = about.split()
                entries.append({"path": path, "mode": mode, "type": kind, "sha": entry})
        return self._filled("git-tree", {"sha": sha, "truncated": False, "tree": entries})

    def _make_commit(self, asked: Asked) -> Answered:
        body = asked.body
        sha = self.repository.commit(body["tree"], body["parents"], body["message"])
        return Answered(status=201, body=self._commit_body(sha))

    def _commit(self, _asked: Asked, sha: str) -> Answered:
        return Answered(body=self._commit_body(sha))

    def _commit_body(self, sha: str) -> dict[str, Any]:
        message = self.repository.git("log", "-1", "--format=%B", sha).decode().rstrip("\n")
        return self._filled("git-commit", {"sha": sha, "message": message})

    def _pulls(self, asked: Asked) -> Answered:
        state, head = asked.query.get("state", "open"), asked.query.get("head")
        found = [
            pull
            for pull in reversed(self.pulls)
            if state in ("all", pull.state)
            and head in (None, f"{pull.home.partition('/')[0]}:{pull.branch}")
        ]
        size, page = int(asked.query.get("per_page", 30)), int(asked.query.get("page", 1))
        found = found[(page - 1) * size : page * size]
        return Answered(body=[self._pull_body("pull-request-simple", pull) for pull in found])

    def _make_pull(self, asked: Asked) -> Answered:
        body = asked.body
        if not self.repository.head(body["head"]):
            return _refusal(422, "Validation Failed", [{"field": "head", "code": "invalid"}])
        if any(pull.branch == body["head"] for pull in self.open_pulls()):
            why = f"A pull request already exists for shop:{body['head']}."
            return _refusal(422, "Validation Failed", [{"message": why}])
        pull = Pull(
            number=len(self.pulls) + 1,
            branch=body["head"],
            base=body["base"],
            title=body["title"],
            body=body["body"],
            draft=body.get("draft", False),
        )
        self.pulls.append(pull)
        return Answered(status=201, body=self._pull_body("pull-request", pull))

    def _change_pull(self, asked: Asked, number: str) -> Answered:
        pull = self.pulls[int(number) - 1]
        for name in ("title", "body", "state"):
            setattr(pull, name, asked.body.get(name, getattr(pull, name)))
        return Answered(body=self._pull_body("pull-request", pull))

    def _pull_body(self, schema: str, pull: Pull) -> dict[str, Any]:
        label = description("github").filled("label", {"description": "x"})
        known = {
            "number": pull.number,
            "html_url": f"https://github.example.org/{PROJECT}/pull/{pull.number}",
            "state": pull.state,
            "title": pull.title,
            "body": pull.body,
            "draft": pull.draft,
            "merged_at": "2026-11-20T12:00:00Z" if pull.merged else None,
            "user": self._filled("simple-user", {"login": "prunella-bot"}),
            "labels": [{**label, "name": name} for name in pull.labels],
            "head": {
                "ref": pull.branch,
                "repo": self._filled("repository", {"full_name": pull.home}),
            },
        }
        return self._filled(schema, known)

    def _label(self, asked: Asked, number: str) -> Answered:
        pull = self.pulls[int(number) - 1]
        pull.labels += [name for name in asked.body["labels"] if name not in pull.labels]
        label = description("github").filled("label", {"description": "x"})
        return Answered(body=[{**label, "name": name} for name in pull.labels])

    def _comment(self, asked: Asked, number: str) -> Answered:
        self.pulls[int(number) - 1].comments.append(asked.body["body"])
        return Answered(status=201, body=self._filled("issue-comment", {}))

    def _review(self, asked: Asked, number: str) -> Answered:
        pull = self.pulls[int(number) - 1]
        names = [*asked.body.get("reviewers", []), *asked.body.get("team_reviewers", [])]
        if "stranger" in names:
            return _refusal(422, "Reviews may only be requested from collaborators.")
        pull.reviewers += [name for name in names if name not in pull.reviewers]
        return Answered(status=201, body=self._pull_body("pull-request-simple", pull))


_ROUTES = (
    ("GET", "", GitHubDouble._repository),
    ("GET", r"/git/ref/heads/(.+)", GitHubDouble._reference),
    ("POST", r"/git/refs", GitHubDouble._make_reference),
    ("PATCH", r"/git/refs/heads/(.+)", GitHubDouble._move_reference),
    ("DELETE", r"/git/refs/heads/(.+)", GitHubDouble._remove_reference),
    ("POST", r"/git/blobs", GitHubDouble._make_blob),
    ("GET", r"/git/blobs/(\w+)", GitHubDouble._blob),
    ("POST", r"/git/trees", GitHubDouble._make_tree),
    ("GET", r"/git/trees/(\w+)", GitHubDouble._tree),
    ("POST", r"/git/commits", GitHubDouble._make_commit),
    ("GET", r"/git/commits/(\w+)", GitHubDouble._commit),
    ("GET", r"/pulls", GitHubDouble._pulls),
    ("POST", r"/pulls", GitHubDouble._make_pull),
    ("PATCH", r"/pulls/(\d+)", GitHubDouble._change_pull),
    ("POST", r"/pulls/(\d+)/requested_reviewers", GitHubDouble._review),
    ("POST", r"/issues/(\d+)/labels", GitHubDouble._label),
    ("POST", r"/issues/(\d+)/comments", GitHubDouble._comment),
)


def _refusal(status: int, message: str, errors: list[Any] | None = None) -> Answered:
    body: dict[str, Any] = {"message": message, "documentation_url": "https://docs.example.org"}
    if errors:
        body["errors"] = errors
    return Answered(status=status, body=body)
