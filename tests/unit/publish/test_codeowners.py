"""Who is asked for a review."""

import pytest

from prunella.publish import owners_of

FILE = """
# Everything, unless a later line says otherwise.
*            @everybody
*.js         @js-owner # behind the names
/build/logs/ @doctocat
docs/*       docs@example.org
apps/        @octocat
/scripts/    @doctocat @octocat
**/logs      @octocat
/apps/github
/spaces\\ in/ @space
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("setup.py", ["@everybody"]),
        ("src/a.js", ["@js-owner"]),
        ("build/logs/x/y", ["@octocat"]),
        ("deep/build/thing", ["@everybody"]),
        ("docs/getting-started.md", ["docs@example.org"]),
        ("docs/build-app/troubleshooting.md", ["@everybody"]),
        ("deep/apps/x.py", ["@octocat"]),
        ("scripts/x/y.py", ["@doctocat", "@octocat"]),
        ("deeply/nested/logs/x", ["@octocat"]),
        ("apps/github/x.py", []),
        ("spaces in/x", ["@space"]),
    ],
)
def test_the_last_line_that_matches_counts(path: str, owners: list[str]) -> None:
    """The examples of GitHub's documentation give the owners that it says."""
    assert list(owners_of(FILE, path)) == owners


def test_sections_have_owners_of_their_own() -> None:
    """In GitLab's sections each one's last match counts, with its own owners where none is named."""
    text = "* @all\n[Database][2] @dba\nmodel/\n^[Docs]\nmodel/ @writer\n*.md @editor\n"
    assert owners_of(text, "model/x.py") == ("@all", "@dba", "@writer")
    assert owners_of(text, "x.py") == ("@all",)


def test_an_empty_file_names_nobody() -> None:
    """Without rules there are no owners."""
    assert owners_of("\n# nothing\n", "x.py") == ()
