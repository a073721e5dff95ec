"""The secret that signs the console's cookies: made once, kept in the database, the same for every web process."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, insert_ignore

_NAME = "cookies"


class SigningSecret(Base):
    """One secret by its purpose."""

    __tablename__ = "signing_secrets"

    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    secret: Mapped[str] = mapped_column(sa.Text)


def secret(session: Session) -> str | None:
    """The secret; None until `ensure` was called once, which the first invitation does."""
    return session.scalar(sa.select(SigningSecret.secret).where(SigningSecret.name == _NAME))


def ensure(session: Session) -> None:
    """Makes the secret where there is none.

    After a new one (delete the row, start the web server again) everybody signs in anew.
    """
    insert_ignore(session, SigningSecret, {"name": _NAME, "secret": secrets.token_urlsafe(32)})
