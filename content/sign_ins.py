"""Sign-ins: who is inside the console since when, until the person, an administrator or time ends it."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from content.editors import Editor
from database import Base, BigId, UtcDateTime

TOKEN_BYTES = 32
KEPT = dt.timedelta(days=30)  # how long it is known that somebody was signed in
WRONG_CODES = 5  # so many in one sign-in, and whoever sits there must sign in again
HALF_LASTS = dt.timedelta(minutes=15)  # the time to set up the second factor


class Means(StrEnum):
    """How a person proved who they are. Passkeys and OpenID Connect become further members."""

    PASSWORD = "password"  # noqa: S105 - half a sign-in: only for setting up the second factor
    PASSWORD_AND_CODE = "password+totp"  # noqa: S105


COMPLETE = frozenset({Means.PASSWORD_AND_CODE})


class SignIn(Base):
    """One browser in which a person is signed in. Only the SHA-256 of its 256 random bits is kept."""

    __tablename__ = "sign_ins"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    editor_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("editors.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)
    means: Mapped[str] = mapped_column(sa.Text)
    started_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    wrong_codes: Mapped[int] = mapped_column(sa.Integer, default=0)  # given inside, to prove a step

    editor: Mapped[Editor] = relationship(lazy="joined", viewonly=True)

    @property
    def complete(self) -> bool:
        """Both factors were given."""
        return self.means in COMPLETE


def begin(
    session: Session,
    editor: Editor,
    means: Means,
    now: dt.datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Signs a person in and returns the token for the browser: always a new one, so that none can be planted.

    Forgets the person's sign-ins of more than a month ago.
    """
    session.execute(sa.delete(SignIn).where(SignIn.editor_id == editor.id, SignIn.started_at < now - KEPT))
    token = base64.urlsafe_b64encode(random_bytes(TOKEN_BYTES)).decode().rstrip("=")
    session.add(SignIn(editor_id=editor.id, token_hash=_hash(token), means=means.value, started_at=now, seen_at=now))
    session.flush()
    return token


def find(session: Session, token: str, now: dt.datetime, *, idle: dt.timedelta, longest: dt.timedelta) -> SignIn | None:
    """A browser's sign-in while it holds; None when it was ended, idle or too long, or the person left."""
    found = session.scalars(sa.select(SignIn).where(SignIn.token_hash == _hash(token))).one_or_none()
    if found is None or found.ended_at is not None or found.editor.disabled_at is not None:
        return None
    longest = longest if found.complete else min(longest, HALF_LASTS)
    if now - found.seen_at >= idle or now - found.started_at >= longest:
        return None
    return found


def touch(session: Session, sign_in_id: int, now: dt.datetime) -> None:
    """The browser was heard of."""
    live = (SignIn.id == sign_in_id, SignIn.ended_at.is_(None))
    session.execute(sa.update(SignIn).where(*live).values(seen_at=now).execution_options(synchronize_session=False))


def end(session: Session, editor: Editor, now: dt.datetime, *, only: int | None = None) -> int:
    """Ends a person's sign-ins, or `only` the one of this id; returns how many were open."""
    live: tuple[Any, ...] = (SignIn.editor_id == editor.id, SignIn.ended_at.is_(None))
    if only is not None:
        live = (*live, SignIn.id == only)
    result: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        sa.update(SignIn).where(*live).values(ended_at=now)
    )
    return result.rowcount


def count_wrong_code(session: Session, sign_in: SignIn, now: dt.datetime) -> bool:
    """A wrong code was given inside; True when that were too many, and the sign-in is over."""
    wrong: int = session.execute(
        sa.update(SignIn)
        .where(SignIn.id == sign_in.id)
        .values(wrong_codes=SignIn.wrong_codes + 1)
        .returning(SignIn.wrong_codes)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    if wrong < WRONG_CODES:
        return False
    return end(session, sign_in.editor, now, only=sign_in.id) == 1


def of(session: Session, editor: Editor, now: dt.datetime, longest: dt.timedelta) -> Sequence[SignIn]:
    """A person's sign-ins that nobody ended and that may still hold, the newest first."""
    wanted = sa.select(SignIn).where(
        SignIn.editor_id == editor.id, SignIn.ended_at.is_(None), SignIn.started_at > now - longest
    )
    return session.scalars(wanted.order_by(SignIn.id.desc())).all()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
