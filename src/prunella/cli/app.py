"""The command group, and how whatever happens in a command ends in one exit code."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from prunella._version import __version__
from prunella.cli.commands.alerts import alerts
from prunella.cli.commands.approvals import approvals
from prunella.cli.commands.bot import bot
from prunella.cli.commands.calls import calls
from prunella.cli.commands.credentials import keys, tokens
from prunella.cli.commands.database import database
from prunella.cli.commands.demo import demo
from prunella.cli.commands.doctor import doctor
from prunella.cli.commands.fixes import fixes
from prunella.cli.commands.heal import heal
from prunella.cli.commands.incidents import incidents
from prunella.cli.commands.metrics import metrics
from prunella.cli.commands.projects import projects
from prunella.cli.commands.replay import replay
from prunella.cli.commands.rollouts import rollouts
from prunella.cli.commands.serve import serve
from prunella.cli.commands.users import users
from prunella.cli.commands.worker import worker
from prunella.cli.exit_codes import MEANINGS, REFUSALS, ExitCode, code_of
from prunella.cli.session import Session
from prunella.model.errors import ConfigurationError, PrunellaError

_CODES = "\n".join(f"  {code.value:<3} {meaning}" for code, meaning in MEANINGS.items())


@click.group(
    epilog=f"\b\nExit codes:\n{_CODES}",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="prunella %(version)s")
def app() -> None:
    """Make Python programs heal: from a recorded failure to a proven patch on a branch.

    Decorate functions with @heal, run the program, then look at `prunella incidents` and
    `prunella heal FUNCTION`. `prunella demo` shows it all on an example.
    """


for _command in (
    demo,
    incidents,
    calls,
    heal,
    replay,
    fixes,
    rollouts,
    approvals,
    bot,
    alerts,
    metrics,
    database,
    serve,
    worker,
    users,
    keys,
    tokens,
    projects,
    doctor,
):
    app.add_command(_command)


def run(arguments: Sequence[str], session: Session | None = None) -> ExitCode:
    """Run one command line and return how it ended. Never raises what a command raises."""
    session = session or Session()
    # Known before anything is parsed: a command line that can't be parsed answers in JSON too.
    session.as_json = "--json" in arguments
    try:
        code = app.main(list(arguments), "prunella", standalone_mode=False, obj=session)
        session.stdout.flush()  # here, where it still can be said that the disk is full
    except click.ClickException as error:
        error.show(session.stderr)
        # Parsing may have stopped before the option was read.
        session.as_json |= "--json" in arguments
        session.report(error, error.format_message())
        return ExitCode.USAGE
    except PrunellaError as error:
        return session.failed(error, code_of(error))
    except (KeyboardInterrupt, click.Abort) as error:
        session.stderr.write("prunella: interrupted\n")
        session.report(error, "interrupted")
        return ExitCode.INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # Whoever read the output has seen enough (rich says so by SystemExit); the interpreter
        # flushes only what is there.
        sys.stdout = None
        return ExitCode.DONE
    except ModuleNotFoundError:
        raise
    except OSError as error:
        if isinstance(error, FileNotFoundError) and _is_nowhere():
            gone = ConfigurationError("the working directory is gone: go to another one")
            return session.failed(gone, ExitCode.USAGE)
        if error.errno not in REFUSALS:
            return _internal(session, error)
        sys.stdout = None  # it may be what can't be written
        return session.failed(error, ExitCode.UNABLE)
    except Exception as error:  # noqa: BLE001 - the last line: a fault of ours gets a code of its own
        return _internal(session, error)
    # Commands answer an exit code; click answers 0 for --help and --version.
    return ExitCode(code)


def _is_nowhere() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _internal(session: Session, error: Exception) -> ExitCode:
    session.stderr.write("prunella: this is a fault in Prunella itself; please report it\n")
    import traceback

    session.stderr.write(traceback.format_exc())
    session.report(error, f"a fault in Prunella itself: {error}")
    return ExitCode.INTERNAL
