"""``prunella serve``"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session

if TYPE_CHECKING:
    from starlette.applications import Starlette


@click.command(short_help="Open the dashboard and the API.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8787, show_default=True, type=click.IntRange(0, 65535))
@options.root
@options.as_json
@click.pass_obj
def serve(session: Session, host: str, port: int, root: Path | None) -> ExitCode:
    """Serve the project's dashboard and API on this machine, without a login."""
    import uvicorn

    app = _embedded(root)
    url = f"http://{host}:{port}/"
    session.line({"url": url}, lambda console: console.print(f"Serving at {url}; Ctrl-C ends it."))
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=75,  # programs report again soon
        timeout_graceful_shutdown=2,  # streams of open pages never end by themselves
    )
    return ExitCode.DONE


def _embedded(root: Path | None) -> "Starlette":
    import os

    from prunella.server.app import create_app
    from prunella.server.workspaces import EmbeddedWorkspace, healers_of
    from prunella.wiring.fixes import user
    from prunella.wiring.worker import Worker

    workspaces = EmbeddedWorkspace(root)
    worker = Worker(healers_of(workspaces), name=f"{user()}, process {os.getpid()}")
    return create_app(workspaces, actor=user(), work=lambda: worker)
