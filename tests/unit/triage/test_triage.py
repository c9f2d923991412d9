from prunella.model.incidents import Location
from prunella.triage import Rules, triage
from prunella.triage.ignore import parse
from recorded import a_frame, an_exception, an_occurrence


def test_an_occurrence_is_triaged_by_the_projects_rules():
    """Code, location and the ignoring pattern come from one look at the occurrence."""
    rules = Rules(codes={"ValueError": "IN.VALUE"}, ignore=tuple(parse("IN.*", "x")))
    found = triage(an_occurrence(), rules)
    assert (found.scheme, found.error_code, found.ignored_by) == ("1", "IN.VALUE", "IN.*")
    assert found.location == Location(
        file="shop/prices.py", module="shop.prices", qualname="average", first_line=3, line=4
    )


def test_the_location_is_the_innermost_project_frame():
    """A library called by the project raised it: the project's last frame is where to look."""
    frames = (
        a_frame(line=1),
        a_frame(line=2, qualname="inner"),
        a_frame(line=3, in_project=False),
    )
    found = triage(an_occurrence(exception=an_exception(frames=frames)), Rules())
    assert found.location is not None
    assert (found.location.line, found.location.qualname) == (2, "inner")
    assert found.ignored_by is None


def test_without_a_project_frame_there_is_no_location():
    """Nothing of the project is in the traceback, and triage doesn't guess."""
    exception = an_exception(frames=(a_frame(in_project=False),))
    assert triage(an_occurrence(exception=exception), Rules()).location is None
