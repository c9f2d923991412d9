"""``prunella doctor``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session

if TYPE_CHECKING:
    from prunella.model.errors import ConfigurationError
    from prunella.wiring.healer import Healer


@click.command(short_help="Check what Prunella needs here, and say what to do.")
@options.root
@options.as_json
@click.pass_obj
def doctor(session: Session, root: Path | None) -> ExitCode:
    """Check what Prunella needs here: what works, what doesn't, and what to do about it.

    Looks at the configuration (each setting with its origin), store, spool, counters of what was
    dropped, sandbox, git, code host (asked what the token may do, unless offline), tests, model and
    alerts. Ends with 1 where something doesn't work, and with 2 where the settings can't be read:
    the rest is looked at with the default ones then.
    """
    from prunella.cli.views.doctor import show_findings
    from prunella.codec.plain import to_plain
    from prunella.model.errors import ConfigurationError
    from prunella.model.settings import shown
    from prunella.pipeline.results import FindingLevel
    from prunella.wiring.doctor import examine

    unusable: ConfigurationError | None = None
    try:
        opened = session.open_healer(root, None, session.tell)
    except ConfigurationError as error:
        unusable = error
        opened = _unconfigured(root, error)
        session.say_why(error)
    with opened as healer, session.progress("Checking"):
        findings = examine(healer, unusable)
        loaded = healer.loaded
    plain = {
        "root": str(healer.root),
        "findings": to_plain(findings),
        "settings": {
            name: {"value": shown(name, value), "origin": loaded.origins[name]}
            for name, value in to_plain(loaded.settings).items()
        },
    }
    if unusable is not None:
        plain["error"] = {"type": type(unusable).__name__, "message": str(unusable)}
    session.result(plain, lambda console: show_findings(console, healer.root, findings))
    if unusable is not None:
        return ExitCode.USAGE
    broken = any(finding.level is FindingLevel.PROBLEM for finding in findings)
    return ExitCode.NEGATIVE if broken else ExitCode.DONE


def _unconfigured(root: Path | None, error: ConfigurationError) -> Healer:
    """Return a healer with the default settings; raises `error` where there is no project."""
    from prunella.model.project import find_root
    from prunella.wiring.healer import Healer

    folder = root or find_root(Path.cwd())
    if not folder.is_dir():
        raise error
    return Healer.unconfigured(folder)
