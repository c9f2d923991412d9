"""``prunella serve``"""

import gc
from pathlib import Path

import click

from prunella.cli import options
from prunella.cli.exit_codes import ExitCode
from prunella.cli.session import Session


@click.command(short_help="Open the dashboard and the API.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8787, show_default=True, type=click.IntRange(0, 65535))
@click.option("--auth", is_flag=True, help="Let in only users who log in, keys and tokens.")
@click.option(
    "--tls-cert",
    type=click.Path(exists=True, dir_okay=False),
    help="File with the certificate chain, to be served by https.",
)
@click.option(
    "--tls-key", type=click.Path(exists=True, dir_okay=False), help="File with its private key."
)
@options.database
@options.root
@options.as_json
@click.pass_obj
def serve(
    session: Session,
    host: str,
    port: int,
    auth: bool,
    tls_cert: str | None,
    tls_key: str | None,
    database: str | None,
    root: Path | None,
) -> ExitCode:
    """Serve dashboard and API, take in what programs report, and do the jobs that people ask for.

    The project's own store is served on this machine without a login. With --auth, with --database
    (a server for teams), and on any other address people have to log in: `prunella users add` makes
    the first of them.
    """
    import uvicorn

    from prunella.server.opening import is_loopback, open_app

    app = open_app(root, database, auth=auth, host=host)
    if app.state.directory is not None and not is_loopback(host) and not tls_cert:
        session.say_why(
            RuntimeWarning(
                "passwords and keys come without encryption, unless a proxy in front speaks https; "
                "--tls-cert and --tls-key make this server speak it"
            )
        )
    url = f"{'https' if tls_cert else 'http'}://{host}:{port}/"
    _collect_rarely()
    session.line({"url": url}, lambda console: console.print(f"Serving at {url}; Ctrl-C ends it."))
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,  # below that level anyhow, and not for nothing
        server_header=False,
        ssl_certfile=tls_cert,
        ssl_keyfile=tls_key,
        timeout_keep_alive=75,  # programs report again soon
        timeout_graceful_shutdown=2,  # streams of open pages never end by themselves
    )
    return ExitCode.DONE


def _collect_rarely() -> None:
    """Look for garbage in cycles less often than Python does by itself.

    What is here now stays, and programs that listen stay for hours: looking through all of it again
    and again takes a busy server's time and finds nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
