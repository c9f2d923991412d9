"""From an exception to its code: its class, most derived first; what it carries; its causes."""

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from prunella.taxonomy.classes import RULES
from prunella.taxonomy.codes import CODES, UNCLASSIFIED, ErrorCode
from prunella.taxonomy.kinds import BY_KIND
from prunella.taxonomy.rules import Rule, by_sqlstate, by_status
from prunella.taxonomy.view import MAX_CHAIN, Living, Look, Recorded, View, look_of

if TYPE_CHECKING:
    from prunella.model.records import ExceptionInfo

#: What is outside the program: it names a failure even of an exception raised while handling it.
_OUTSIDE = ("NET.", "HTTP.", "LLM.", "DB.")
#: Never what another exception is called after.
_ENDED = "SYS.CALL."

Decision = tuple[str, str]


class Classified(NamedTuple):
    """What an exception is, and what that was told from."""

    code: ErrorCode
    #: In words, of at most 300 characters; names of classes in it are the program's.
    because: str


#: Id of a class to the class, which keeps the id its own, and what its instances are at each kind
#: of site; only classes that say everything themselves.
_known: dict[int, tuple[type, dict[str, Classified]]] = {}
_MAX_KNOWN = 2_000
#: Kind of a site and look of an exception to what it is, and the classes, which keep the look valid.
_seen: dict[tuple[str, Look], tuple[Classified, tuple[type, ...]]] = {}
_MAX_SEEN = 1_000


def classify(error: BaseException, *, kind: str = "function") -> Classified:
    """Return what a living exception is at a site of `kind` (a `SiteKind`).

    Runs none of the program's code and takes bounded time; a class without a rule gets
    ``CODE.LOGIC.UNCLASSIFIED`` with its name.
    """
    cls = type(error)
    known = _known.get(id(cls))
    if known is not None:
        found = known[1].get(kind)
        if found is not None:
            return found
    look = look_of(error)
    if look is not None:
        before = _seen.get((kind, look[0]))
        if before is not None:
            return before[0]
    view = Living(error)
    result = _at(kind, _decide(view, MAX_CHAIN))
    if _says_everything(view.names):
        if known is None:
            if len(_known) >= _MAX_KNOWN:
                _known.clear()
            known = _known[id(cls)] = (cls, {})
        known[1][kind] = result
    elif look is not None:
        if len(_seen) >= _MAX_SEEN:
            _seen.clear()
        _seen[kind, look[0]] = (result, look[1])
    return result


def classify_recorded(info: "ExceptionInfo", *, kind: str = "function") -> Classified:
    """Return what a recorded exception is; the same as when it was alive."""
    return _at(kind, _decide(Recorded(info), MAX_CHAIN))


#: Packages with a class that has a rule.
_PACKAGES = frozenset(name.partition(":")[0] for name in RULES) - {"builtins"}


def is_known(info: "ExceptionInfo") -> bool:
    """Tell whether the exception's own class is of a library that the taxonomy knows."""
    return Recorded(info).names[0].partition(":")[0] in _PACKAGES


def _at(kind: str, decision: Decision) -> Classified:
    code, because = decision
    local = BY_KIND.get(kind, {}).get(code)
    if local is None:
        return Classified(CODES[code], because[:300])
    return Classified(CODES[local], f"{code} at a site of kind {kind}; {because}"[:300])


def _decide(view: View, left: int) -> Decision:
    name, rule, is_own = _rule_of(view.names)
    if rule.is_vague or (is_own and name.startswith("builtins:")):
        return _decide_vaguely(view, name, rule, left)
    if rule.wraps:
        wrapped = _cause(view, left)
        # A cause that says no more than the class leaves it to the message.
        if wrapped is not None and wrapped[0] != rule.code and wrapped[0].startswith(rule.wraps):
            return wrapped[0], f"{_short(view)} around {wrapped[1]}"
    return _told(view, rule) or (rule.code, f"the class {_short(view, name)}")


@lru_cache(maxsize=2_000)
def _rule_of(names: tuple[str, ...]) -> tuple[str, Rule, bool]:
    """Return the nearest class that has a rule, its rule, and whether the exception's is another."""
    for number, name in enumerate(names):
        rule = RULES.get(name)
        if rule is not None:
            return name, rule, number > 0
    return "builtins:BaseException", RULES["builtins:BaseException"], True


def _told(view: View, rule: Rule) -> Decision | None:
    for refine in rule.refine:
        told = refine(view)
        if told is not None:
            return told[0], f"{_short(view)}: {told[1]}"
    return None


def _decide_vaguely(view: View, name: str, rule: Rule, left: int) -> Decision:
    """Decide for a class of the program's own, or one that is raised for everything."""
    for refine in (by_status, by_sqlstate):
        carried = refine(view)
        if carried is not None:
            return carried[0], f"{_short(view)} with {carried[1]}"
    told = _told(view, rule)
    if told is not None:
        return told
    following = view.cause() if left > 1 else None
    if following is not None:
        cause, is_told = following
        found = _decide(cause, left - 1)
        is_better = found[0] != UNCLASSIFIED and not found[0].startswith(_ENDED)
        if is_better and (
            found[0].startswith(_OUTSIDE) or (is_told and (rule.is_vague or name == view.names[0]))
        ):
            return found[0], f"{_short(view)} because of {found[1]}"
    if rule.code == UNCLASSIFIED:
        return UNCLASSIFIED, _short(view)
    return rule.code, f"the class {_short(view, name)}"


def _cause(view: View, left: int) -> Decision | None:
    following = view.cause() if left > 1 else None
    return None if following is None else _decide(following[0], left - 1)


def _says_everything(names: tuple[str, ...]) -> bool:
    name, rule, is_own = _rule_of(names)
    may_be_more = is_own and name.startswith("builtins:")
    return not (rule.refine or rule.wraps or rule.is_vague or may_be_more)


def _short(view: View, through: str = "") -> str:
    """Return the class's name, and that of the class whose rule it is."""
    return _named(view.names[0], through)


@lru_cache(maxsize=2_000)
def _named(name: str, through: str) -> str:
    own = _bare(name)
    other = _bare(through) if through else own
    return own if other == own else f"{own}, a {other}"


def _bare(name: str) -> str:
    return name.rpartition(":")[2][-80:] or "?"
