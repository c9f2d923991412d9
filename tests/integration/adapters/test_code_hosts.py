"""Pull requests on code hosts, through their real clients, against doubles over bare repositories."""

import subprocess
from contextlib import suppress
from dataclasses import replace

import pytest

from builders import accepted, candidate, diagnosis, incident
from doubles.alert_server import black_hole
from doubles.bare_repository import BareRepository
from doubles.code_host import TOKEN, Answered, running
from doubles.gitea import GiteaDouble
from doubles.github import GitHubDouble
from doubles.gitlab import GitLabDouble
from prunella.adapters.code_hosts.failures import Correspondent
from prunella.adapters.code_hosts.gitea import GiteaForge
from prunella.adapters.code_hosts.github import GitHubForge
from prunella.adapters.code_hosts.gitlab import GitLabForge
from prunella.adapters.code_hosts.remote import RemoteHost
from prunella.model.clock import now
from prunella.model.errors import CodeHostError
from prunella.model.repair import PublicationState
from prunella.publish import compose

pytest.importorskip("github")
pytest.importorskip("gitlab")
pytest.importorskip("httpx2")

FILES = {
    "shop/prices.py": b"before\n",
    "README.md": b"# Shop\n",
    "CODEOWNERS": b"* @everybody\nshop/ @ann @prunella-bot @shop/pricing\nREADME.md @writer\n",
}


def whom(name):
    variable = f"{name.upper()}_TOKEN"
    return Correspondent(name=name, project="shop/backend", variable=variable, token=TOKEN)


def github(double):
    return RemoteHost(GitHubForge(whom("GitHub"), url=double.url))


def gitlab(double):
    return RemoteHost(GitLabForge(whom("GitLab"), url=double.url))


def gitea(double):
    return RemoteHost(GiteaForge(whom("Gitea"), url=double.url))


FORGES = {"GitHub": GitHubForge, "GitLab": GitLabForge, "Gitea": GiteaForge}


KINDS = {
    "github": (GitHubDouble, github),
    "gitlab": (GitLabDouble, gitlab),
    "gitea": (GiteaDouble, gitea),
}
#: The owners that are asked: GitLab knows people only, and Gitea asks by itself.
REVIEWERS = {
    GitHubDouble: ["ann", "pricing"],
    GitLabDouble: ["ann"],
    GiteaDouble: ["ann", "pricing"],
}


@pytest.fixture(params=KINDS)
def place(request, tmp_path):
    """A running double, and what opens a host that talks to it."""
    kind, opens = KINDS[request.param]
    with running(kind(BareRepository(tmp_path / "host.git", files=FILES))) as double:
        yield double, lambda: opens(double)
        assert double.complaints == []


BRANCH = "prunella/fix-average-20261120-120000"


def request_for(host, *, score=0.9, content=b"after\n", count=3, branch=BRANCH):
    made = candidate()
    return replace(
        compose(
            incident=incident(count=count),
            diagnosis=diagnosis(),
            candidate=replace(made, patch=replace(made.patch, after=content)),
            verdict=accepted(score=score),
            alternatives=[],
            regression_test=("tests/test_average.py", b"def test(): ...\n"),
            at=now(),
            base=host.base(),
        ),
        branch=branch,
    )


def test_a_pull_request_stands_on_the_hosts_base(place, tmp_path):
    """What git fetches is one commit on the host's base with the patch and its test, no more."""
    double, opens = place
    host = opens()
    base = host.base()
    published = host.publish(request_for(host))
    (pull,) = double.open_pulls()
    assert (pull.branch, pull.base, pull.draft) == (published.branch, "main", False)
    assert published.state is PublicationState.OPEN
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(double.repository.path), str(clone)], check=True)

    def git(*arguments):
        done = subprocess.run(["git", "-C", clone, *arguments], capture_output=True, check=True)
        return done.stdout.decode()

    git("fetch", "-q", "origin", f"{published.branch}:fix")
    assert git("rev-parse", "fix", "fix^").split() == [published.commit, base]
    changed = git("diff", "--name-only", "fix^", "fix").split()
    assert changed == ["shop/prices.py", "tests/test_average.py"]
    assert git("show", "fix:shop/prices.py") == "after\n"


def test_the_mode_of_a_file_stays(place):
    """A program that is patched stays a program."""
    double, opens = place
    at = double.repository
    entry = {"shop/prices.py": ("100755", at.blob(b"before\n"))}
    at.move("main", at.commit(at.tree(at.head("main"), entry), [at.head("main")], "a program"))
    host = opens()
    published = host.publish(request_for(host))
    listed = at.git("ls-tree", published.commit, "shop/prices.py")
    assert listed.startswith(b"100755")


