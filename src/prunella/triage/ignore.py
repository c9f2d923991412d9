"""The ignore file: failures that stay recorded, and that nobody wants healed or to hear of.

One pattern a line; blank lines and lines that begin with ``#`` are skipped. ``*``, ``?`` and
``[…]`` stand for any characters, slashes included.

===================  ======================================================================
``NotFound``         exceptions of that class or of a class derived from it, bare or in full
``TOOL.EXECUTION.*`` failures with that error code
``path:legacy/*``    failures whose innermost project frame is in that file (``legacy/`` is all
                     below that folder); relative to the project's root
``site:shop.api:*``  failures of that site
===================  ======================================================================

Cancelled and interrupted calls are always ignored: nothing failed that could be healed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from prunella.model.errors import ConfigurationError
from prunella.model.records import Ending, Occurrence
from prunella.triage.codes import class_names
from prunella.triage.fingerprint import innermost_project_frame

_NAME = re.compile(r"[\w.:/*?\[\]-]+")
_PREFIXES = ("path", "site")
_BUILT_IN = {
    Ending.CANCELLED: "built-in: cancelled calls",
    Ending.INTERRUPTED: "built-in: interrupted calls",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnorePattern:
    """One line of an ignore file."""

    #: As it stands in the file.
    text: str
    #: ``name`` (class or error code), ``path`` or ``site``.
    kind: str
    glob: str

    def matches(self, occurrence: Occurrence, code: str) -> bool:
        """Say whether a failure with that error code is ignored by this line."""
        return any(fnmatchcase(text, self.glob) for text in self._texts(occurrence, code))

    def _texts(self, occurrence: Occurrence, code: str) -> Iterator[str]:
        if self.kind == "site":
            yield occurrence.site_id
        elif self.kind == "path":
            frame = innermost_project_frame(occurrence.exception)
            if frame is not None:
                yield frame.file
        else:
            yield code
            for type_ in (occurrence.exception.type, *occurrence.exception.mro):
                yield from class_names(type_)


def parse(text: str, name: str) -> Iterator[IgnorePattern]:
    """Yield the patterns of an ignore file's text; `name` is the file's, for messages.

    Raises `ConfigurationError` with file and line where a line is no pattern.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()  # noqa: PLW2901 - the stripped line is the line
        if line and not line.startswith("#"):
            yield _pattern(line, f"{name}:{number}")


def ignored_by(occurrence: Occurrence, code: str, patterns: Sequence[IgnorePattern]) -> str | None:
    """Return the pattern that says to ignore a failure with that error code, or ``None``."""
    built_in = _BUILT_IN.get(occurrence.ending)
    if built_in is not None:
        return built_in
    return next((one.text for one in patterns if one.matches(occurrence, code)), None)


def _pattern(line: str, place: str) -> IgnorePattern:
    prefix, separator, rest = line.partition(":")
    if separator and prefix in _PREFIXES:
        glob = rest.strip()
        if not glob:
            raise ConfigurationError(f"{place}: {line!r} has no pattern behind {prefix}:")
        if prefix == "path":
            glob = glob.removeprefix("./")
            glob = f"{glob}*" if glob.endswith("/") else glob
        return IgnorePattern(text=line, kind=prefix, glob=glob)
    if not _NAME.fullmatch(line):
        raise ConfigurationError(
            f"{place}: {line!r} is no pattern; write a class name, an error code, path:GLOB or "
            "site:GLOB, and comments on lines of their own"
        )
    return IgnorePattern(text=line, kind="name", glob=line)
