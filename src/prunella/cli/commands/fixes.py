"""``prunella fixes``"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.groups import ListByDefault
from prunella.cli.session import Session
from prunella.cli.steering import steer

if TYPE_CHECKING:
    pass

#: The values of `RolloutState`, which ``--help`` doesn't load; a test compares them.
STATES = ("candidate", "testing", "graduated", "rolled_back", "inconclusive", "retired")

_reason = click.option(
    "--reason", default="", metavar="TEXT", help="Why; kept with the decision in the audit log."
)
_fix = click.argument("fix_id", metavar="ID")
_recording = click.option(
    "--recording", is_flag=True, help="Everything that Prunella does in programs, not fixes alone."
)
_file = click.argument("file", type=click.File(encoding="utf-8"), metavar="FILE")


@click.group(cls=ListByDefault, short_help="Show and steer what heals at run time.")
def fixes() -> None:
    """Show and steer what heals at run time; `fixes` alone lists.

    A fix is a JSON document (retry, fallback, guard, parameter, prompt, tool, routing) that running
    programs apply within a second, without a deployment. Each command takes the fix's id or the
    beginning of it.
    """


@fixes.command("list")
@click.option(
    "--state", type=click.Choice(STATES), help="Only these.  [default: all but ended ones]"
)
@click.option("--all", "with_ended", is_flag=True, help="Also those that ended.")
@options.root
@options.as_json
@click.pass_obj
def list_fixes(
    session: Session, state: str | None, with_ended: bool, root: Path | None
) -> ExitCode:
    """List fixes, the one that changed last first."""
    from prunella.cli.views.fixes import show_list
    from prunella.codec.plain import to_plain
    from prunella.model.rollouts import ENDED, RolloutState

    with session.healer(root) as healer:
        states = None if state is None else [RolloutState(state)]
        found = healer.fixes.list(states=states)
    shown = [item for item in found if state or with_ended or item.state not in ENDED]
    session.result(
        {"fixes": to_plain(shown), "ended": len(found) - len(shown)},
        lambda console: show_list(console, shown, hidden=len(found) - len(shown)),
    )
    return ExitCode.DONE


@fixes.command("show", short_help="Show one fix: its document, where it stands, its history.")
@_fix
@options.root
@options.as_json
@click.pass_obj
def show_fix(session: Session, fix_id: str, root: Path | None) -> ExitCode:
    """Show one fix: its document, where it stands, its history."""
    from prunella.cli.views.fixes import show_story
    from prunella.codec.plain import to_plain

    with session.healer(root) as healer:
        story = healer.fixes.story(fix_id)
    session.result(to_plain(story), lambda console: show_story(console, story))
    return ExitCode.DONE


@fixes.command("validate", short_help="Check a fix document without keeping it.")
@_file
@options.as_json
@click.pass_obj
def validate_fix(session: Session, file: TextIO) -> ExitCode:
    """Check a fix document without keeping it; - reads standard input.

    Ends with 2 where it isn't valid, and says at which key.
    """
    document = _document(file)
    session.result(
        document, lambda console: console.print(f"{document['fix_id']} is a valid fix document.")
    )
    return ExitCode.DONE


@fixes.command("add", short_help="Keep a fix document, waiting for approval.")
@_file
@click.option(
    "--shadow", is_flag=True, help="Let programs log what it would do; it changes nothing."
)
@click.option("--dry-run", is_flag=True, help="Say what would be kept; keep nothing.")
@_reason
@options.root
@options.as_json
@click.pass_obj
def add_fix(
    session: Session, file: TextIO, shadow: bool, dry_run: bool, reason: str, root: Path | None
) -> ExitCode:
    """Keep a fix document, waiting for approval; - reads standard input.

    A document whose fix_id has ended before becomes its next version. Nothing acts until
    `prunella fixes approve`.
    """
    from prunella.cli.views.fixes import show_step
    from prunella.codec.plain import to_plain

    document = _document(file)
    with session.healer(root, refresh=False) as healer:
        added = healer.fixes.add(document, reason=reason, shadow=shadow, keep=not dry_run)
    note = "would be kept" if dry_run else "is kept"
    session.result(to_plain(added), lambda console: show_step(console, added, note))
    return ExitCode.DONE


@fixes.command("suggest", short_help="Propose fixes for an incident, tried on its records.")
@click.argument("incident_id", metavar="INCIDENT")
@click.option("--dry-run", is_flag=True, help="Only show them; keep nothing.")
@options.root
@options.as_json
@click.pass_obj
def suggest_fixes(session: Session, incident_id: str, dry_run: bool, root: Path | None) -> ExitCode:
    """Propose fixes for an incident, and try each on the recorded calls.

    A confidence from 0.6 waits for `prunella fixes approve`; below, a fix is only shown. With the
    setting auto_fix_enabled one above 0.8 starts a canary by itself. Ends with 1 where no fix fits.
    """
    from prunella.cli.views.fixes import show_suggestions
    from prunella.codec.plain import to_plain

    with session.healer(root) as healer:
        found = healer.fixes.suggest(incident_id, keep=not dry_run)
    session.result(
        {"suggestions": to_plain(found)}, lambda console: show_suggestions(console, found)
    )
    return ExitCode.DONE if found else ExitCode.NEGATIVE


@fixes.command("approve", short_help="Let a candidate act on a first share of the traffic.")
@_fix
@_reason
@options.root
@options.as_json
@click.pass_obj
def approve_fix(session: Session, fix_id: str, reason: str, root: Path | None) -> ExitCode:
    """Let a candidate act on a first share of the traffic, the canary, measured against the rest."""
    return steer(session, root, "is approved", lambda all_: all_.approve(fix_id, reason=reason))


@fixes.command("pause", short_help="Stop a fix for now.")
@_fix
@_reason
@options.root
@options.as_json
@click.pass_obj
def pause_fix(session: Session, fix_id: str, reason: str, root: Path | None) -> ExitCode:
    """Stop a fix for now: every running process leaves it within a second."""
    return steer(session, root, "is paused", lambda all_: all_.pause(fix_id, reason=reason))


@fixes.command("resume", short_help="Let a paused fix go on.")
@_fix
@_reason
@options.root
@options.as_json
@click.pass_obj
def resume_fix(session: Session, fix_id: str, reason: str, root: Path | None) -> ExitCode:
    """Let a paused fix go on with the share it had; counts from before the pause stay apart."""
    return steer(session, root, "goes on", lambda all_: all_.resume(fix_id, reason=reason))


@fixes.command("rollback", short_help="Take a fix back everywhere.")
@_fix
@_reason
@options.root
@options.as_json
@click.pass_obj
def roll_back_fix(session: Session, fix_id: str, reason: str, root: Path | None) -> ExitCode:
    """Take a fix back everywhere, for good: every running process leaves it within a second."""
    return steer(
        session, root, "is rolled back", lambda all_: all_.roll_back(fix_id, reason=reason)
    )


@fixes.command("remove", short_help="Retire a fix.")
@_fix
@_reason
@options.root
@options.as_json
@click.pass_obj
def remove_fix(session: Session, fix_id: str, reason: str, root: Path | None) -> ExitCode:
    """Retire a fix that is needed no more; its history stays."""
    return steer(session, root, "is retired", lambda all_: all_.remove(fix_id, reason=reason))


@fixes.command("off", short_help="Kill switch: all fixes, or one, at once.")
@click.argument("fix_id", metavar="[ID]", required=False)
@_recording
@_reason
@options.root
@options.as_json
@click.pass_obj
def switch_fixes_off(
    session: Session, fix_id: str | None, recording: bool, reason: str, root: Path | None
) -> ExitCode:
    """Switch all fixes off, or the one with exactly this id: every program leaves them in a second.

    It is a file, `.prunella/fixes-off` or `.prunella/fixes-off-ID` (`.prunella/disabled` with
    --recording): neither the store nor a server is asked, and rollouts stay as they are. A server on
    this folder tells the programs that report to it; with the setting database the project's store
    keeps it for all servers, too. `prunella fixes on` takes it back.
    """
    from prunella.cli.views.parts import words
    from prunella.model.project import find_root
    from prunella.wiring.fixes import off

    folder = root or find_root(Path.cwd())
    file = off(folder, fix_id, reason=reason, recording=recording)
    _switch_in_store(session, root, fix_id, off=True, recording=recording, reason=reason)
    what = "Recording and all fixes" if recording else fix_id or "All fixes"
    session.result(
        {"off": True, "fix_id": fix_id, "recording": recording, "file": str(file)},
        lambda console: console.print(
            words(f"{what}: off as long as {file} is there", max_chars=500)
        ),
    )
    return ExitCode.DONE


@fixes.command("on", short_help="Take the kill switch back.")
@click.argument("fix_id", metavar="[ID]", required=False)
@_recording
@options.root
@options.as_json
@click.pass_obj
def switch_fixes_on(
    session: Session, fix_id: str | None, recording: bool, root: Path | None
) -> ExitCode:
    """Take `prunella fixes off` back, for all fixes or for the one with exactly this id.

    Ends with 1 where it wasn't off.
    """
    from prunella.cli.views.parts import words
    from prunella.model.project import find_root
    from prunella.wiring.fixes import on

    by_file = on(root or find_root(Path.cwd()), fix_id, recording=recording)
    in_store = _switch_in_store(session, root, fix_id, off=False, recording=recording, reason="")
    was_off = by_file or in_store
    what = "Recording and all fixes" if recording else fix_id or "All fixes"
    said = "on again" if was_off else "wasn't switched off by a file"
    session.result(
        {"off": False, "fix_id": fix_id, "recording": recording, "was_off": was_off},
        lambda console: console.print(words(f"{what}: {said}", max_chars=200)),
    )
    return ExitCode.DONE if was_off else ExitCode.NEGATIVE


def _switch_in_store(
    session: Session,
    root: Path | None,
    fix_id: str | None,
    *,
    off: bool,
    recording: bool,
    reason: str,
) -> bool:
    """Keep a switch in the store that servers share, where there is one; tell whether it moved."""
    from prunella.model.errors import ConfigurationError

    try:
        opened = session.open_healer(root, None, session.tell)
    except ConfigurationError:
        return False  # the file does it here; settings that can't be read name no store
    with opened as healer:
        if not healer.settings.database:
            return False
        return healer.programs.switch(fix_id, off=off, recording=recording, reason=reason)


def _document(file: TextIO) -> dict[str, Any]:
    from prunella.fixes.document import MAX_DOCUMENT, parse
    from prunella.model.errors import ConfigurationError

    try:
        text = file.read(MAX_DOCUMENT + 1)
    except ValueError as error:
        raise ConfigurationError(f"{file.name} is no text: {error}") from error
    return parse(text).document()
