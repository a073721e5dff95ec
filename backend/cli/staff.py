"""`yobikake staff …`: the people who write and approve, their keys, and their links into the console."""

from __future__ import annotations

import json
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from backend import clock
from backend.config import settings
from content import accounts, editors, journal, signing
from content.editors import Editor, EditorError, Role
from database import db, transaction

_ROLES = ", ".join(f"{role} ({role.ja})" for role in Role)


@click.group("staff")
def command() -> None:
    """The people of city hall: add, list, give a new key, revoke."""


@command.command("add")
@click.option("--name", required=True, help="The person's name; one person, one name.")
@click.option("--role", type=click.Choice([str(role) for role in Role]), help=f"One of {_ROLES}.")
@click.option("--machine", is_flag=True, help="A program that hands in drafts and can do nothing else.")
@with_appcontext
def add(name: str, role: str | None, machine: bool) -> None:
    """Adds a person (or a machine) and prints the key, this once."""
    if machine and role not in (None, Role.MACHINE):
        raise click.UsageError("--machine is a role of its own: leave --role out")
    chosen = Role.MACHINE if machine else role
    if chosen is None:
        raise click.UsageError(f"Missing option '--role': {_ROLES}")
    with transaction(db.engine) as session:
        try:
            editor, key = editors.add(session, name, chosen, clock.now())
        except EditorError as refused:
            raise click.ClickException(str(refused)) from None
        _note(session, "people.create", editor)
        said = f"{editor.name} ({Role(editor.role).ja}), id {editor.id}"
    _show_key(said, key)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@with_appcontext
def list_people(as_json: bool) -> None:
    """Lists everybody, with the last characters of their keys."""
    with transaction(db.engine, "read") as session:
        people = [_described(editor) for editor in editors.everybody(session)]
    if as_json:
        click.echo(json.dumps(people, ensure_ascii=False, indent=2))
        return
    if not people:
        click.echo("Nobody yet: yobikake staff add --name 山田花子 --role author")
    for person in people:
        keys = " ".join(f"…{last4}" for last4 in person["keys"]) or "no key"
        state = f"disabled {person['disabled_at']}" if person["disabled_at"] else keys
        click.echo(f"{person['id']:>4}  {person['role']:<14} {person['name']}  {state}")


@command.command("key")
@click.argument("who")
@with_appcontext
def renew(who: str) -> None:
    """Gives WHO (a name or an id) a new key in place of a lost one."""
    with transaction(db.engine) as session:
        editor = _found(session, who)
        try:
            key = editors.renew_key(session, editor, clock.now())
        except EditorError as refused:
            raise click.ClickException(str(refused)) from None
        _note(session, "people.key", editor)
        said = editor.name
    _show_key(f"{said}: earlier keys are revoked", key)


@command.command("invite")
@click.argument("who")
@click.option("--login", help="What WHO types to sign in, such as a staff number; needed the first time.")
@with_appcontext
def invite(who: str, login: str | None) -> None:
    """Prints a one-time link with which WHO (a name or an id) sets a password and a second factor for the console."""
    with transaction(db.engine) as session:
        editor = _found(session, who)
        try:
            signing.ensure(session)
            token = accounts.invite(session, editor, login, clock.now())
        except EditorError as refused:
            raise click.ClickException(str(refused)) from None
        _note(session, "people.invite", editor)
        said = editor.name
    hours = int(accounts.LINK_LASTS.total_seconds() // 3600)
    click.echo(f"{said}: give this link to nobody else; it works once, within {hours} hours:", err=True)
    click.echo(f"{settings().public_url.rstrip('/')}/console/welcome/{token}")


@command.command("revoke")
@click.argument("who")
@with_appcontext
def revoke(who: str) -> None:
    """Revokes every key of WHO (a name or an id) for good. What was done under the name stays on record."""
    with transaction(db.engine) as session:
        editor = _found(session, who)
        editors.disable(session, editor, clock.now())
        _note(session, "people.disable", editor)
        said = editor.name
    click.echo(f"{said} is disabled; the keys no longer open anything.")


def _found(session: Session, who: str) -> Editor:
    editor = editors.by_name(session, who)
    if editor is None and who.isascii() and who.isdigit() and len(who) < 19:
        editor = session.get(Editor, int(who))
    if editor is None:
        raise click.ClickException(f"nobody is called {who!r}; see: yobikake staff list")
    return editor


def _described(editor: Editor) -> dict[str, Any]:
    zone = settings().zone

    def moment(at: Any) -> str | None:
        return at.astimezone(zone).isoformat(timespec="seconds") if at else None

    return {
        "id": editor.id,
        "name": editor.name,
        "role": editor.role,
        "created_at": moment(editor.created_at),
        "disabled_at": moment(editor.disabled_at),
        "keys": [key.last4 for key in editor.keys if key.revoked_at is None],
    }


def _note(session: Session, action: str, editor: Editor) -> None:
    """Writes into the journal what was done on the server itself."""
    journal.append(
        session,
        now=clock.now(),
        actor=None,
        name="command",
        door="command",
        action=action,
        subject=editor.name,
        detail={"role": editor.role},
    )


def _show_key(said: str, key: str) -> None:
    """The key alone on standard output, so that a script can catch it; the rest beside it."""
    click.echo(f"{said}. The key is shown this once and kept nowhere:", err=True)
    click.echo(key)
