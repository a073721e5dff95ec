"""The loopback stand-in: speaks the push provider's wire protocol and shows what each pretend phone received."""

from notifications.channels.standin.server import Server, open_server, run, serve

__all__ = ["Server", "open_server", "run", "serve"]
