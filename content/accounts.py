"""Accounts for the console: password and second factor of a person, the one-time link that sets them, the lock."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Any

import argon2
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from content import known_browsers, second_factor, sign_ins
from content.editors import Editor, EditorError, Role
from content.known_browsers import KnownBrowser
from database import Base, BigId, UtcDateTime, insert_ignore

LINK_LASTS = dt.timedelta(hours=72)
PASSWORD_MIN, PASSWORD_MAX = 12, 200
# From the fifth failure on an account waits: one minute, then twice as long each time, a quarter of an hour at most.
FREE_FAILURES = 5
LONGEST_WAIT_MINUTES = 15
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")

# argon2id with the library's parameters (RFC 9106, second recommendation: 64 MiB, 3 passes).
hasher = argon2.PasswordHasher()


class Account(Base):
    """What a person signs in with. Made by a link; without a password until the link is used."""

    __tablename__ = "accounts"

    editor_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("editors.id"), primary_key=True, autoincrement=False)
    login: Mapped[str] = mapped_column(sa.Text, unique=True)
    password_hash: Mapped[str | None] = mapped_column(sa.Text)
    password_set_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    totp_secret: Mapped[str | None] = mapped_column(sa.Text)
    totp_confirmed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    totp_last_step: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    failures: Mapped[int] = mapped_column(sa.Integer, default=0)
    locked_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    editor: Mapped[Editor] = relationship(lazy="joined", viewonly=True)


class Invitation(Base):
    """A one-time link with which one person sets a password. Only the SHA-256 of its secret is kept."""

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    editor_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("editors.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)
    made_by_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("editors.id"))  # None: by the command
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Verdict(StrEnum):
    """What came of an attempt to sign in."""

    IN = "in"
    SET_UP = "set_up"  # the password is right, there is no second factor yet
    REFUSED = "refused"  # something was wrong; never said what
    LOCKED = "locked"


def invite(
    session: Session,
    editor: Editor,
    login: str | None,
    now: dt.datetime,
    *,
    made_by: Editor | None = None,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """The secret of a new one-time link, in place of earlier ones. It is shown this once and kept nowhere.

    `login` is what the person types to sign in (a staff number, say); None keeps the one there is. Raises
    EditorError: a machine or a disabled person, a login that is malformed or taken, or missing at the first time.
    """
    if editor.disabled_at is not None or editor.role == Role.MACHINE:
        raise EditorError(f"{editor.name!r} is {'a machine' if editor.role == Role.MACHINE else 'disabled'}")
    account = session.get(Account, editor.id)
    login = tidy(login) if login is not None else account.login if account is not None else ""
    if not _LOGIN.fullmatch(login):
        raise EditorError("a login has 2 to 32 characters: a–z, 0–9, and . _ - after the first")
    if account is None:
        new = {"editor_id": editor.id, "login": login, "totp_last_step": 0, "failures": 0}
        if not insert_ignore(session, Account, new):
            raise EditorError(f"the login {login!r} is taken")
    elif account.login != login:
        raise EditorError(f"{editor.name!r} signs in as {account.login!r}")
    open_ones = (Invitation.editor_id == editor.id, Invitation.used_at.is_(None))
    session.execute(sa.update(Invitation).where(*open_ones).values(used_at=now))
    token = base64.urlsafe_b64encode(random_bytes(32)).decode().rstrip("=")
    session.add(
        Invitation(
            editor_id=editor.id, token_hash=_hash(token), made_by_id=made_by.id if made_by is not None else None,
            created_at=now, expires_at=now + LINK_LASTS,
        )
    )  # fmt: skip
    session.flush()
    return token


def invited(session: Session, token: str, now: dt.datetime) -> Account | None:
    """Whose link this is, while it can be used."""
    wanted = (
        sa.select(Account)
        .join(Invitation, Invitation.editor_id == Account.editor_id)
        .where(Invitation.token_hash == _hash(token), Invitation.used_at.is_(None), Invitation.expires_at > now)
    )
    account = session.scalars(wanted).one_or_none()
    return account if account is not None and account.editor.disabled_at is None else None


def accept(session: Session, token: str, password: str, now: dt.datetime) -> Account | None:
    """Uses a link: sets the password, asks for a new second factor, ends every sign-in of the person.

    None when the link was used or is too old. Raises EditorError for a password that is too weak.
    """
    account = invited(session, token, now)
    if account is None:
        return None
    hashed = hasher.hash(checked_password(password, account))
    used: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        sa.update(Invitation)
        .where(Invitation.token_hash == _hash(token), Invitation.used_at.is_(None))
        .values(used_at=now)
    )
    if used.rowcount != 1:
        return None
    account.password_hash, account.password_set_at = hashed, now
    account.totp_secret, account.totp_confirmed_at, account.totp_last_step = second_factor.new_secret(), None, 0
    account.failures, account.locked_until = 0, None
    known_browsers.forget(session, account.editor)
    sign_ins.end(session, account.editor, now)
    session.flush()
    return account


def checked_password(password: str, account: Account) -> str:
    """The password as it is hashed (NFKC: one password on every keyboard); raises EditorError saying what it lacks."""
    plain = unicodedata.normalize("NFKC", password)
    if not PASSWORD_MIN <= len(plain) <= PASSWORD_MAX:
        raise EditorError(f"a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters")
    if len(set(plain)) < 5 or account.login in plain.lower() or account.editor.name in plain:
        raise EditorError("the password is too easy to guess: few different characters, or the person's own name")
    return plain


def by_login(session: Session, login: str) -> Account | None:
    """The account of this login, whoever's it is."""
    return session.scalars(sa.select(Account).where(Account.login == tidy(login))).one_or_none()


