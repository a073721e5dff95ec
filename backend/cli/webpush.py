"""`yobikake webpush …`: the city's key for Web Push."""

from __future__ import annotations

from pathlib import Path

import click

from notifications.channels.webpush.vapid import make_key_file, public_key_of


@click.group("webpush")
def command() -> None:
    """Web Push: browsers, and phones without Google's services."""


@command.command("keys")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def keys(file: Path) -> None:
    """Makes the city's key in FILE, readable by its owner only, and prints the public one.

    Keep a copy in a safe place: every browser is bound to this key, and without it each must subscribe anew.
    """
    try:
        public = make_key_file(file)
    except FileExistsError:
        raise click.ClickException(
            f"{file} exists: a key is never written over. Its public key: {_shown(file)}"
        ) from None
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from None
    click.echo(public)
    click.echo(f"Set YOBIKAKE_VAPID_KEY={file.absolute()} and YOBIKAKE_VAPID_SUBJECT=mailto:…", err=True)


def _shown(file: Path) -> str:
    try:
        return public_key_of(file)
    except ValueError as error:
        return f"none ({error})"
