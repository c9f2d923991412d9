"""Gitea's and Forgejo's API over a bare repository; all is checked by a client's types."""

import base64
import re
from typing import Any

from doubles.code_host import TOKEN, Answered, Asked, CodeHostDouble, Pull
from doubles.descriptions.typed import types_of

PROJECT = "shop/backend"
_API = "/api/v1"


class GiteaDouble(CodeHostDouble):
    """The repository ``shop/backend`` on a Gitea; it asks the owners of code by itself."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.labels: list[str] = []

    def do(self, asked: Asked) -> Answered:
        if asked.headers.get("authorization") != f"token {TOKEN}":
            return Answered(status=401, body={"message": "invalid username, password or token"})
        root = f"/repos/{PROJECT}"
        path = asked.path.removeprefix(_API)
        if not path.startswith(root):
            return Answered(status=404, body={"message": "Not Found"})
        rest = path.removeprefix(root)
        for verb, pattern, method in _ROUTES:
            found = re.fullmatch(pattern, rest)
            if verb == asked.verb and found:
                return method(self, asked, *found.groups())
        raise LookupError(f"the double knows no {asked.verb} {rest}")

    def check(self, asked: Asked, answered: Answered) -> None:
        path, body = asked.path.removeprefix(_API), answered.body
        types_of("gitea").check(asked.verb, path, asked.query, asked.body, answered.status, body)

    def _repository(self, _asked: Asked) -> Answered:
        body: dict[str, Any] = {"default_branch": "main", "full_name": PROJECT}
        if self.may_push is not None:
            body["permissions"] = {"admin": False, "pull": True, "push": self.may_push}
        return Answered(body=body)

    def _branch(self, _asked: Asked, branch: str) -> Answered:
        head = self.repository.head(branch)
        if head is None:
            return Answered(status=404, body={"message": "branch does not exist"})
        return Answered(body={"name": branch, "commit": {"id": head}})

    def _remove_branch(self, _asked: Asked, branch: str) -> Answered:
        self.remove_branch(branch)
        return Answered(status=204)

    def _commit(self, _asked: Asked, sha: str) -> Answered:
        message = self.repository.git("log", "-1", "--format=%B", sha).decode()
        return Answered(body={"sha": sha, "commit": {"message": message}})

    def _entry(self, path: str, ref: str) -> str:
        listed = self.repository.git("ls-tree", ref, path).decode()
        return listed.split()[2] if listed else ""

    def _contents(self, asked: Asked, path: str) -> Answered:
        blob = self._entry(path, asked.query["ref"])
        if not blob:
            return Answered(status=404, body={"message": "object does not exist"})
        content = base64.b64encode(self.repository.git("cat-file", "blob", blob)).decode()
        body = {"type": "file", "encoding": "base64", "content": content, "sha": blob}
        return Answered(body=body)

    def _change_files(self, asked: Asked) -> Answered:
        body = asked.body
        branch = body.get("new_branch", body["branch"])
        if "new_branch" in body and self.repository.head(branch):
            return Answered(status=409, body={"message": "branch already exists"})
        parent = self.repository.head(body["branch"])
        entries = {}
        for change in body["files"]:
            present = self._entry(change["path"], parent or "")
            if present != change.get("sha", "") or bool(present) != (
                change["operation"] == "update"
            ):
                return Answered(status=422, body={"message": "sha does not match"})
            listed = self.repository.git("ls-tree", parent or "", change["path"]).decode()
            blob = self.repository.blob(base64.b64decode(change["content"]))
            entries[change["path"]] = (listed[:6] or "100644", blob)
        made = self.repository.commit(
            self.repository.tree(parent, entries), [parent or ""], body["message"]
        )
        self.repository.move(branch, made)
        return Answered(status=201, body={"commit": {"sha": made}, "files": []})

    def _pulls(self, asked: Asked) -> Answered:
        state = asked.query["state"]
        found = [pull for pull in reversed(self.pulls) if state in ("all", pull.state)]
        size, page = int(asked.query["limit"]), int(asked.query["page"])
        found = found[(page - 1) * size : page * size]
        return Answered(body=[self._body(pull) for pull in found])

    def _make_pull(self, asked: Asked) -> Answered:
        body = asked.body
        if any(pull.branch == body["head"] for pull in self.open_pulls()):
            return Answered(status=409, body={"message": "pull request already exists"})
        pull = Pull(
            number=len(self.pulls) + 1,
            branch=body["head"],
            base=body["base"],
            title=body["title"],
            body=body["body"],
            draft=body["title"].startswith("WIP: "),
        )
        if not pull.draft:
            pull.reviewers = ["ann", "pricing"]
        self.pulls.append(pull)
        return Answered(status=201, body=self._body(pull))

    def _pull(self, _asked: Asked, number: str) -> Answered:
        return Answered(body=self._body(self.pulls[int(number) - 1]))

    def _change_pull(self, asked: Asked, number: str) -> Answered:
        pull = self.pulls[int(number) - 1]
        for name in ("title", "body", "state"):
            setattr(pull, name, asked.body.get(name, getattr(pull, name)))
        return Answered(status=201, body=self._body(pull))

    def _known_labels(self, _asked: Asked) -> Answered:
        return Answered(body=[{"id": n, "name": name} for n, name in enumerate(self.labels, 1)])

    def _make_label(self, asked: Asked) -> Answered:
        self.labels.append(asked.body["name"])
        return Answered(status=201, body={"id": len(self.labels), "name": asked.body["name"]})

    def _label(self, asked: Asked, number: str) -> Answered:
        pull = self.pulls[int(number) - 1]
        names = [self.labels[one - 1] for one in asked.body["labels"]]
        pull.labels += [name for name in names if name not in pull.labels]
        return Answered(body=[])

    def _comment(self, asked: Asked, number: str) -> Answered:
        self.pulls[int(number) - 1].comments.append(asked.body["body"])
        return Answered(status=201, body={"id": 1})

    def _body(self, pull: Pull) -> dict[str, Any]:
        return {
            "number": pull.number,
            "html_url": f"https://gitea.example.org/{PROJECT}/pulls/{pull.number}",
            "state": pull.state,
            "merged": pull.merged,
            "title": pull.title,
            "body": pull.body,
            "labels": [{"name": name} for name in pull.labels],
            "user": {"login": "prunella-bot"},
            "head": {"ref": pull.branch, "repo": {"full_name": pull.home}},
        }


_ROUTES = (
    ("GET", "", GiteaDouble._repository),
    ("GET", r"/branches/(.+)", GiteaDouble._branch),
    ("DELETE", r"/branches/(.+)", GiteaDouble._remove_branch),
    ("GET", r"/git/commits/(\w+)", GiteaDouble._commit),
    ("GET", r"/contents/(.+)", GiteaDouble._contents),
    ("POST", r"/contents", GiteaDouble._change_files),
    ("GET", r"/pulls", GiteaDouble._pulls),
    ("POST", r"/pulls", GiteaDouble._make_pull),
    ("GET", r"/pulls/(\d+)", GiteaDouble._pull),
    ("PATCH", r"/pulls/(\d+)", GiteaDouble._change_pull),
    ("GET", r"/labels", GiteaDouble._known_labels),
    ("POST", r"/labels", GiteaDouble._make_label),
    ("POST", r"/issues/(\d+)/labels", GiteaDouble._label),
    ("POST", r"/issues/(\d+)/comments", GiteaDouble._comment),
)
