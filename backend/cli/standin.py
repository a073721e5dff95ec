"""`yobikake standin`: a pretend push provider on this machine, for development, demonstrations and tests."""

from __future__ import annotations

from pathlib import Path

import click

from notifications.channels.standin import open_server, run
from notifications.channels.standin.account import FILE_NAME


@click.command("standin")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; leave it on this machine.")
@click.option("--port", default=8085, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free port.")
@click.option(
    "--state-dir",
    default=Path("data/standin"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for its key and for the log of what it received.",
)
def command(host: str, port: int, state_dir: Path) -> None:
    """Runs a pretend push provider: no real phone receives anything.

    It speaks the provider's protocol, writes a key of its own into the state folder and shows on its page what
    each pretend phone received.
    """
    try:
        server = open_server(host, port, state_dir)
    except OSError as error:
        raise click.ClickException(f"the stand-in cannot listen on {host} port {port}: {error.strerror}") from None
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"stand-in: {server.url}/ shows every pretend phone")
    click.echo(f"stand-in: credentials for it are in {state_dir / FILE_NAME}")
    run(server)
