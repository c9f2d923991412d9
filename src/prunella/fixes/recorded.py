"""Recorded sites and values as fixes see them, without the program that they were recorded in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prunella.codec import entries
from prunella.model.records import Site
from prunella.model.roles import roles_of
from prunella.model.tree import Tree


@dataclass(frozen=True, slots=True)
class Opaque:
    """Stands in for a recorded value that isn't rebuilt outside the sandbox."""

    tree: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSite:
    """A `prunella.fixes.SiteView` of a recorded site."""

    site_id: str
    name: str
    kind: str
    shape: str
    parameters: tuple[str, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    roles: Mapping[str, str]
    #: What a repeated call would catch is told even where a person has to allow it first.
    idempotent: bool = True


def site_view(site: Site) -> RecordedSite:
    """Return a recorded site as the interpreter asks for it."""
    return RecordedSite(
        site_id=site.site_id,
        name=site.qualname,
        kind=site.kind,
        shape=site.shape,
        parameters=site.parameters,
        roles=roles_of(site.parameters, {}),
    )


def arguments_of(inputs: Tree) -> dict[str, Any]:
    """Return recorded inputs by name."""
    return {name: plain(value) for name, value in entries(inputs)}


_CONTAINERS: Mapping[str, Callable[[list[Any]], Any]] = {"l": list, "t": tuple}


def plain(tree: Tree) -> Any:
    """Return scalars, lists, tuples and dicts with text keys as they are, and the rest as `Opaque`."""
    if not isinstance(tree, list):
        return tree
    if tree and tree[0] in _CONTAINERS:
        return _CONTAINERS[str(tree[0])]([plain(item) for item in tree[1:]])
    if tree and tree[0] == "d" and all(isinstance(key, str) for key in tree[1::2]):
        keys = (str(key) for key in tree[1::2])
        return dict(zip(keys, (plain(item) for item in tree[2::2]), strict=False))
    return Opaque(repr(tree))
