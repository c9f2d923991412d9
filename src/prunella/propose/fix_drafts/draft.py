"""What a template says of a fix, before it becomes a document."""

from typing import Any, NamedTuple


class Draft(NamedTuple):
    """A fix's config with its title and reasons."""

    fix_type: str
    title: str
    config: dict[str, Any]
    reasoning: str
    #: The site that it is for; empty for the one that the incident is at.
    site_id: str = ""
