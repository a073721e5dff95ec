"""The people who write and approve: their roles, what each role may do, and their keys."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
import unicodedata
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from database import Base, BigId, UtcDateTime, insert_ignore

KEY_PREFIX = "yks_"
KEY_BYTES = 32
NAME_MAX = 100


class Role(StrEnum):
    """What a person is at city hall; `machine` is a program that hands in drafts."""

    READER = "reader"
    AUTHOR = "author"
    APPROVER = "approver"
    DUTY_OFFICER = "duty_officer"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    MACHINE = "machine"

    @property
    def ja(self) -> str:
        """The role as the console and the command line call it."""
        return _ROLE_JA[self]


_ROLE_JA = {
    Role.READER: "閲覧者",
    Role.AUTHOR: "起案者",
    Role.APPROVER: "承認者",
    Role.DUTY_OFFICER: "当直責任者",
    Role.ADMINISTRATOR: "管理者",
    Role.AUDITOR: "監査担当",
    Role.MACHINE: "機械",
}


class Action(StrEnum):
    """What can be permitted to a role."""

    READ = "read"  # staff lists, drafts, steps
    DRAFT = "draft"  # write and edit what nobody has approved yet
    SUBMIT = "submit"
    APPROVE = "approve"
    RETURN = "return"
    WITHDRAW = "withdraw"
    PUBLISH = "publish"
    BREAK_GLASS = "break_glass"  # alone, at night, what moves people out of mortal danger; reviewed afterwards
    SITE_STATUS = "site_status"  # open, close, crowding of a shelter
    EDIT = "edit"  # day-to-day content that rings nobody: events, garbage, child-rearing, hours of facilities
    SHAPE = "shape"  # what decides whom a push reaches and where people are sent: topics, areas, facts of shelters
    IMPORT = "import"  # whole files
    INCIDENTS = "incidents"
    STAFF = "staff"  # add people, revoke keys
    AUDIT = "audit"  # ask what became of a message for one phone
    JOURNAL = "journal"  # read and export everything that anyone did


_WRITES = frozenset({Action.READ, Action.DRAFT, Action.SUBMIT, Action.WITHDRAW, Action.SITE_STATUS, Action.EDIT})
_APPROVES = frozenset({Action.APPROVE, Action.RETURN, Action.PUBLISH, Action.SHAPE, Action.INCIDENTS})
_LOADS = frozenset({Action.EDIT, Action.SHAPE, Action.IMPORT})  # a file may state all of it

# One rule: who writes may edit what rings nobody; only what is sent needs a second person, and only those who
# answer for sending (or for the data as a whole) change what decides whom it reaches.
# Approvers may also write: whose work it is, is decided by the steps of each content (content.workflow).
# An administrator hands out keys and therefore neither writes nor approves what is sent.
PERMISSIONS: dict[Role, frozenset[Action]] = {
    Role.READER: frozenset({Action.READ}),
    Role.AUTHOR: _WRITES,
    Role.APPROVER: _WRITES | _APPROVES,
    Role.DUTY_OFFICER: _WRITES | _APPROVES | _LOADS | {Action.AUDIT, Action.BREAK_GLASS},
    Role.ADMINISTRATOR: _LOADS | {Action.READ, Action.STAFF, Action.AUDIT, Action.JOURNAL},
    Role.AUDITOR: frozenset({Action.READ, Action.AUDIT, Action.JOURNAL}),
    Role.MACHINE: frozenset({Action.DRAFT}),
}


class EditorError(ValueError):
    """A person cannot be added or changed like this; the text says why."""


class Editor(Base):
    """One named person (or one program) of city hall. Never deleted: steps point here."""

    __tablename__ = "editors"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(sa.Text, unique=True)
    role: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    keys: Mapped[list[StaffKey]] = relationship(order_by="StaffKey.id", viewonly=True)


class StaffKey(Base):
    """A key of one person. Only its SHA-256 is kept: 256 random bits need no slow hash."""

    __tablename__ = "staff_keys"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    editor_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("editors.id"), index=True)
    key_hash: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)
    last4: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


def may(editor: Editor, action: Action | str) -> bool:
    """Whether this person's role permits the action. A disabled person may do nothing."""
    return editor.disabled_at is None and Action(action) in PERMISSIONS[Role(editor.role)]


