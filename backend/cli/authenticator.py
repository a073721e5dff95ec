"""`yobikake authenticator`: plays an authenticator app, for trying the console where no phone is at hand."""

from __future__ import annotations

import click

from backend import clock
from content import second_factor


@click.command("authenticator")
@click.argument("key", required=False)
def command(key: str | None) -> None:
    """Prints the six digits of now for a KEY that the console's page of the second factor shows.

    It looks nothing up and keeps nothing: whoever has the key could type it into any authenticator app. Where
    phones are at hand use one: a second factor on the same machine is not much of a second one.
    """
    typed = key if key is not None else click.prompt("Key", hide_input=True)
    try:
        digits, seconds = second_factor.digits(typed, clock.utc_now())
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{digits}  (for {seconds} more seconds)")
