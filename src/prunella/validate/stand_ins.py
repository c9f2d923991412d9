"""Records as the interpreter of fixes takes them: sites, errors and values that stand in for real ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prunella.codec import entries
from prunella.model.records import ExceptionInfo, Site
from prunella.model.roles import roles_of
from prunella.model.tree import Tree
from prunella.taxonomy import CODES, ErrorCode, classify_recorded


class RecordedError(Exception):
    """Stands in for a recorded exception; never raised."""

    info: ExceptionInfo


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


def stand_in(info: ExceptionInfo) -> RecordedError:
    """Return an error whose class has the names of the recorded one and its bases."""
    cls: type = RecordedError
    for path in reversed(info.mro[:20]):
        module, _, qualname = path.rpartition(":")
        name = qualname.rpartition(".")[2][:100] or "Error"
        cls = type(name, (cls,), {"__module__": module, "__qualname__": qualname[:200] or name})
    error: RecordedError = cls(info.message)
    error.info = info
    return error


def code_of(error: BaseException, kind: str) -> ErrorCode:
    """Return the code of an error that stands in for a recorded one, or for a site that doesn't exist."""
    if isinstance(error, RecordedError):
        return classify_recorded(error.info, kind=kind).code
    return CODES["TOOL.REGISTRY.UNKNOWN"]


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


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two calls have the same arguments."""
    return one is other or one == other
