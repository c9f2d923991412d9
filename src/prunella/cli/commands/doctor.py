"""``prunella doctor``"""

from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session


@click.command(short_help="Check what Prunella needs here, and say what to do.")
@options.root
@options.as_json
@click.pass_obj
def doctor(session: Session, root: Path | None) -> ExitCode:
    """Check what Prunella needs here: what works, what doesn't, and what to do about it.

    Looks at the configuration (each setting with its origin), store, spool, counters of what was
    dropped, sandbox, git, tests and model. Ends with 1 where something doesn't work.
    """
    from prunella.cli.views.doctor import show_findings
    from prunella.codec.plain import to_plain
    from prunella.pipeline.results import FindingLevel
    from prunella.wiring.doctor import examine

    with session.open_healer(root, None, session.tell) as healer, session.progress("Checking"):
        findings = examine(healer)
        loaded = healer.loaded
    plain = {
        "root": str(healer.root),
        "findings": to_plain(findings),
        "settings": {
            name: {"value": value, "origin": loaded.origins[name]}
            for name, value in to_plain(loaded.settings).items()
        },
    }
    session.result(plain, lambda console: show_findings(console, healer.root, findings))
    broken = any(finding.level is FindingLevel.PROBLEM for finding in findings)
    return ExitCode.NEGATIVE if broken else ExitCode.DONE