def add(
    session: Session,
    name: str,
    role: Role | str,
    now: dt.datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[Editor, str]:
    """Adds a person and returns him with his key, which is shown this once and kept nowhere.

    Raises EditorError when the name is empty, too long or taken (one person under two names
    would be two pairs of eyes), or the role unknown.
    """
    name = _checked_name(name)
    if role not in tuple(Role):
        raise EditorError(f"role {role!r} is unknown; one of {', '.join(Role)}")
    row = {"name": name, "role": str(Role(role)), "created_at": now}
    if not insert_ignore(session, Editor, row):
        raise EditorError(f"the name {name!r} is taken; give that person a new key, or add a distinguishing word")
    editor = session.scalars(sa.select(Editor).where(Editor.name == name)).one()
    return editor, _issue(session, editor, now, random_bytes)


def renew_key(
    session: Session,
    editor: Editor,
    now: dt.datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """A new key in place of every earlier one, for a lost key; raises EditorError when the person is disabled."""
    if editor.disabled_at is not None:
        raise EditorError(f"{editor.name!r} is disabled and gets no key")
    _revoke_keys(session, editor, now)
    return _issue(session, editor, now, random_bytes)


def disable(session: Session, editor: Editor, now: dt.datetime) -> None:
    """Revokes every key of a person and bars him from every action. A second call changes nothing."""
    _revoke_keys(session, editor, now)
    if editor.disabled_at is None:
        editor.disabled_at = now
        session.flush()


def by_key(session: Session, key: str) -> Editor | None:
    """Whose valid key this is; None when it is unknown, revoked or its person disabled."""
    if not key.startswith(KEY_PREFIX):
        return None
    found = sa.select(Editor).join(StaffKey, StaffKey.editor_id == Editor.id)
    found = found.where(StaffKey.key_hash == key_hash(key), StaffKey.revoked_at.is_(None))
    return session.scalars(found.where(Editor.disabled_at.is_(None))).one_or_none()


def by_name(session: Session, name: str) -> Editor | None:
    """The person of this name, disabled ones too; spaces and widths do not matter."""
    return session.scalars(sa.select(Editor).where(Editor.name == _tidy(name))).one_or_none()


def everybody(session: Session) -> Sequence[Editor]:
    """All people in the order they were added, disabled ones too."""
    return session.scalars(sa.select(Editor).order_by(Editor.id)).all()


def key_hash(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).digest()


def _issue(session: Session, editor: Editor, now: dt.datetime, random_bytes: Callable[[int], bytes]) -> str:
    # Lower-case base32: no character that a double click leaves out or that is misread on paper.
    key = KEY_PREFIX + base64.b32encode(random_bytes(KEY_BYTES)).decode().rstrip("=").lower()
    session.add(StaffKey(editor_id=editor.id, key_hash=key_hash(key), last4=key[-4:], created_at=now))
    session.flush()
    session.expire(editor, ["keys"])
    return key


def _revoke_keys(session: Session, editor: Editor, now: dt.datetime) -> None:
    live: tuple[Any, ...] = (StaffKey.editor_id == editor.id, StaffKey.revoked_at.is_(None))
    session.execute(sa.update(StaffKey).where(*live).values(revoked_at=now))
    session.expire(editor, ["keys"])


def _tidy(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).split())


def _checked_name(name: str) -> str:
    name = _tidy(name)
    if not name:
        raise EditorError("a person needs a name")
    if len(name) > NAME_MAX:
        raise EditorError(f"the name has {len(name)} characters, at most {NAME_MAX}")
    if not name.isprintable():
        raise EditorError("the name holds characters that cannot be printed")
    return name
