"""Groups: recipients of a message who get the very same bytes, encoded once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, Json, insert_ignore_all


class Group(Base):
    """Recipients of a message who get the very same bytes: language, platform, place kind, shelters."""

    __tablename__ = "recipient_groups"
    __table_args__ = (sa.UniqueConstraint("message_id", "key"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("messages.id"))
    key: Mapped[str] = mapped_column(sa.Text)
    language: Mapped[str] = mapped_column(sa.Text)
    platform: Mapped[str] = mapped_column(sa.Text)
    place: Mapped[str | None] = mapped_column(sa.Text)
    shelters: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)


def ids_of(session: Session, message_id: int, contents: Sequence[dict[str, Any]]) -> list[int]:
    """The id of the group of each content (language, platform, place, shelters); missing groups are made at once."""
    keys = [_key(content) for content in contents]
    wanted = dict(zip(keys, contents, strict=True))
    known = sa.select(Group.key, Group.id).where(Group.message_id == message_id, Group.key.in_(wanted))
    ids = dict(session.execute(known).all())
    missing = [{"message_id": message_id, "key": key, **wanted[key]} for key in wanted if key not in ids]
    if missing:
        insert_ignore_all(session, Group, missing)
        ids = dict(session.execute(known).all())
    return [ids[key] for key in keys]


def _key(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]