def test_labels_and_owners(place):
    """It is labelled, and the owners of the file are asked for a review, its author never."""
    double, opens = place
    host = opens()
    host.publish(request_for(host))
    (pull,) = double.open_pulls()
    assert pull.labels == ["prunella", incident().error_code]
    assert pull.reviewers == REVIEWERS[type(double)]


def test_a_weak_proof_is_a_draft_that_nobody_is_called_to(place):
    """Below the score of an offer it is a draft, without reviewers."""
    double, opens = place
    host = opens()
    host.publish(request_for(host, score=0.5))
    (pull,) = double.open_pulls()
    assert pull.draft
    assert pull.reviewers == []


def test_publishing_again_changes_nothing(place):
    """The same request again finds what is there, and writes nothing."""
    double, opens = place
    host = opens()
    request = request_for(host)
    first = host.publish(request)
    double.restarted()
    again = host.publish(request)
    assert (again.branch, again.commit, again.url) == (first.branch, first.commit, first.url)
    assert {asked.verb for asked in double.asked} == {"GET"}


def test_new_evidence_updates_the_pull_request(place):
    """More failures and another edit bring the open pull request up to date; there is no second one."""
    double, opens = place
    host = opens()
    host.publish(request_for(host))
    other = request_for(
        host, content=b"better\n", count=50, branch="prunella/fix-average-20261121-120000"
    )
    published = host.publish(other)
    (pull,) = double.pulls
    assert "50 times" in pull.body
    assert published.branch == pull.branch
    assert double.repository.show(pull.branch, "shop/prices.py") == b"better\n"
    assert sorted(double.repository.branches()) == ["main", pull.branch]


def test_commits_of_people_are_left_alone(place):
    """Where people have gone on on the branch, neither branch nor text is changed."""
    double, opens = place
    host = opens()
    published = host.publish(request_for(host))
    theirs = double.repository.push(
        published.branch, {"shop/prices.py": b"mine\n"}, "I know better"
    )
    body = double.pulls[0].body
    host.publish(request_for(host, content=b"better\n", count=50))
    assert double.repository.head(published.branch) == theirs
    assert double.pulls[0].body == body
    host.withdraw(published, "It was cured otherwise.")
    assert double.repository.head(published.branch) == theirs


def test_what_people_closed_stays_closed(place):
    """A pull request that people have closed or merged isn't opened again."""
    double, opens = place
    host = opens()
    published = host.publish(request_for(host))
    for merged, state in ((False, PublicationState.CLOSED), (True, PublicationState.MERGED)):
        double.pulls[0].state, double.pulls[0].merged = "closed", merged
        assert host.publish(request_for(host)).state is state
        assert host.look(published).state is state
    assert len(double.pulls) == 1


def test_a_mark_in_a_strangers_pull_request_counts_for_nothing(place):
    """The mark in a text from a fork, or below other words, doesn't make it ours."""
    double, opens = place
    host = opens()
    published = host.publish(request_for(host))
    pull = double.pulls[0]
    fork = replace(pull, number=2, home="stranger/backend")
    quoting = replace(pull, number=3, branch="feature", body="see\n" + pull.body)
    double.pulls = [replace(pull, state="closed"), fork, quoting]
    double.repository.push("feature", {"x": "y"}, "feature")
    assert host.publish(request_for(host)).url == published.url
    assert len(double.pulls) == 3


def test_withdrawing_closes_with_a_reason(place):
    """The pull request is closed, the reason stands in it, the branch is gone; twice is once."""
    double, opens = place
    host = opens()
    published = host.publish(request_for(host))
    for _ in range(2):
        host.withdraw(published, "The incident was cured otherwise.")
        assert double.open_pulls() == []
        assert double.pulls[0].comments == ["The incident was cured otherwise."]
        assert double.repository.branches() == ["main"]


def publish_with(host):
    return host.publish(request_for(host))


def steps_of(opens, double):
    """Return how many requests publishing takes."""
    host = opens()
    host.publish(request_for(host))
    return len(double.asked)


