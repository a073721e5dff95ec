"""A phone that asked to be told: its registration token, its language, its secret."""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, UtcDateTime
from notifications.channels.webpush import subscription
from notifications.identifier import RandomBytes, digest, new_identifier

SECRET_PREFIX = "ykd_"  # noqa: S105 - a mark to recognise our secrets by, not a secret
_TOKEN = re.compile(r"[\x21-\x7e]{16,4096}")


class Platform(StrEnum):
    """What kind of device a push goes to."""

    ANDROID = "android"
    IOS = "ios"
    WEB = "web"  # a browser by Firebase
    WEBPUSH = "webpush"  # a browser, or a phone without Google's services, by Web Push


class TokenState(StrEnum):
    """What is known of a registration token."""

    NONE = "none"  # reads its inbox only
    ACTIVE = "active"
    UNREGISTERED = "unregistered"  # the provider says: dead
    INVALID = "invalid"  # the provider says: malformed
    MISMATCH = "mismatch"  # belongs to another sender: quarantined


class TokenError(ValueError):
    """A registration token must be 16 to 4,096 visible ASCII characters; of a browser it is its subscription."""


class Device(Base):
    """One installation of an app. Holds no name, no number, no position."""

    __tablename__ = "devices"
    # Ids index the bitmaps of who was told: they are never used twice. A million devices are looked up for a message:
    # the index holds the little that planning asks of them, a tenth of the table.
    __table_args__ = (
        sa.Index("ix_devices_reach", "id", "language", "platform", "token_state", "wishes"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    secret_hash: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)
    platform: Mapped[str] = mapped_column(sa.Text)
    language: Mapped[str] = mapped_column(sa.Text)
    app_version: Mapped[str] = mapped_column(sa.Text)
    token: Mapped[str | None] = mapped_column(sa.Text)
    token_hash: Mapped[bytes | None] = mapped_column(sa.LargeBinary, unique=True)
    token_state: Mapped[str] = mapped_column(sa.Text)
    token_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    # How it wants to be told of everyday things, as `preferences` writes it; empty: as most do.
    wishes: Mapped[str] = mapped_column(sa.Text, default="", server_default="")

    @property
    def can_receive(self) -> bool:
        """A push can be tried."""
        return self.token is not None and self.token_state == TokenState.ACTIVE


@dataclass(frozen=True, slots=True)
class Registration:
    """A device just registered, and the secret that is shown this once."""

    device: Device
    secret: str


def register(
    session: Session,
    *,
    platform: Platform,
    language: str,
    app_version: str,
    token: str | None,
    now: dt.datetime,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> Registration:
    """Registers a device anonymously. Raises TokenError. A token has one owner: the last registration wins."""
    secret = SECRET_PREFIX + random_bytes(32).hex()
    device = Device(
        public_id=new_identifier(random_bytes),
        secret_hash=digest(secret),
        platform=platform.value,
        language=language,
        app_version=app_version,
        token=None,
        token_hash=None,
        token_state=TokenState.NONE.value,
        token_at=None,
        created_at=now,
        seen_at=now,
    )
    session.add(device)
    session.flush()
    if token is not None:
        set_token(session, device, token, now)
    return Registration(device, secret)


def by_secret(session: Session, secret: str) -> Device | None:
    """The device that holds this secret."""
    if not secret.startswith(SECRET_PREFIX) or len(secret) > 200:
        return None
    return session.scalar(sa.select(Device).where(Device.secret_hash == digest(secret)))


def by_public_id(session: Session, public_id: str) -> Device | None:
    """The device with this public id."""
    return session.scalar(sa.select(Device).where(Device.public_id == public_id))


def set_token(session: Session, device: Device, token: str | None, now: dt.datetime) -> None:
    """Gives a device its registration token (or takes it away with None). Raises TokenError.

    Of the platform webpush it is the subscription in its one spelling: `subscription.read(…).token`.
    """
    if token is None:
        device.token, device.token_hash, device.token_state, device.token_at = None, None, TokenState.NONE.value, None
        session.flush()
        return
    if not _TOKEN.fullmatch(token) or (device.platform == Platform.WEBPUSH and not _is_subscription(token)):
        raise TokenError(TokenError.__doc__)
    hashed = digest(token)
    _hold_token(session, hashed)
    session.execute(
        sa.update(Device)
        .where(Device.token_hash == hashed, Device.id != device.id)
        .values(token=None, token_hash=None, token_state=TokenState.NONE.value, token_at=None)
    )
    device.token, device.token_hash = token, hashed
    device.token_state, device.token_at = TokenState.ACTIVE.value, now
    session.flush()


def _is_subscription(token: str) -> bool:
    try:
        return subscription.read(token).token == token
    except subscription.SubscriptionError:
        return False


def _hold_token(session: Session, hashed: bytes) -> None:
    """Two registrations that bring one token at once come one after the other (SQLite has one writer anyway)."""
    if session.get_bind().dialect.name == "postgresql":
        # Before any row of ours is locked: whoever holds the token waits for nobody who waits for it.
        with session.no_autoflush:
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(int.from_bytes(hashed[:8], "big", signed=True))))


