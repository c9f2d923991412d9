"""The repository is not as one would wish: the user's state in it is never touched."""

import os
import shutil

from acceptance.projects import RATINGS, refused


def healed(project, *arguments, **environment):
    """Heal `average`; return the attempt, which must have succeeded."""
    ended = project.run("heal", "average", "--pr", "--json", *arguments, **environment)
    assert ended.code == 0, (ended.out, ended.err)
    (attempt,) = ended.document["healings"]
    return attempt


def test_local_edits_and_staged_changes_on_a_detached_head(recorded):
    """The patch is made on the commit, which is said; edits, index and HEAD stay as they are."""
    recorded.git("checkout", "--quiet", "--detach")
    recorded.write({"ratings.py": RATINGS.replace("len(stars)", "len(stars)  # mine")})
    recorded.git("add", "ratings.py")
    recorded.write({"ratings.py": RATINGS.replace("sum(stars)", "sum( stars )")})
    attempt = healed(recorded)
    assert recorded.branches() == [attempt["branch"]]
    patched = recorded.git("show", f"{attempt['branch']}:ratings.py")
    assert "return sum(stars) / len(stars)" in patched
    assert "ratings.py differs from the commit" in attempt["note"]


def test_healing_twice_makes_one_branch(recorded):
    """The same edit is published once while its branch stands, and again once it is deleted."""
    first = healed(recorded)
    assert healed(recorded, "--force")["branch"] == first["branch"]
    assert recorded.branches() == [first["branch"]]


def test_a_repository_without_a_commit(recorded):
    """It says that patches are made on committed code."""
    shutil.rmtree(recorded.folder / ".git")
    recorded.git("init", "--quiet", "--template=")
    message = refused(recorded, "heal", "average", "--pr", code=3)
    assert "no commit yet" in message
    ended = recorded.run("doctor", "--json")
    assert ended.code == 1
    assert [item["area"] for item in ended.document["findings"] if item["level"] == "problem"]


def test_no_repository(recorded):
    """The patch becomes a file instead of a branch."""
    shutil.rmtree(recorded.folder / ".git")
    attempt = healed(recorded)
    assert attempt["branch"] is None
    assert "no git repository" in attempt["explanation"]
    assert list((recorded.folder / ".prunella" / "pull-requests").glob("*.patch"))
    assert recorded.run("doctor", "--json").code == 0


def test_no_git_on_path(recorded, tmp_path):
    """A repository without git to read it is said, by heal and by doctor."""
    path = str(tmp_path / "nothing")
    message = refused(recorded, "heal", "average", "--pr", code=3, PATH=path)
    assert "git is not installed" in message
    assert recorded.run("doctor", "--json", PATH=path).code == 1
    patch = tmp_path / "a.patch"
    patch.write_text("--- a/ratings.py\n+++ b/ratings.py\n")
    message = refused(recorded, "replay", "average", "--against", str(patch), code=3, PATH=path)
    assert "git is not installed" in message
    assert "git" in refused(recorded, "demo", "--dir", "d", code=3, PATH=path)


def test_a_damaged_repository(recorded):
    """What git says is passed on, in one line."""
    shutil.rmtree(recorded.folder / ".git" / "objects")
    recorded.top = recorded.folder / "tests"  # git itself can't say what the user's state is
    assert "git" in refused(recorded, "heal", "average", code=3)
    assert recorded.run("doctor", "--json").code == 1


def test_a_project_below_the_top_of_its_repository(project):
    """The branch has the patched file in its folder, and everything else as it was."""
    shutil.rmtree(project.folder / ".git")
    project.top = project.folder.parent
    project.commit()
    project.environment["PRUNELLA_ROOT"] = str(project.folder)
    project.record()
    attempt = healed(project)
    changed = project.git("diff", "--name-only", f"main...{attempt['branch']}").splitlines()
    assert "shop/ratings.py" in changed
    assert all(name.startswith("shop/") for name in changed)


def test_a_file_that_is_not_committed(recorded):
    """It isn't in the base: said, with what to do, and nothing is made."""
    recorded.git("rm", "--quiet", "--cached", "ratings.py")
    recorded.git("commit", "--quiet", "--message", "Without it")
    ended = recorded.run("heal", "average", "--pr", "--json")
    assert ended.code == 1
    assert "is not in the committed base" in ended.document["healings"][0]["explanation"]
    assert recorded.branches() == []


def test_a_function_that_was_renamed(recorded):
    """It isn't found by its old name, which is said."""
    recorded.write({"ratings.py": RATINGS.replace("average", "mean_of")})
    recorded.git("commit", "--quiet", "--all", "--message", "Rename")
    ended = recorded.run("heal", "average", "--pr", "--json")
    assert ended.code == 1
    assert "average is not in ratings.py" in ended.document["healings"][0]["explanation"]
    assert recorded.branches() == []
    rows = recorded.run("replay", "average", "--json").document["rows"]
    assert {row["difference"] for row in rows} == {"not_replayed"}


def test_a_function_that_was_repaired_since(recorded):
    """Its failure doesn't happen again on the base: no patch, and the reason."""
    fixed = RATINGS.replace("    return", "    if not stars:\n        return 0.0\n    return")
    recorded.write({"ratings.py": fixed})
    recorded.git("commit", "--quiet", "--all", "--message", "Repair")
    ended = recorded.run("heal", "average", "--pr", "--json")
    assert ended.code == 1
    assert "No recorded failure happens again" in ended.document["healings"][0]["explanation"]


def test_a_patch_that_does_not_apply(recorded, tmp_path):
    """Neither text that is no patch nor a patch for other code is replayed against."""
    patch = tmp_path / "a.patch"
    for text in ("hello", "", "--- a/ratings.py\n+++ b/ratings.py\n@@ -1 +1 @@\n-x\n+y\n"):
        patch.write_text(text)
        message = refused(recorded, "replay", "average", "--against", str(patch), code=2)
        assert str(patch) in message
    patch.write_bytes(os.urandom(4096))
    refused(recorded, "replay", "average", "--against", str(patch), code=2)
    outside = "--- a/../../x.py\n+++ b/../../x.py\n@@ -0,0 +1 @@\n+y\n"
    patch.write_text(outside)
    refused(recorded, "replay", "average", "--against", str(patch), code=2)
    missing = str(tmp_path / "missing.patch")
    assert missing in refused_usage(recorded, "replay", "average", "--against", missing)


def refused_usage(project, *arguments):
    """Run a command that click itself refuses; return its message."""
    ended = project.run(*arguments, "--json")
    assert ended.code == 2
    message = ended.document["error"]["message"]
    assert message in " ".join(ended.err.split())
    return message


def test_usage_errors_are_documents_too(project):
    """Under --json, what click refuses is one JSON document as well."""
    assert "--all" in refused_usage(project, "heal")
    assert "--dry-run" in refused_usage(project, "heal", "x", "--pr", "--dry-run")
    assert "--colour" in refused_usage(project, "incidents", "--colour")
    assert "soon" in refused_usage(project, "heal", "x", "--lookback", "soon")
    assert "nowhere" in refused_usage(project, "doctor", "--root", "nowhere")
