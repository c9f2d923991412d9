"""The process that records: its project, settings, redactor and description."""

import os
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from prunella.model.clock import now_us
from prunella.model.project import DISABLED

if TYPE_CHECKING:
    from prunella.codec.redact import Redactor
    from prunella.model.settings import Settings

#: Arguments of the program that are kept, and characters of each.
_MAX_ARGUMENTS = 50
_MAX_ARGUMENT_LENGTH = 300
#: How often it is looked whether the operator's file is there.
_SWITCH_US = 1_000_000


class Host:
    """What the SDK knows of the process it lives in. Made at the first capture, never at import."""

    def __init__(self) -> None:
        from prunella.model.project import data_folder, find_root

        self.root = find_root()
        self.data_folder = data_folder(self.root)
        self.settings = load_settings(self.root)
        self.redactor = self._make_redactor()
        self._redactors: dict[tuple[str, ...], Redactor] = {}
        self.started_us = now_us()
        #: Nothing may be recorded.
        self.is_off = False
        #: Nothing may be applied either.
        self.is_disabled = self.settings.disabled
        self.code_places = CodePlaces(self.root)
        self.renew()

    def renew(self) -> None:
        """Become a process of its own: at the start, and in a forked child."""
        #: Distinguishes this process in every id.
        self.unique = os.urandom(4).hex()
        self.process_id = f"proc_{self.unique}"
        self.pid = os.getpid()
        self.started_us = now_us()
        #: When `look` is due again.
        self.look_again_us = 0
        #: The same moment on the performance counter.
        self.look_again_ns = 0

    def look(self) -> None:
        """Find out what is switched off, by setting or by the file."""
        self.look_again_us = now_us() + _SWITCH_US
        self.look_again_ns = perf_counter_ns() + _SWITCH_US * 1000
        self.is_disabled = (
            self.settings.disabled or os.path.exists(self.data_folder / DISABLED)  # noqa: PTH110 - cheaper
        )
        self.is_off = self.is_disabled or self.settings.capture == "none"

    def redactor_for(self, names: tuple[str, ...]) -> "Redactor":
        """Return the redactor that also hides values under `names`."""
        if not names:
            return self.redactor
        found = self._redactors.get(names)
        if found is None:
            found = self._redactors[names] = self._make_redactor(names)
        return found

    def _make_redactor(self, names: tuple[str, ...] = ()) -> "Redactor":
        from prunella.codec.redact import Redactor
        from prunella.model.errors import ConfigurationError

        settings = self.settings
        own = [name.strip() for name in settings.redact_names.split(",") if name.strip()]
        patterns = settings.redact_patterns.split()
        emails = settings.redact_emails
        try:
            return Redactor(extra_names=[*own, *names], extra_patterns=patterns, emails=emails)
        except ConfigurationError as error:
            _warn(f"Prunella redacts without its setting redact_patterns: {error}")
            return Redactor(extra_names=[*own, *names], emails=emails)

    def process_record(self) -> dict[str, Any]:
        """Return the `prunella.model.records.Process` of this process, as it stands on the wire."""
        from prunella._version import __version__

        version = sys.version_info
        return {
            "class": "process",
            "process_id": self.process_id,
            "pid": self.pid,
            "started_at": self.started_us,
            "python_version": f"{version.major}.{version.minor}.{version.micro}",
            "executable": sys.executable or "",
            "sys_path": [entry for entry in sys.path if type(entry) is str],
            "root": str(self.root),
            "cwd": _cwd(),
            "argv": self._arguments(),
            "hostname": os.uname().nodename,
            "release": self.settings.release or None,
            "environment": self.settings.environment or None,
            "prunella_version": __version__,
            "variables": self._variables(),
        }

    def _variables(self) -> dict[str, str]:
        """Return what replays need of the environment, options of the interpreter included."""
        from prunella.model.records import SURROUNDINGS

        found = {
            name: self.redactor.text(value[:_MAX_ARGUMENT_LENGTH])
            for name in SURROUNDINGS
            if (value := os.environ.get(name)) is not None
        }
        flags = sys.flags
        if flags.hash_randomization:
            found.setdefault("PYTHONHASHSEED", "random")
        found["PYTHONOPTIMIZE"] = str(flags.optimize)
        found["PYTHONUTF8"] = str(flags.utf8_mode)
        return found

    def _arguments(self) -> list[str]:
        """Return the program's arguments without the secrets in them."""
        kept = []
        secret = False
        for argument in sys.argv[:_MAX_ARGUMENTS]:
            name, equals, _ = argument.partition("=")
            if secret:
                kept.append("[redacted]")
            elif equals and self.redactor.is_secret_name(name.lstrip("-")):
                kept.append(f"{name}=[redacted]")
            else:
                kept.append(self.redactor.text(argument[:_MAX_ARGUMENT_LENGTH]))
            secret = (
                not equals
                and argument.startswith("-")
                and self.redactor.is_secret_name(argument.lstrip("-"))
            )
        return kept