def test_a_crash_after_any_step_leaves_nothing_half_made(place, tmp_path):
    """Wherever a healer dies, the next one finishes: one branch, one pull request, fully dressed."""
    double, opens = place
    first = double.repository
    steps = steps_of(opens, double)
    assert steps > 5
    double.check = lambda asked, answered: None  # the same requests were checked above
    for step in range(1, steps + 1):
        double.repository = BareRepository(tmp_path / f"host-{step}.git", files=FILES)
        double.pulls = []
        double.restarted()
        double.drops_after = step
        with suppress(CodeHostError):
            publish_with(opens())
        double.restarted()
        host = opens()
        published = host.publish(request_for(host))
        (pull,) = double.pulls
        assert sorted(double.repository.branches()) == ["main", published.branch], step
        assert (pull.state, pull.reviewers, len(pull.labels)) == (
            "open",
            REVIEWERS[type(double)],
            2,
        )
    double.repository = first


def test_a_host_that_opens_nothing_keeps_no_orphan(place):
    """Where branches can be made and pull requests can't, three attempts leave no branch."""
    double, opens = place

    def no_pulls(asked, _number):
        opening = asked.verb == "POST" and asked.path.endswith(("/pulls", "/merge_requests"))
        return (
            Answered(status=403, body={"message": "Resource not accessible"}) if opening else None
        )

    double.fault = no_pulls
    for _ in range(3):
        host = opens()
        with pytest.raises(CodeHostError, match="may not do that"):
            host.publish(request_for(host))
        assert double.repository.branches() == ["main"]


def test_an_answer_that_got_lost_makes_no_second_one(place):
    """A pull request that was opened though the answer got lost is found, not opened again."""
    double, opens = place
    done = []

    def lost(asked, _number):
        opening = asked.verb == "POST" and asked.path.endswith(("/pulls", "/merge_requests"))
        if opening and not done:
            done.append(double.do(asked))
            return Answered(dropped=True)
        return None

    double.fault = lost
    host = opens()
    published = host.publish(request_for(host))
    assert [pull.state for pull in double.pulls] == ["open"]
    assert double.repository.head(published.branch) == published.commit


@pytest.mark.parametrize("may_push", [True, False, None])
def test_a_host_says_what_the_token_may_do(place, may_push):
    """How the host stands to the token's owner is read without changing anything."""
    double, opens = place
    double.may_push = may_push
    standing = opens().standing()
    assert standing.may_write is may_push
    assert (standing.branch, standing.commit) == ("main", double.repository.head("main"))
    assert {asked.verb for asked in double.asked} == {"GET"}


@pytest.mark.parametrize("name", FORGES)
def test_a_host_that_never_answers_is_given_up(name):
    """A connection that is taken and never answered ends as a failure for lack of time."""
    with black_hole() as address:
        host = RemoteHost(FORGES[name](whom(name), url=address, timeout_s=1))
        with pytest.raises(CodeHostError, match="did not answer in time") as caught:
            host.base()
    assert caught.value.reason == "timeout"
    assert TOKEN not in str(caught.value)


FAILURES = [
    (Answered(status=401, body={"message": "Bad credentials"}), "refused_token", "_TOKEN"),
    (Answered(status=403, body={"message": "no"}), "forbidden", "allowed to write"),
    (
        Answered(
            status=403, body={"message": "secondary rate limit"}, headers={"Retry-After": "60"}
        ),
        "rate_limit",
        "in 60 s",
    ),
    (Answered(status=429, body={"message": "slow down"}), "rate_limit", "try again later"),
    (Answered(status=404, body={"message": "Not Found"}), "not_found", "shop/backend"),
    (Answered(status=409, body={"message": "conflict"}), "conflict", "next attempt"),
    (Answered(status=422, body={"message": TOKEN}), "conflict", "[redacted]"),
    (Answered(status=503, body={"message": "down"}), "unavailable", "is kept"),
    (Answered(status=307, headers={"Location": "https://evil.example.org/"}), "redirect", "moved"),
    (Answered(status=301, headers={"Location": "https://evil.example.org/"}), "redirect", "moved"),
    (Answered(raw=b"<html>it works</html>"), "unusable", "code_host_url"),
    (Answered(raw=b"[1, {"), "unusable", "code_host_url"),
    (Answered(body={"message": "odd"}), "unusable", "code_host_url"),
    (Answered(dropped=True), "unavailable", "can't be reached"),
]


@pytest.mark.parametrize(
    ("answered", "reason", "words"), FAILURES, ids=[f"{f[0].status}-{f[1]}" for f in FAILURES]
)
def test_failures_say_what_to_do(place, answered, reason, words):
    """Each failure of a host has its reason, says what to do, and holds no token."""
    double, opens = place
    double.fault = lambda _asked, _number: answered
    with pytest.raises(CodeHostError) as caught:
        opens().base()
    assert caught.value.reason == reason
    assert words in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert caught.value.retry_after_s == (60 if "60" in words else None)
