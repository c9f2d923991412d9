import pytest

from prunella.model.errors import ConfigurationError
from prunella.model.records import Ending
from prunella.triage.ignore import ignored_by, parse
from recorded import a_frame, an_exception, an_occurrence

GONE = an_exception(
    type="shop.errors:Gone",
    mro=("shop.errors:Gone", "builtins:LookupError", "builtins:Exception"),
    frames=(
        a_frame(file="shop/api.py"),
        a_frame(file="shop/legacy/old.py"),
        a_frame(file="/usr/lib/json.py", in_project=False),
    ),
)


def ignoring(text, **changes):
    occurrence = an_occurrence(**({"exception": GONE, "site_id": "shop.api:get"} | changes))
    return ignored_by(occurrence, "SHOP.ITEM.GONE", list(parse(text, ".prunellaignore")))


@pytest.mark.parametrize(
    "line",
    [
        "Gone",
        "shop.errors.Gone",
        "shop.errors:Gone",
        "LookupError",
        "builtins.LookupError",
        "*Error",
        "SHOP.ITEM.GONE",
        "SHOP.*",
        "path:shop/legacy/old.py",
        "path:shop/legacy/",
        "path:./shop/legacy/*",
        "path: shop/*",
        "site:shop.api:get",
        "site:shop.*",
    ],
)
def test_a_matching_line_is_the_reason(line):
    """A failure is ignored by class, base class, code, file or site, and the line says why."""
    assert ignoring(f"# why\n\n{line}\nNeverRaised") == line


@pytest.mark.parametrize(
    "line",
    [
        "gone",
        "KeyError",
        "SHOP.ITEM",
        "path:shop/api.py",
        "path:legacy/",
        "site:shop.api",
        "path:/usr/*",
    ],
)
def test_other_lines_do_not_match(line):
    """Patterns are case-sensitive and whole; a path is that of the innermost project frame."""
    assert ignoring(line) is None


def test_path_patterns_need_a_project_frame():
    """A failure without a frame in the project has no path to be ignored by."""
    assert ignoring("path:*", exception=an_exception(frames=())) is None


@pytest.mark.parametrize("ending", [Ending.CANCELLED, Ending.INTERRUPTED])
def test_what_was_called_off_is_never_healed(ending):
    """Cancelled and interrupted calls are ignored by a built-in rule that says so."""
    assert ignoring("", ending=ending) == f"built-in: {ending.value} calls"


@pytest.mark.parametrize(
    "line", ["path:", "site:  ", "two words", "!Gone", "Gone # trailing", "a,b"]
)
def test_malformed_lines_are_named(line):
    """A line that is no pattern is refused with its place and what to write."""
    with pytest.raises(ConfigurationError, match=r"^\.prunellaignore:3: "):
        list(parse(f"# first\nGone\n{line}\n", ".prunellaignore"))
