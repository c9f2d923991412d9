"""GitLab's API over a bare repository, as far as we use it."""

import base64
import re
from typing import Any

from doubles.code_host import TOKEN, Answered, Asked, CodeHostDouble, Pull

PROJECT = "shop/backend"
_ID = 7
_STATES = {"open": "opened", "closed": "closed"}


class GitLabDouble(CodeHostDouble):
    """The project ``shop/backend`` on a GitLab."""

    def do(self, asked: Asked) -> Answered:
        if asked.headers.get("private-token") != TOKEN:
            return Answered(status=401, body={"message": "401 Unauthorized"})
        if asked.path == "/api/v4/users":
            known = {"ann": 1, "everybody": 2}
            name = asked.query["username"]
            found = [{"id": known[name], "username": name}] if name in known else []
            return Answered(body=found)
        root = f"/api/v4/projects/{PROJECT}"
        if not asked.path.startswith(root):
            return Answered(status=404, body={"message": "404 Project Not Found"})
        rest = asked.path.removeprefix(root)
        for verb, pattern, method in _ROUTES:
            found_route = re.fullmatch(pattern, rest)
            if verb == asked.verb and found_route:
                return method(self, asked, *found_route.groups())
        raise LookupError(f"the double knows no {asked.verb} {rest}")

    def _project(self, _asked: Asked) -> Answered:
        level = {True: 30, False: 20}.get(self.may_push)
        access = {"access_level": level, "notification_level": 3} if level else None
        permissions = {"project_access": None, "group_access": access}
        body = {"id": _ID, "default_branch": "main", "permissions": permissions}
        return Answered(body=body)

    def _branch(self, _asked: Asked, branch: str) -> Answered:
        head = self.repository.head(branch)
        if head is None:
            return Answered(status=404, body={"message": "404 Branch Not Found"})
        return Answered(body={"name": branch, "commit": {"id": head}})

    def _remove_branch(self, _asked: Asked, branch: str) -> Answered:
        if self.repository.head(branch) is None:
            return Answered(status=404, body={"message": "404 Branch Not Found"})
        self.remove_branch(branch)
        return Answered(status=204)

    def _commit(self, _asked: Asked, sha: str) -> Answered:
        message = self.repository.git("log", "-1", "--format=%B", sha).decode().rstrip("\n")
        return Answered(body={"id": sha, "message": message})

    def _file(self, asked: Asked, path: str) -> Answered:
        listed = self.repository.git("ls-tree", asked.query["ref"], path).decode()
        if not listed:
            return Answered(status=404, body={"message": "404 File Not Found"})
        content = self.repository.git("cat-file", "blob", f"{asked.query['ref']}:{path}")
        body = {
            "file_path": path,
            "encoding": "base64",
            "content": base64.b64encode(content).decode(),
            "execute_filemode": listed.startswith("100755"),
        }
        return Answered(body=body)

    def _make_commit(self, asked: Asked) -> Answered:
        body = asked.body
        if self.repository.head(body["branch"]) and not body["force"]:
            why = f"A branch called '{body['branch']}' already exists."
            return Answered(status=400, body={"message": why})
        entries = {}
        for action in body["actions"]:
            listed = self.repository.git("ls-tree", body["start_sha"], action["file_path"])
            if bool(listed) != (action["action"] == "update"):
                return Answered(status=400, body={"message": "A file with this name exists or not"})
            blob = self.repository.blob(base64.b64decode(action["content"]))
            entries[action["file_path"]] = (listed.decode()[:6] or "100644", blob)
        tree = self.repository.tree(body["start_sha"], entries)
        made = self.repository.commit(tree, [body["start_sha"]], body["commit_message"])
        self.repository.move(body["branch"], made)
        return Answered(status=201, body={"id": made, "message": body["commit_message"]})

    def _pulls(self, asked: Asked) -> Answered:
        state, branch = asked.query.get("state", "all"), asked.query.get("source_branch")
        found = [
            self._body(pull)
            for pull in reversed(self.pulls)
            if branch in (None, pull.branch) and state in ("all", self._body(pull)["state"])
        ]
        return Answered(body=found)

    def _make_pull(self, asked: Asked) -> Answered:
        body = asked.body
        if any(pull.branch == body["source_branch"] for pull in self.open_pulls()):
            why = "Another open merge request already exists for this source branch: !1"
            return Answered(status=409, body={"message": [why]})
        pull = Pull(
            number=len(self.pulls) + 1,
            branch=body["source_branch"],
            base=body["target_branch"],
            title=body["title"],
            body=body["description"],
            draft=body["title"].startswith("Draft: "),
        )
        self.pulls.append(pull)
        return Answered(status=201, body=self._body(pull))

    def _pull(self, _asked: Asked, number: str) -> Answered:
        return Answered(body=self._body(self.pulls[int(number) - 1]))

    def _change(self, asked: Asked, number: str) -> Answered:
        pull, body = self.pulls[int(number) - 1], asked.body
        pull.title, pull.body = body.get("title", pull.title), body.get("description", pull.body)
        if body.get("state_event") == "close":
            pull.state = "closed"
        names = filter(None, body.get("add_labels", "").split(","))
        pull.labels += [name for name in names if name not in pull.labels]
        if "reviewer_ids" in body:
            pull.reviewers = [{1: "ann", 2: "everybody"}[one] for one in body["reviewer_ids"]]
        return Answered(body=self._body(pull))

    def _note(self, asked: Asked, number: str) -> Answered:
        self.pulls[int(number) - 1].comments.append(asked.body["body"])
        return Answered(status=201, body={"id": 1})

    def _body(self, pull: Pull) -> dict[str, Any]:
        return {
            "iid": pull.number,
            "web_url": f"https://gitlab.example.org/{PROJECT}/-/merge_requests/{pull.number}",
            "state": "merged" if pull.merged else _STATES[pull.state],
            "title": pull.title,
            "description": pull.body,
            "source_branch": pull.branch,
            "source_project_id": _ID if pull.home == PROJECT else 8,
            "labels": pull.labels,
            "author": {"username": "prunella-bot"},
        }


_ROUTES = (
    ("GET", "", GitLabDouble._project),
    ("GET", r"/repository/branches/(.+)", GitLabDouble._branch),
    ("DELETE", r"/repository/branches/(.+)", GitLabDouble._remove_branch),
    ("GET", r"/repository/commits/(\w+)", GitLabDouble._commit),
    ("POST", r"/repository/commits", GitLabDouble._make_commit),
    ("GET", r"/repository/files/(.+)", GitLabDouble._file),
    ("GET", r"/merge_requests", GitLabDouble._pulls),
    ("POST", r"/merge_requests", GitLabDouble._make_pull),
    ("GET", r"/merge_requests/(\d+)", GitLabDouble._pull),
    ("PUT", r"/merge_requests/(\d+)", GitLabDouble._change),
    ("POST", r"/merge_requests/(\d+)/notes", GitLabDouble._note),
)
