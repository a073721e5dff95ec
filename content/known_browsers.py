"""Browsers a person signed in with before: each counts its own failures, so that no stranger locks the person out.

OWASP calls it "device cookies". The cookie is 256 random bits that nobody can guess, kept here as their SHA-256; it
opens nothing: password and code are asked for all the same.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from content.editors import Editor
from database import Base, BigId, UtcDateTime

LASTS = dt.timedelta(days=365)  # since the last sign-in with it
MOST = 20  # of one person: the least used are forgotten


class KnownBrowser(Base):
    """One person in one browser; a browser that several people share has a row for each."""

    __tablename__ = "known_browsers"

    token_hash: Mapped[bytes] = mapped_column(sa.LargeBinary, primary_key=True)
    editor_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("editors.id"), primary_key=True, autoincrement=False, index=True
    )
    seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    failures: Mapped[int] = mapped_column(sa.Integer, default=0)
    locked_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


def of(session: Session, token: str | None, editor_id: int, now: dt.datetime) -> KnownBrowser | None:
    """The row of a browser and a person, read anew; None where this person never came in with it, or long ago."""
    if not token:
        return None
    found = session.get(KnownBrowser, (_hash(token), editor_id), populate_existing=True)
    return found if found is not None and now - found.seen_at < LASTS else None


def know(
    session: Session,
    token: str | None,
    editor: Editor,
    now: dt.datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """This person has just signed in with this browser: returns its new token, which is always another one.

    Whoever else used the browser stays known by it; whoever planted or copied the old token has nothing.
    """
    fresh = base64.urlsafe_b64encode(random_bytes(32)).decode().rstrip("=")
    if token:
        session.execute(
            sa.update(KnownBrowser)
            .where(KnownBrowser.token_hash == _hash(token))
            .values(token_hash=_hash(fresh))
            .execution_options(synchronize_session=False)
        )
    row = session.get(KnownBrowser, (_hash(fresh), editor.id))
    if row is None:
        row = KnownBrowser(token_hash=_hash(fresh), editor_id=editor.id)
        session.add(row)
    row.seen_at, row.failures, row.locked_until = now, 0, None
    session.flush()
    newest = sa.select(KnownBrowser.token_hash).where(KnownBrowser.editor_id == editor.id)
    kept = newest.order_by(KnownBrowser.seen_at.desc()).limit(MOST)
    session.execute(
        sa.delete(KnownBrowser)
        .where(
            KnownBrowser.editor_id == editor.id,
            sa.or_(KnownBrowser.seen_at < now - LASTS, KnownBrowser.token_hash.not_in(kept)),
        )
        .execution_options(synchronize_session=False)
    )
    return fresh


def forget(session: Session, editor: Editor) -> None:
    """No browser is known for this person any more: the password is a new one."""
    session.execute(sa.delete(KnownBrowser).where(KnownBrowser.editor_id == editor.id))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
