"""Arguments of a call by name: of the signature, of ``**kwargs``, or of a role."""

from collections.abc import Mapping
from typing import Any

from prunella.fixes.fields import ABSENT
from prunella.fixes.steps import SiteView


def place_of(site: SiteView, name: str) -> tuple[str, str] | None:
    """Return ``(parameter, key in it)`` of a name or role; ``None`` where the site takes no such.

    The key is empty except for what goes into ``**kwargs``.
    """
    name = site.roles.get(name, name)
    if name in site.parameters and not name.startswith("*"):
        return name, ""
    last = site.parameters[-1] if site.parameters else ""
    return (last, name) if last.startswith("**") else None


def get(site: SiteView, arguments: Mapping[str, Any], name: str) -> Any:
    """Return the argument, or `ABSENT`."""
    if name in arguments and name not in site.roles and name[:1] != "*":
        return arguments[name]
    place = place_of(site, name)
    if place is None:
        return ABSENT
    parameter, inner = place
    if inner:
        return arguments.get(parameter, {}).get(inner, ABSENT)
    return arguments.get(parameter, ABSENT)


def put(site: SiteView, arguments: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """Return the arguments with one changed; `ABSENT` gives it its default.

    Raises `LookupError` where the site has no such parameter, or it has no default.
    """
    place = place_of(site, name)
    if place is None:
        raise LookupError(f"{site.site_id} has no parameter {name!r}")
    parameter, inner = place
    if inner:
        keywords = {key: item for key, item in arguments[parameter].items() if key != inner}
        if value is not ABSENT:
            keywords[inner] = value
        return {**arguments, parameter: keywords}
    if value is ABSENT:
        if parameter not in site.defaults:
            raise LookupError(f"{parameter!r} of {site.site_id} has no default")
        value = site.defaults[parameter]
    return {**arguments, parameter: value}
