"""What every command has in common: the healer it works with, how it prints, how it ends."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from prunella.cli.exit_codes import ExitCode
from prunella.model.wording import plural

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from prunella.ports import Progress
    from prunella.wiring.healer import Healer

#: Columns to print in where no terminal says how many it has: enough for a table in a log.
_COLUMNS_WITHOUT_TERMINAL = 120

_UNISOLATED = (
    "WARNING: sandbox = none. Recorded calls, patches that nobody has read and tests run as you, "
    "with your files, your secrets and the network. Set sandbox = auto to isolate them"
)


def _open(root: Path | None, model: str | None, progress: "Progress") -> "Healer":
    from prunella.model.project import find_root
    from prunella.wiring.healer import Healer

    # Named, because the script that runs here is the command, not the user's program.
    return Healer(model, root=root or find_root(Path.cwd()), progress=progress)


def _usable(stream: TextIO | None) -> TextIO:
    """Return a stream that takes any text: what it can't say becomes a question mark.

    There is none where the command was started with it closed: then it goes nowhere.
    """
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - to the end
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")
    return stream


@dataclass(slots=True)
class Session:
    """One run of the command line."""

    #: Makes the healer for root and model (``None``: as found, as the settings say).
    open_healer: Callable[[Path | None, str | None, "Progress"], "Healer"] = _open
    #: The command was given ``--json``: standard output is one JSON document.
    as_json: bool = False
    stdout: TextIO = field(default_factory=lambda: _usable(sys.stdout))
    stderr: TextIO = field(default_factory=lambda: _usable(sys.stderr))
    _status: "Status | None" = None

    @contextmanager
    def healer(
        self,
        root: Path | None,
        model: str | None = None,
        *,
        refresh: bool = True,
        activity: str = "",
    ) -> Iterator["Healer"]:
        """Give the healer of the project at `root`, its store up to date with the spool.

        Where `activity` names what the command does, what ends it by a fault of Prunella or of its
        surroundings is kept as an incident of the healer's own, until the same succeeds.
        """
        with (
            self.open_healer(root, model, self.tell) as healer,
            _noting_faults(healer, activity),
        ):
            if not refresh:
                yield healer
                return
            with self.progress("Reading what was recorded"):
                report = healer.refresh()
            if report.unreadable:
                self._warn(
                    f"{plural(report.unreadable, 'line')} of the spool could not be read and "
                    "were skipped; all other records are used"
                )
            yield healer

    def warn_of_no_sandbox(self, healer: "Healer") -> None:
        """Say loudly, before code of the project runs, that nothing will keep it apart."""
        if healer.settings.sandbox == "none":
            self._warn(_UNISOLATED)

    def say_why(self, error: Exception) -> None:
        """Say on stderr what is wrong, and go on."""
        from prunella.model.wording import one_line

        self._warn(one_line(str(error), 2000))

    def console(self) -> "Console":
        """Return where results for people go."""
        return console_on(self.stdout)

    def tell(self, doing: str) -> None:
        """Show what is being done now, if a person waits for it."""
        if self._status is not None:
            from rich.text import Text

            from prunella.model.wording import one_line

            self._status.update(Text(one_line(doing)))

    @contextmanager
    def progress(self, doing: str) -> Iterator[None]:
        """Show on stderr what is being done while it is done; silent where that is no terminal."""
        if not self.stderr.isatty():
            yield
            return
        from rich.text import Text

        with console_on(self.stderr).status(Text(doing)) as status:
            self._status = status
            try:
                yield
            finally:
                self._status = None

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take what `progress` shows off the terminal while something is printed."""
        status = self._status
        if status is None:
            yield
            return
        status.stop()
        try:
            yield
        finally:
            status.start()

    def result(self, plain: Any, render: Callable[["Console"], None]) -> None:
        """Print a command's result: `plain` as JSON under ``--json``, else what `render` prints."""
        if self.as_json:
            self._write_json(plain)
        else:
            render(self.console())

    def line(self, plain: Any, render: Callable[["Console"], None]) -> None:
        """Print one of many results: a JSON document on a line under ``--json``."""
        if self.as_json:
            import json

            self.stdout.write(json.dumps(plain) + "\n")
        else:
            render(self.console())
        self.stdout.flush()

    def failed(self, error: Exception, code: ExitCode) -> ExitCode:
        """Say what stopped the command: on stderr, and under ``--json`` on stdout too."""
        from prunella.model.wording import one_line

        message = str(error) or type(error).__name__
        self.stderr.write(f"prunella: {one_line(message, 2000)}\n")
        self.report(error, message)
        return code

    def report(self, error: BaseException, message: str) -> None:
        """Print, under ``--json``, what stopped the command as the one JSON document."""
        if self.as_json:
            with suppress(OSError):  # nobody may be left to tell
                self._write_json({"error": {"type": type(error).__name__, "message": message}})

    def _warn(self, message: str) -> None:
        self.stderr.write(f"prunella: {message}\n")

    def _write_json(self, plain: Any) -> None:
        import json

        self.stdout.write(json.dumps(plain, indent=2) + "\n")


@contextmanager
def _noting_faults(healer: "Healer", activity: str) -> Iterator[None]:
    from click import ClickException
    from click.exceptions import Exit

    from prunella.cli.exit_codes import code_of
    from prunella.model.errors import PrunellaError

    try:
        yield
    except (ClickException, Exit):
        raise
    except Exception as error:
        ours = not isinstance(error, PrunellaError) or code_of(error) is ExitCode.UNABLE
        if activity and ours:
            with suppress(PrunellaError):  # without a store there is nowhere to keep it
                healer.note_fault(activity, error)
        raise
    if activity:
        healer.clear_faults(activity)


def console_on(stream: TextIO) -> "Console":
    """Return a console that prints text as it is: no markup, no guessing at what to colour."""
    from rich.console import Console

    width = None if stream.isatty() else _COLUMNS_WITHOUT_TERMINAL
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