def load_settings(root: Path) -> "Settings":
    """Return the settings of the project; the defaults, with one warning, if they are unusable.

    While pytest runs (8.2 or later says so to all its workers and children) they are `disabled`,
    unless `record_tests` is set: a function that fails in ``pytest.raises`` is no incident.
    """
    from dataclasses import replace

    from prunella.model.errors import ConfigurationError
    from prunella.model.settings import Settings, load

    try:
        settings = load(root).settings
    except ConfigurationError as error:
        _warn(f"Prunella records with its default settings, because these are unusable: {error}")
        settings = Settings()
    if "PYTEST_VERSION" in os.environ and not settings.record_tests:
        return replace(settings, disabled=True)
    return settings


def _warn(problem: str) -> None:
    with suppress(RuntimeWarning):  # a host that makes errors of warnings shall live
        warnings.warn(problem, RuntimeWarning, stacklevel=2)


class CodePlaces:
    """Which files belong to the project, and how they are called in records."""

    def __init__(self, root: Path) -> None:
        self._root = f"{root}{os.sep}" if str(root) != os.sep else os.sep
        library = os.path.dirname(os.__file__)  # noqa: PTH120 - this is on the path of a failure
        package = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120
        self._foreign = tuple(f"{folder}{os.sep}" for folder in (library, package))
        self._known: dict[str, tuple[str, bool]] = {}
        self._environments: dict[str, bool] = {}

    def place(self, filename: str) -> tuple[str, bool]:
        """Return how the file is called in records, and whether it belongs to the project."""
        known = self._known.get(filename)
        if known is None:
            if len(self._known) > 10_000:
                self._known.clear()
            known = self._known[filename] = self._look(filename)
        return known

    def _look(self, filename: str) -> tuple[str, bool]:
        if filename.startswith("<"):
            return filename, False
        path = os.path.abspath(filename)  # noqa: PTH100 - no link is followed, as in sys.path
        if not path.startswith(self._root):
            path = os.path.realpath(path)
        if not path.startswith(self._root):
            return path, False
        relative = path[len(self._root) :]
        folders = relative.split(os.sep)[:-1]  # noqa: PTH206 - on the path of a failure
        foreign = (
            path.startswith(self._foreign)
            or "site-packages" in folders
            or "dist-packages" in folders
            or self._in_environment(folders)
        )
        return relative.replace(os.sep, "/"), not foreign

    def _in_environment(self, folders: list[str]) -> bool:
        """Tell whether one of the folders is a virtual environment."""
        path = self._root
        for folder in folders:
            path = os.path.join(path, folder)  # noqa: PTH118
            known = self._environments.get(path)
            if known is None:
                known = os.path.exists(os.path.join(path, "pyvenv.cfg"))  # noqa: PTH110, PTH118
                self._environments[path] = known
            if known:
                return True
        return False


def _cwd() -> str:
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:  # the folder was deleted
        return ""
