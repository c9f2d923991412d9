"""One step with a fix, as `prunella fixes` and `prunella rollouts` take it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session

if TYPE_CHECKING:
    from prunella.model.rollouts import Rollout
    from prunella.wiring.fixes import Fixes


def steer(
    session: Session, root: Path | None, note: str, step: "Callable[[Fixes], Rollout]"
) -> ExitCode:
    """Take a step of `Fixes`, and print where the fix stands after it."""
    from prunella.cli.views.fixes import show_step
    from prunella.codec.plain import to_plain

    with session.healer(root) as healer:
        after = step(healer.fixes)
    session.result(to_plain(after), lambda console: show_step(console, after, note))
    return ExitCode.DONE
