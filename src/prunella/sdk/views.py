"""A site as fixes see it, and calls of sites by the names of arguments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from prunella.fixes import Unreachable
from prunella.sdk.site import Site
from prunella.sdk.wrapper import kind_of, parameter_names


@dataclass(frozen=True, slots=True)
class View:
    """A `prunella.fixes.SiteView` of a site in this process."""

    site_id: str
    name: str
    kind: str
    shape: str
    parameters: tuple[str, ...]
    defaults: Mapping[str, Any]
    roles: Mapping[str, str]
    idempotent: bool
    #: Its wrappers are looked up when one is called, so that no fix keeps a closure alive.
    site: Site


def view_of(site: Site) -> View | None:
    """Return the view of a site, ``None`` if none of its wrappers is left."""
    wrappers = site.wrappers()
    if not wrappers:
        return None
    wrapper = wrappers[-1]
    code = site.called
    positional = code.co_varnames[: code.co_argcount]
    values = wrapper.__defaults__ or ()
    defaults = dict(zip(positional[len(positional) - len(values) :], values, strict=True))
    return View(
        site_id=site.site_id,
        name=site.name,
        kind=site.kind,
        shape=kind_of(code),
        parameters=parameter_names(code),
        defaults={**defaults, **(wrapper.__kwdefaults__ or {})},
        roles=site.roles,
        idempotent=site.idempotent,
        site=site,
    )


def bound(view: View, arguments: Mapping[str, Any]) -> Callable[[], Any]:
    """Return a call of a site with those of the arguments that it takes, by name.

    What came in by ``**kwargs`` goes on by the site's, if it has any.
    Raises `Unreachable` where it needs one that isn't there, or is gone itself.
    """
    wrappers = view.site.wrappers()
    if not wrappers:
        raise Unreachable(f"{view.site_id} isn't there any more")
    wrapper = wrappers[-1]
    code = wrapper.__code__
    found = _by_name(arguments)
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for index, name in enumerate(view.parameters):
        if name.startswith("**"):
            keywords.update(_unnamed(arguments, view.parameters))
            continue
        if name.startswith("*"):
            positional += arguments.get(name, ())
            continue
        if name not in found:
            if name not in view.defaults:
                raise Unreachable(f"{view.site_id} needs an argument {name!r}")
            found[name] = view.defaults[name]
        if index < code.co_argcount:
            positional.append(found[name])
        else:
            keywords[name] = found[name]
    return lambda: wrapper(*positional, **keywords)


def _by_name(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return every argument that has a name, those of parameters before those in ``**kwargs``."""
    found: dict[str, Any] = {}
    for name, value in arguments.items():
        if name.startswith("**"):
            found = {**value, **found}
        elif not name.startswith("*"):
            found[name] = value
    return found


def _unnamed(arguments: Mapping[str, Any], parameters: tuple[str, ...]) -> dict[str, Any]:
    """Return what the call was given by ``**kwargs``, without what has a parameter of its own."""
    given = [value for name, value in arguments.items() if name.startswith("**")]
    return {name: value for each in given for name, value in each.items() if name not in parameters}
