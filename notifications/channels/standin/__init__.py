"""The loopback stand-in: speaks the push provider's wire protocol and shows what each pretend phone received."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from notifications.channels.standin.doors import Doors
from notifications.channels.standin.server import Server, run

__all__ = ["Server", "open_server", "run", "serve"]


def open_server(host: str, port: int, state_dir: Path | str, **options: Callable[[], dt.datetime]) -> Server:
    """A stand-in ready to be run with `serve_forever()`. Raises OSError when the port is taken."""
    return Server(host, port, Path(state_dir), Doors, **options)


def serve(host: str, port: int, state_dir: Path | str) -> None:
    """Opens one and runs it until SIGTERM or SIGINT. Blocks."""
    run(open_server(host, port, state_dir))