def password_is(account: Account | None, password: str) -> bool:
    """Whether this is the account's password. As slow where there is no account; writes nothing."""
    kept = account.password_hash if account is not None else None
    try:
        hasher.verify(kept or _nobodys(), unicodedata.normalize("NFKC", password[: 4 * PASSWORD_MAX]))
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return kept is not None


def admit(
    session: Session, account: Account, *, password_right: bool, code: str, now: dt.datetime, browser: str | None = None
) -> Verdict:
    """Decides on an attempt, counts failures, uses up the code. While it is locked nothing is looked at.

    `browser`: the token of a browser this person may have signed in with before (`known_browsers`). There failures
    are counted for that browser alone, and those of strangers do not lock it.
    """
    account = session.scalars(
        sa.select(Account).where(Account.editor_id == account.editor_id).with_for_update(of=Account)
        .execution_options(populate_existing=True)
    ).one()  # fmt: skip
    if account.editor.disabled_at is not None:
        return Verdict.REFUSED
    counter = known_browsers.of(session, browser, account.editor_id, now) or account
    if counter.locked_until is not None and now < counter.locked_until:
        return Verdict.LOCKED
    if password_right and account.totp_confirmed_at is None:
        verdict = Verdict.SET_UP
    elif password_right and confirm_code(session, account, code, now):
        verdict = Verdict.IN
    else:
        verdict = Verdict.REFUSED
    _count(counter, verdict is Verdict.REFUSED, now)
    session.flush()
    return verdict


def confirm_code(session: Session, account: Account, code: str, now: dt.datetime) -> bool:
    """Whether a code of the second factor is right; it is used up. The first right one confirms the factor."""
    if account.totp_secret is None:
        return False
    step = second_factor.step_of(account.totp_secret, code, now, account.totp_last_step)
    if step is None:
        return False
    spent: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        sa.update(Account)
        .where(Account.editor_id == account.editor_id, Account.totp_last_step < step)
        .values(totp_last_step=step, totp_confirmed_at=sa.func.coalesce(Account.totp_confirmed_at, now))
        .execution_options(synchronize_session=False)
    )
    session.refresh(account)
    return spent.rowcount == 1


def wrong_code(session: Session, account: Account, now: dt.datetime) -> None:
    """Counts a wrong code while the second factor is set up."""
    _count(account, True, now)
    session.flush()


def tidy(login: str) -> str:
    """A login as it is kept: half-width, small letters, no spaces around it."""
    return unicodedata.normalize("NFKC", login).replace("\0", "").strip().lower()


def _count(counter: Account | KnownBrowser, failed: bool, now: dt.datetime) -> None:
    if not failed:
        counter.failures, counter.locked_until = 0, None
        return
    counter.failures += 1
    if counter.failures >= FREE_FAILURES:
        minutes = min(2 ** (counter.failures - FREE_FAILURES), LONGEST_WAIT_MINUTES)
        counter.locked_until = now + dt.timedelta(minutes=minutes)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


@cache
def _nobodys() -> str:
    """The hash of a password that nobody has: an unknown login must not answer sooner than a known one."""
    return hasher.hash(secrets.token_urlsafe())
