"""What fixes change before a call: arguments, the system message, the destination."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from prunella.fixes.arguments import get, put
from prunella.fixes.checks import clamped, problem, to_type
from prunella.fixes.configs import Check, Goal, Parameter, Prompt, Routing, Tool
from prunella.fixes.fields import ABSENT
from prunella.fixes.plain import copied, is_same
from prunella.fixes.steps import SiteView

Arguments = dict[str, Any]

#: Characters that count as one token; fewer than most texts have, so that the limit holds.
CHARACTERS_PER_TOKEN = 3
_SYSTEM = ("system", "developer")


def all_pass(when: Mapping[str, Check], site: SiteView, arguments: Arguments) -> bool:
    """Tell whether the arguments pass all these checks."""
    return not any(problem(check, get(site, arguments, name)) for name, check in when.items())


def by_parameter(config: Parameter, site: SiteView, arguments: Arguments) -> Arguments | None:
    """Return the arguments that a parameter fix makes of these; ``None`` if it changes nothing."""
    if config.when and not all_pass(config.when, site, arguments):
        return None
    found = arguments
    for name in config.drop:
        found = _put(site, found, name, ABSENT)
    for name, value in config.set.items():
        found = _put(site, found, name, copied(value))
    for name, factor in config.scale.items():
        value = get(site, found, name)
        if type(value) in (int, float):
            scaled = value * factor
            found = _put(site, found, name, round(scaled) if type(value) is int else scaled)
    for name, limits in config.clamp.items():
        value = get(site, found, name)
        if type(value) in (int, float):
            within = clamped(limits, value)
            found = found if within is value else _put(site, found, name, within)
    return None if found is arguments else found


def names_of(given: Arguments, changed: Arguments) -> str:
    """Return which of the arguments were changed, in words."""
    return ", ".join([name for name, value in changed.items() if value is not given[name]])


def _put(site: SiteView, arguments: Arguments, name: str, value: Any) -> Arguments:
    before = get(site, arguments, name)
    if before is value:
        return arguments
    is_there = before is not ABSENT and value is not ABSENT
    if is_there and name in arguments and name not in site.roles:
        return arguments if is_same(before, value) else {**arguments, name: value}
    changed = put(site, arguments, name, value)
    return arguments if is_same(before, get(site, changed, name)) else changed


def by_tool(config: Tool, site: SiteView, arguments: Arguments) -> Arguments | None:
    """Return the arguments with a tool fix's defaults, conversions and time limit."""
    found = arguments
    for name, value in config.arg_defaults.items():
        if get(site, found, name) in (None, ABSENT):
            found = _put(site, found, name, copied(value))
    for name, kind in config.coerce.items():
        value = get(site, found, name)
        if value is None or value is ABSENT or _is_of(kind, value):
            continue
        try:
            found = _put(site, found, name, to_type(kind, value))
        except ValueError:
            continue
    if config.timeout_ms is not None and site.shape in ("sync", "generator"):
        limit_s = config.timeout_ms / 1_000
        value = get(site, found, "timeout")
        if not (type(value) in (int, float) and value <= limit_s):
            found = _put(site, found, "timeout", limit_s)
    return None if found is arguments else found


def _is_of(kind: str, value: Any) -> bool:
    if kind == "json":
        return not isinstance(value, str)
    return type(value).__name__ == kind


def destination(config: Routing, site: SiteView, arguments: Arguments) -> Goal | None:
    """Return where a routing fix sends a call; ``None`` if it stays as it is."""
    chosen = config.default
    for rule in config.rules:
        if all_pass(rule.when, site, arguments):
            chosen = rule.to
            break
    if chosen.model is not None and is_same(get(site, arguments, "model"), chosen.model):
        return None
    if chosen.site is not None and chosen.site in (site.site_id, site.name):
        return None
    return chosen if chosen.site is not None or chosen.model is not None else None


# --- the system message --------------------------------------------------------------------------


def prompt_hash(text: str) -> str:
    """Return the `base_hash` of a system message: 16 hex digits; ``""`` is the lack of one."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def by_prompt(config: Prompt, site: SiteView, arguments: Arguments) -> Arguments | None:
    """Return the arguments with another system message; ``None`` where it isn't the fix's base."""
    base = system_message(site, arguments)
    if base is None or prompt_hash(base) != config.base_hash:
        return None
    parts = {
        "append": [base, config.text],
        "prepend": [config.text, base],
        "replace": [config.text],
    }[config.op]
    text = "\n\n".join(part for part in parts if part)
    if len(text) - len(base) > config.max_added_tokens * CHARACTERS_PER_TOKEN:
        return None
    return with_system_message(site, arguments, text)


def system_message(site: SiteView, arguments: Arguments) -> str | None:
    """Return the system message of a call, ``""`` if it has none; ``None`` if it isn't text."""
    role = _role(site)
    value = get(site, arguments, role)
    if role != "messages":
        return "" if value is None or value is ABSENT else value if type(value) is str else None
    at = _system_at(value)
    if at is None:
        return None if not isinstance(value, (list, tuple)) else ""
    content = value[at].get("content")
    return content if type(content) is str else None


def with_system_message(site: SiteView, arguments: Arguments, text: str) -> Arguments:
    """Return the arguments with this system message; the caller's own list isn't touched."""
    role = _role(site)
    if role != "messages":
        return put(site, arguments, role, text)
    messages = list(get(site, arguments, role))
    at = _system_at(messages)
    if at is None:
        messages.insert(0, {"role": "system", "content": text})
    else:
        messages[at] = {**messages[at], "content": text}
    return put(site, arguments, role, messages)


def _role(site: SiteView) -> str:
    for role in ("system", "messages"):
        if role in site.roles:
            return role
    return "prompt"


def _system_at(messages: Any) -> int | None:
    if not isinstance(messages, (list, tuple)):
        return None
    for at, message in enumerate(messages[:50]):
        if isinstance(message, dict) and message.get("role") in _SYSTEM:
            return at
    return None


def asked_again(site: SiteView, arguments: Arguments, reason: str) -> Arguments:
    """Return the arguments of a call that is made again because its answer wasn't usable."""
    text = f"Your last answer can't be used: {reason}. Answer again, and correct that."
    if "messages" in site.roles:
        messages = get(site, arguments, "messages")
        if isinstance(messages, (list, tuple)):
            new = [*messages, {"role": "user", "content": text}]
            return put(site, arguments, "messages", new)
    prompt = get(site, arguments, "prompt") if "prompt" in site.roles else ABSENT
    if isinstance(prompt, str):
        return put(site, arguments, "prompt", f"{prompt}\n\n{text}")
    return arguments
