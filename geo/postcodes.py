"""Postcodes: which municipality and town each stands for, with the town's reading (日本郵便)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId


class Postcode(Base):
    """One pair of postcode and town; a postcode may stand for several towns, a town may have several."""

    __tablename__ = "postcodes"
    __table_args__ = (
        sa.UniqueConstraint("postcode", "municipality_code", "town"),
        sa.Index(None, "municipality_code"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    postcode: Mapped[str] = mapped_column(sa.Text)  # seven digits
    municipality_code: Mapped[str] = mapped_column(sa.Text)  # five digits, as geo.areas has them
    town: Mapped[str] = mapped_column(sa.Text)  # empty: the municipality as a whole
    town_kana: Mapped[str] = mapped_column(sa.Text)  # full-width katakana, empty when unknown


def digits(text: str) -> str | None:
    """The seven digits of a postcode as people write it (〒, hyphen, full width), or None."""
    plain = unicodedata.normalize("NFKC", text).strip().removeprefix("〒").strip()
    for dash in "-‐‑–—−ー":
        plain = plain.replace(dash, "")
    return plain if len(plain) == 7 and plain.isascii() and plain.isdecimal() else None


def entries(session: Session, postcode: str) -> Sequence[Postcode]:
    """What seven digits stand for, in a stable order; empty when nobody knows them."""
    wanted = sa.select(Postcode).where(Postcode.postcode == postcode)
    return session.scalars(wanted.order_by(Postcode.municipality_code, Postcode.town_kana, Postcode.id)).all()
