"""What people read in a pull request, also when the failing program wrote half of it."""

import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import AT, accepted, candidate, diagnosis, incident
from prunella.publish import branch_name, compose
from prunella.publish.markdown import code, fenced, plain, prose, table


def composed(**changes: object):
    values = {
        "incident": incident(),
        "diagnosis": diagnosis(),
        "candidate": candidate(),
        "verdict": accepted(),
        "alternatives": [],
        "regression_test": ("tests/test_average.py", b"def test(): ...\n"),
        "at": AT,
    }
    return compose(**(values | changes))


def test_pull_request_shows_error_cause_change_and_evidence() -> None:
    """The text names what failed, why, the diff, each check and what was not shown."""
    body = composed().body
    for part in (
        "division by zero",
        "`values` is empty",
        "-before\n+after",
        "3 of 3 that failed on the base no longer fail",
        "no tests were found",
        "def test(): ...",
        "rule:empty_guard",
    ):
        assert part in body


def test_the_text_leads_to_the_incidents_page() -> None:
    """Where the server's address is known the page is linked, otherwise the command stands alone."""
    page = "https://prunella.example/p/shop/incidents/inc_1"
    assert f"[its page]({page}), or `prunella incidents show" in composed(page=page).body
    assert "its page" not in composed().body


def test_branch_has_the_function_and_its_test_only() -> None:
    """The files of a pull request are the patched file and the new test."""
    assert composed().files == {
        "shop/prices.py": b"after\n",
        "tests/test_average.py": b"def test(): ...\n",
    }
    assert composed(regression_test=None).files == {"shop/prices.py": b"after\n"}


def test_where_tests_are_the_proof_the_text_says_which() -> None:
    """A patch proven by tests names them, and claims no recorded call; tests not on it are named."""
    tests = ["tests/test_a.py::test_one", "tests/test_a.py::test_two"]
    values = {"tests": tests, "uncommitted": ["tests/test_a.py"], "regression_test": None}
    body = composed(**values).body
    assert "The tests are the proof" in body
    assert all(f"- `{test}`" in body for test in tests)
    assert "Not on this branch" in body
    for wrong in ("recorded calls", "replay", "@heal", "None:"):
        assert wrong not in body
    assert "and 5 more" in composed(tests=[f"t.py::test_{n}" for n in range(25)]).body


def test_alternatives_are_shown_with_their_verdict() -> None:
    """A second accepted candidate stands in the text with its diff."""
    other = candidate(description="Raise ValueError instead.")
    body = composed(alternatives=[(other, accepted())]).body
    assert "Raise ValueError instead" in body
    assert body.count("```diff") == 2


@given(st.text(max_size=80))
def test_branch_name_is_always_valid(qualname: str) -> None:
    """Whatever a function is called, git accepts the branch's name."""
    name = branch_name(qualname, AT)
    assert re.fullmatch(r"prunella/fix-[A-Za-z0-9][A-Za-z0-9-]*-20261120-120000", name)


def test_branch_name_passes_git() -> None:
    """git itself accepts the name of a dunder method's branch."""
    name = branch_name("Order.__init__", AT)
    assert name == "prunella/fix-order-init-20261120-120000"
    subprocess.run(["git", "check-ref-format", "--branch", name], check=True, capture_output=True)


@given(st.text(alphabet="`~a\n\r |", max_size=60))
def test_fenced_text_cannot_end_its_fence(text: str) -> None:
    """No line inside a fence is as long a run of backticks as the fence."""
    first, *inside, last = fenced(text).split("\n")
    assert set(first) == {"`"} == set(last)
    assert not any(re.fullmatch(rf"\s*`{{{len(first)},}}\s*", line) for line in inside)


@pytest.mark.parametrize("text", ["@everyone", "<img src=x>", "[a](javascript:b)", "# h", "a|b"])
def test_markup_in_untrusted_text_is_escaped(text: str) -> None:
    """Mentions, HTML, links, headings and cell borders lose their meaning."""
    escaped = plain(text)
    assert all(mark not in re.sub(r"\\.", "", escaped) for mark in "@<[#|")


def test_code_with_backticks_stays_code() -> None:
    """Inline code has more backticks outside than inside."""
    assert code("a `b` c") == "`` a `b` c ``"
    assert code("") == "` `"


def test_prose_keeps_inline_code_and_escapes_the_rest() -> None:
    """Between backticks stands code; around it stands plain text with its spaces."""
    assert prose("so `a*b` is *bad*") == r"so `a*b` is \*bad\*"
    assert prose("odd ` tick") == r"odd \` tick"


def test_control_characters_become_visible() -> None:
    """Bidirectional overrides and escapes are shown, not obeyed."""
    assert "\u202e" not in plain("a\u202eb")
    assert "\x1b" not in fenced("\x1b[31m")


def test_table_cells_cannot_break_their_row() -> None:
    """A cell with a bar or a line break stays one cell."""
    rows = table(("a",), [("x | y\nz",)]).splitlines()
    assert len(rows) == 3
    assert rows[2].count("|") - rows[2].count("\\|") == 2


def test_commit_message_takes_no_trailers_from_the_program() -> None:
    """Line breaks in quoted values can't add trailers."""
    message = composed(diagnosis=diagnosis(root_cause="x\n\nSigned-off-by: boss")).message
    assert not re.search("^Signed-off-by", message, re.MULTILINE)


@pytest.mark.parametrize(
    "text",
    [
        "@team look",
        "Fixes #1",
        "closes shop/other#12",
        "GH-7",
        "see https://evil.example/x",
        "!3",
        "www.x.y",
    ],
)
def test_untrusted_text_calls_nobody(text: str) -> None:
    """In prose and in commit messages, mentions, issues and addresses are none to a code host."""
    known = re.compile(r"@\w|#\d|GH-\d|://\w|!\d|www\.\w")
    for found in (
        plain(text),
        composed(diagnosis=diagnosis(root_cause=text)).message,
        composed(candidate=candidate(description=text)).message,
    ):
        assert not known.search(found.replace("\\", ""))


def test_untrusted_text_is_no_command() -> None:
    """A line that GitLab would carry out begins with something else."""
    assert plain("/close").startswith("\\")


def test_the_mark_is_the_first_line_and_the_same_for_the_same_failure() -> None:
    """A pull request begins with the mark of its failure, however often that was seen since."""
    first, again = composed(), composed(incident=incident(count=99))
    assert first.body.splitlines()[0] == first.marker == again.marker
    assert composed(incident=incident(fingerprint="f2")).marker != first.marker


def test_a_long_change_is_cut_in_the_text() -> None:
    """However long what is quoted is, hosts take the text; the branch has all of it."""
    test = ("tests/test_x.py", b"x = 1\n" * 20_000)
    composed_body = composed(regression_test=test).body
    assert len(composed_body) < 65_000
    assert "more characters" in composed_body
