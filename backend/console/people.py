"""The people of city hall: added, given a one-time link, signed out, barred; and one's own sign-ins."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backend import clock, journaling
from backend.config import settings
from backend.console import door, refusals
from backend.console.door import page
from backend.console.language import say
from backend.errors import of_status
from backend.transaction import session
from content import accounts, editors, sign_ins, signing
from content.accounts import Account
from content.editors import Editor, EditorError, Role
from content.sign_ins import SignIn

# A machine gets its key by `yobikake staff add --machine`, on the server.
ROLES = tuple(role for role in Role if role is not Role.MACHINE)


@page("/people", "staff")
def people() -> ResponseReturnValue:
    """Everybody, disabled ones too."""
    return _list()


@page("/people", "staff", post=True)
def add_person() -> ResponseReturnValue:
    """Adds a person and shows the one-time link."""
    name, role, login = (request.form.get(field, "") for field in ("name", "role", "login"))
    try:
        if role not in ROLES:
            raise EditorError("choose a role")
        person, _key = editors.add(session(), name, role, clock.now())  # nobody keeps the key: the person has a link
        return _invite(person, login)
    except EditorError as error:
        return _list(refusals.reasons(error)), 422


@page("/people/<int:person_id>/invite", "staff", post=True)
def invite_person(person_id: int) -> ResponseReturnValue:
    """A new link: for a forgotten password, a lost phone, or somebody who had only a key."""
    person = _person(person_id)
    login = request.form.get("login", "").strip() or None
    try:
        return _invite(person, login)
    except EditorError as error:
        return _list(refusals.reasons(error)), 422


@page("/people/<int:person_id>/sign-out", "staff", post=True)
def sign_person_out(person_id: int) -> ResponseReturnValue:
    """Ends every sign-in of a person."""
    person = _person(person_id)
    many = sign_ins.end(session(), person, clock.now())
    journaling.note(person.name, action="people.sign_out", ended=many)
    door.tell(say("%(name)s をすべての端末でサインアウトしました。", name=person.name))
    return redirect(url_for("console.people"), 303)


@page("/people/<int:person_id>/disable", "staff", post=True)
def disable_person(person_id: int) -> ResponseReturnValue:
    """Bars a person for good; what was done under the name stays on record."""
    person = _person(person_id)
    if person.id == g.editor.id:
        return _list([("", say("自分自身は停止できません。"))]), 422
    if request.form.get("sure") != "yes":
        return _list([("", say("停止するには「停止してよい」に印を付けてください。"))]), 422
    editors.disable(session(), person, clock.now())
    sign_ins.end(session(), person, clock.now())
    journaling.note(person.name, action="people.disable")
    door.tell(say("%(name)s を停止しました。", name=person.name))
    return redirect(url_for("console.people"), 303)


@page("/me")
def me() -> ResponseReturnValue:
    """One's own sign-ins."""
    longest = dt.timedelta(hours=settings().console_hours)
    found = [one for one in sign_ins.of(session(), g.editor, clock.now(), longest) if one.complete]
    return render_template("console/me.html", found=found, role=Role(g.editor.role))


@page("/me/sign-out-elsewhere", post=True)
def sign_out_elsewhere() -> ResponseReturnValue:
    """Ends one's sign-ins in every other browser."""
    longest = dt.timedelta(hours=settings().console_hours)
    others = [one for one in sign_ins.of(session(), g.editor, clock.now(), longest) if one.id != g.sign_in.id]
    many = sum(sign_ins.end(session(), g.editor, clock.now(), only=one.id) for one in others)
    journaling.note(g.editor.name, action="me.sign_out_elsewhere", ended=many)
    door.tell(say("ほかの端末からサインアウトしました。"))
    return redirect(url_for("console.me"), 303)


def _invite(person: Editor, login: str | None) -> ResponseReturnValue:
    signing.ensure(session())
    token = accounts.invite(session(), person, login, clock.now(), made_by=g.editor)
    journaling.note(person.name, action="people.invite", role=person.role)
    link = settings().public_url.rstrip("/") + url_for("console.welcome", token=token)
    hours = int(accounts.LINK_LASTS.total_seconds() // 3600)
    return render_template("console/invited.html", person=person, link=link, hours=hours)


def _person(person_id: int) -> Editor:
    found = session().get(Editor, person_id) if person_id < 2**63 else None
    if found is None:
        raise of_status(404)
    return found


def _list(wrong: list[tuple[str, str]] | None = None) -> str:
    kept = {account.editor_id: account for account in session().scalars(sa.select(Account))}
    seen = sa.select(SignIn.editor_id, sa.func.max(SignIn.seen_at)).group_by(SignIn.editor_id)
    lasts = {row[0]: row[1] for row in session().execute(seen)}
    return render_template(
        "console/people.html", people=editors.everybody(session()), accounts=kept, lasts=lasts, roles=ROLES,
        role_of=Role, wrong=wrong or [], said=request.form,
    )  # fmt: skip
