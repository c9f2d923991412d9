import re
import runpy
import shlex
import tomllib
from dataclasses import fields
from pathlib import Path

import click
import pytest

from acceptance.documents import PAGES, ROOT, blocks, snippets
from prunella.cli.app import app
from prunella.cli.exit_codes import ExitCode
from prunella.cli.groups import ListByDefault
from prunella.model.settings import Settings, load, variable_name
from prunella.triage.ignore import parse
from prunella.triage.rules import load_rules

pages = runpy.run_path(str(ROOT / "docs" / "reference.py"))["pages"]
#: Not settings: where the project is, and what a program under replay runs with.
NOT_SETTINGS = {"PRUNELLA_ROOT"}


def commands():
    """Every command line that the docs mention, with the page that has it."""
    for page in PAGES:
        for snippet in snippets(page):
            line = re.sub(r"^[A-Z_]+=\S+ ", "", snippet.strip())
            if re.match(r"prunella( |$)", line):
                yield page, line.split(" > ")[0].split(" #")[0]


def names(page):
    return str(page.relative_to(ROOT)) if isinstance(page, Path) else page


@pytest.mark.parametrize("name", sorted(pages()))
def test_pages_made_from_the_code_are_up_to_date(name):
    """What `docs/reference.py` would write is what stands there."""
    assert (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") == pages()[name]


@pytest.mark.parametrize(("page", "line"), list(commands()), ids=names)
def test_a_documented_command_exists(page, line):
    """Each `prunella …` in the docs names a command and options that there are."""
    words = [word for word in shlex.split(line)[1:] if not word.startswith("[")]
    command, context = app, click.Context(app)
    while isinstance(command, click.Group) and words and re.match(r"[a-z]", words[0]):
        name = words.pop(0)
        command = command.get_command(context, name)
        assert command is not None, f"no command {name!r}"
    if isinstance(command, ListByDefault):  # alone it is `incidents list` or `database status`
        command = command.commands[command.default_command]
    known = {name for item in command.params for name in item.opts} | {"--help", "--version"}
    assert {word for word in words if word.startswith("-")} <= known


def test_every_command_is_shown_somewhere_outside_the_reference():
    """A command that no page uses is one that nobody learns of."""
    shown = [line for page, line in commands() if "reference" not in page.parts]
    for name in app.commands:
        assert any(line.startswith(f"prunella {name}") for line in shown), name


def test_documented_variables_are_settings():
    """Each `PRUNELLA_…` in the docs is the variable of a setting."""
    known = {variable_name(item.name) for item in fields(Settings)} | NOT_SETTINGS
    for page in PAGES:
        mentioned = set(re.findall(r"PRUNELLA_[A-Z_]+\b", page.read_text(encoding="utf-8")))
        assert mentioned <= known, page


def test_documented_configuration_is_accepted(tmp_path):
    """Each TOML block of the docs loads."""
    found = 0
    for page in PAGES:
        for block in blocks(page):
            if block.language == "toml":
                assert tomllib.loads(block.text)["tool"]["prunella"]
                (tmp_path / "pyproject.toml").write_text(block.text)
                load(tmp_path, environ={})
                found += 1
    assert found


def test_exit_codes_in_words_are_exit_codes():
    """What the docs say a command ends with is in the table."""
    known = {code.value for code in ExitCode}
    for page in PAGES:
        for code in re.findall(r"ends? with (\d+)", page.read_text(encoding="utf-8")):
            assert int(code) in known, page


def test_the_documented_ignore_file_is_understood():
    """The example of the how-to page is one, and the table explains its patterns."""
    page = ROOT / "docs" / "how-to" / "ignore-errors.md"
    example = next(block for block in blocks(page) if block.language == "text")
    kinds = {pattern.kind for pattern in parse(example.text, "example")}
    assert kinds == {"name", "path", "site"}


def test_the_documented_error_codes_are_understood(tmp_path):
    """The example of the files page loads."""
    page = ROOT / "docs" / "reference" / "files.md"
    example = next(block for block in blocks(page) if block.language == "json")
    (tmp_path / ".prunella_errors.json").write_text(example.text)
    assert len(load_rules(tmp_path).codes) == 2


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_links_lead_somewhere(page):
    """Each relative link and picture is a file of the repository."""
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_every_page_is_linked(page):
    """The README leads to every page."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert page.name == "README.md" or str(page.relative_to(ROOT)) in readme


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_python_in_the_docs_compiles(page):
    """Each Python block is Python."""
    for block in blocks(page):
        if block.language == "python":
            compile(block.text, str(page), "exec")
