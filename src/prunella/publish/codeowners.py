"""Who owns a file, by a ``CODEOWNERS`` file as GitHub and GitLab read it."""

import re

_ESCAPED = re.compile(r"\\(.)")
_SECTION = re.compile(r"^\^?\[[^\]]+\](?:\[\d+\])?\s*")


def owners_of(text: str, path: str) -> tuple[str, ...]:
    """Return the owners of `path` (relative to the repository, with ``/``) in the file's order.

    The last line that matches counts, also where it names nobody. Patterns are those of
    ``.gitignore`` without ``!``, ``[ ]`` and a trailing-slash-less folder rule's exceptions: as the
    hosts document them. In GitLab's sections each section's last match counts, with the section's own
    owners where a line names none.
    """
    found: dict[str, tuple[str, ...]] = {}
    section = ""
    default: tuple[str, ...] = ()
    for line in text.splitlines():
        rule = _without_comment(line).strip()
        heading = _SECTION.match(rule)
        if heading and (heading.end() == len(rule) or rule[heading.end()] == "@"):
            section, default = heading[0].strip().lower(), _names(rule[heading.end() :])
            continue
        words = re.findall(r"(?:\\.|\S)+", rule)
        if words and _matches(words[0], path):
            found[section] = _names(" ".join(words[1:])) or default
    return tuple(dict.fromkeys(owner for owners in found.values() for owner in owners))


def _names(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split() if "@" in word)


def _without_comment(line: str) -> str:
    match = re.match(r"(?:\\.|[^\\#])*", line)
    return match[0] if match else ""


def _matches(pattern: str, path: str) -> bool:
    return re.fullmatch(_expression(pattern), path) is not None


def _expression(pattern: str) -> str:
    """Return a regular expression for paths below a pattern, or for the path that it names."""
    anchored = "/" in pattern.rstrip("/")
    pattern, folder = pattern.lstrip("/"), pattern.endswith("/")
    pattern = pattern.rstrip("/")
    expression, place = "" if anchored else "(?:.*/)?", 0
    while place < len(pattern):
        if pattern.startswith("**/", place):
            expression, place = expression + "(?:.*/)?", place + 3
        elif pattern.startswith("**", place):
            expression, place = expression + ".*", place + 2
        elif pattern[place] == "*":
            expression, place = expression + "[^/]*", place + 1
        elif pattern[place] == "?":
            expression, place = expression + "[^/]", place + 1
        else:
            escaped = _ESCAPED.match(pattern, place)
            expression += re.escape(escaped[1] if escaped else pattern[place])
            place += 2 if escaped else 1
    # `docs/*` names what lies in docs, not what lies deeper; any other name covers a folder whole.
    below = "" if pattern.endswith("/*") else "(?:/.*)?"
    return expression + ("/.*" if folder else below)
