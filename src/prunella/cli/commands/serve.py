"""``prunella serve``"""

from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session


@click.command(short_help="Open the dashboard and the API.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8787, show_default=True, type=click.IntRange(0, 65535))
@options.root
@click.pass_obj
def serve(session: Session, host: str, port: int, root: Path | None) -> ExitCode:
    """Serve the project's dashboard and API on this machine, without a login."""
    import uvicorn

    from prunella.server.app import create_app
    from prunella.server.workspaces import EmbeddedWorkspace
    from prunella.wiring.fixes import user

    app = create_app(EmbeddedWorkspace(root), actor=user())
    uvicorn.run(app, host=host, port=port, log_level="warning")
    return ExitCode.DONE
