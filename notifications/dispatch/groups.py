"""Groups: recipients of a message who get the very same bytes, encoded once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, Json


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


@dataclass(frozen=True, slots=True)
class Content:
    """What a group's bytes are made of; `shelters` is the JSON of the list, None where there is none."""

    language: str
    platform: str
    place: str | None
    shelters: str | None

    @property
    def key(self) -> str:
        """The same for the same content."""
        parts = (self.language, self.platform, self.place or "", self.shelters or "")
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def ids_of(session: Session, message_id: int, contents: Sequence[Content]) -> list[int]:
    """The id of the group of each content; missing groups are made at once."""
    keys = [content.key for content in contents]
    # In the order of their keys: two who make the same groups at once do not wait for each other in a circle.
    wanted = dict(sorted(zip(keys, contents, strict=True), key=itemgetter(0)))
    ids = _known(session, message_id, list(wanted))
    missing = {key: content for key, content in wanted.items() if key not in ids}
    if missing:
        if session.get_bind().dialect.name == "sqlite":
            session.execute(_MAKE_ONE, [_row(message_id, key, content) for key, content in missing.items()])
        else:
            rows = ",".join(_written(key, content) for key, content in missing.items())
            session.execute(_MAKE_ALL, {"message_id": message_id, "rows": f"[{rows}]"})
        ids |= _known(session, message_id, list(missing))
    return [ids[key] for key in keys]


# A city's message has tens of thousands of groups: made and found by one statement each, their shelters written as
# they come (the same JSON for every language and platform of a neighbourhood).
_MAKE_ONE = sa.text(
    "INSERT INTO recipient_groups (message_id, key, language, platform, place, shelters)"
    " VALUES (:message_id, :key, :language, :platform, :place, :shelters) ON CONFLICT DO NOTHING"
)
_MAKE_ALL = sa.text(
    "INSERT INTO recipient_groups (message_id, key, language, platform, place, shelters)"
    " SELECT :message_id, n.key, n.language, n.platform, n.place, n.shelters"
    " FROM json_to_recordset(CAST(:rows AS json))"
    " AS n (key text, language text, platform text, place text, shelters jsonb) ON CONFLICT DO NOTHING"
)
_KNOWN_SQLITE = sa.text(
    "SELECT key, id FROM recipient_groups"
    " WHERE message_id = :message_id AND key IN (SELECT value FROM json_each(:keys))"
)
_KNOWN_POSTGRESQL = sa.text(
    # Joined: `= ANY`, prepared and put behind the index of the message alone, compares each group with every key.
    "SELECT g.key, g.id FROM unnest(CAST(:keys AS text[])) k (key)"
    " JOIN recipient_groups g ON g.message_id = :message_id AND g.key = k.key"
)


def _known(session: Session, message_id: int, keys: Sequence[str]) -> dict[str, int]:
    if session.get_bind().dialect.name == "sqlite":
        return dict(session.execute(_KNOWN_SQLITE, {"message_id": message_id, "keys": json.dumps(keys)}).all())
    listed = f"{{{','.join(keys)}}}"
    return dict(session.execute(_KNOWN_POSTGRESQL, {"message_id": message_id, "keys": listed}).all())


def _row(message_id: int, key: str, content: Content) -> dict[str, Any]:
    return {
        "message_id": message_id, "key": key, "language": content.language, "platform": content.platform,
        "place": content.place, "shelters": content.shelters,
    }  # fmt: skip


def _written(key: str, content: Content) -> str:
    head = {"key": key, "language": content.language, "platform": content.platform, "place": content.place}
    return f'{json.dumps(head)[:-1]},"shelters":{content.shelters or "null"}}}'