def hold(session: Session, device_id: int) -> None:
    """Makes requests of one device come one after the other: a phone on a bad line sends the same thing twice."""
    session.execute(sa.select(Device.id).where(Device.id == device_id).with_for_update(key_share=True))


def deactivate_token(session: Session, token_hash: bytes, state: TokenState) -> bool:
    """Marks the token that was sent as unusable; a token rotated in between has another hash and survives."""
    result: sa.CursorResult[tuple[()]] = session.execute(  # type: ignore[assignment]
        sa.update(Device)
        .where(Device.token_hash == token_hash, Device.token_state == TokenState.ACTIVE.value)
        .values(token_state=state.value)
    )
    return result.rowcount == 1


def tokens_of(session: Session, device_ids: Sequence[int]) -> dict[int, str | None]:
    """The token of each of these devices that still exist; None where no push can be tried."""
    if not device_ids:
        return {}
    # One parameter, not hundreds: this is asked for every batch.
    if session.get_bind().dialect.name == "postgresql":
        parameter: Any = list(device_ids)
    else:
        parameter = json.dumps(list(device_ids))
    rows = session.connection().execute(_tokens(session.get_bind().dialect.name), {"ids": parameter})
    return dict(rows.all())


@cache
def _tokens(dialect: str) -> sa.Executable:
    usable = sa.case((Device.token_state == TokenState.ACTIVE.value, Device.token), else_=None)
    if dialect == "postgresql":
        wanted: Any = Device.id == sa.func.any(sa.bindparam("ids", type_=ARRAY(sa.BigInteger)))
    else:
        wanted = Device.id.in_(sa.select(sa.column("value")).select_from(sa.func.json_each(sa.bindparam("ids"))))
    return sa.select(Device.id, usable).where(wanted)


def deactivate_tokens(session: Session, token_hashes: Sequence[bytes], state: TokenState) -> None:
    """The same for many. A device that is being changed at this moment is passed over and waits for nobody.

    Its token is then found dead once more at the next message, or was just replaced.
    """
    unlocked = (
        sa.select(Device.id)
        .where(Device.token_hash.in_(token_hashes), Device.token_state == TokenState.ACTIVE.value)
        .with_for_update(skip_locked=True)
    )
    session.execute(
        sa.update(Device)
        .where(Device.id.in_(unlocked))
        .values(token_state=state.value)
        .execution_options(synchronize_session=False)
    )


def erase(session: Session, device: Device) -> None:
    """Deletes a device with its places, topics and receipts (cascading). Ledgers keep only a number."""
    session.execute(sa.delete(Device).where(Device.id == device.id))
    session.expunge(device)
