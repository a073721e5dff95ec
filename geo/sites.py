"""Designated places: published facts, and what staff say about opening and crowding right now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, UtcDateTime
from geo import statuses
from geo.hazards import Hazard


class SiteKind(StrEnum):
    """What a place is. Only the first and `tsunami_refuge` promise anything about a hazard."""

    EMERGENCY_EVACUATION_SITE = "emergency_evacuation_site"  # 指定緊急避難場所
    SHELTER = "shelter"  # 指定避難所
    WELFARE_SHELTER = "welfare_shelter"  # 福祉避難所: opened later, never a first destination
    TSUNAMI_REFUGE = "tsunami_refuge"  # 津波避難ビル・タワー
    AED = "aed"
    CHILDCARE_FACILITY = "childcare_facility"
    PUBLIC_FACILITY = "public_facility"


class SiteStatus(StrEnum):
    """Opening, as staff last said. `unknown` is said to residents, never hidden."""

    UNKNOWN = "unknown"
    NOT_OPEN = "not_open"  # 未開設
    PREPARING = "preparing"  # 準備中
    OPEN = "open"  # 開設
    FULL = "full"  # 満員
    CLOSED = "closed"  # 閉鎖
    UNUSABLE = "unusable"  # 被災等により使用不可


class Crowding(StrEnum):
    """Four steps of occupancy, as Japanese shelter boards show them (0-30, 30-60, 60-80, 80 % and more)."""

    VACANT = "vacant"  # 空いています
    SOMEWHAT_CROWDED = "somewhat_crowded"  # やや混雑
    CROWDED = "crowded"  # 混雑
    FULL = "full"  # 満


class UnknownSite(LookupError):
    """No such site, or it has been withdrawn from the published list."""

    def __init__(self, site_id: int) -> None:
        super().__init__(f"there is no site {site_id}")
        self.site_id = site_id


class StaleSite(Exception):
    """Somebody else changed the site after it was looked at."""


class Site(Base):
    """One place of one source. (source, source_id) is its identity; the numeric id never changes or returns."""

    __tablename__ = "sites"
    __table_args__ = (
        sa.UniqueConstraint("source", "source_id"),
        sa.Index(None, "lat", "lon"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    source: Mapped[str] = mapped_column(sa.Text)
    source_id: Mapped[str] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.Text)
    name: Mapped[str] = mapped_column(sa.Text)
    name_kana: Mapped[str | None] = mapped_column(sa.Text)
    name_en: Mapped[str | None] = mapped_column(sa.Text)
    address: Mapped[str | None] = mapped_column(sa.Text)
    lat: Mapped[float] = mapped_column(sa.Float(53))  # degrees, WGS 84
    lon: Mapped[float] = mapped_column(sa.Float(53))
    hazards: Mapped[int] = mapped_column(sa.Integer, default=0)  # mask of geo.hazards bits
    also_shelter: Mapped[bool] = mapped_column(sa.Boolean, default=False)  # 指定避難所との重複
    capacity: Mapped[int | None] = mapped_column(sa.Integer)  # persons
    accepts: Mapped[str | None] = mapped_column(sa.Text)  # 受入対象者
    note: Mapped[str | None] = mapped_column(sa.Text)  # 備考: reaches the resident
    phone: Mapped[str | None] = mapped_column(sa.Text)
    url: Mapped[str | None] = mapped_column(sa.Text)
    elevation_m: Mapped[float | None] = mapped_column(sa.Float(53))
    category: Mapped[str | None] = mapped_column(sa.Text)  # 種別 of a child-care facility, as published
    ages: Mapped[str | None] = mapped_column(sa.Text)  # 受入年齢, as published
    # Opening hours as published; `geo.hours` reads them.
    available_days: Mapped[str | None] = mapped_column(sa.Text)  # 利用可能曜日
    available_from: Mapped[str | None] = mapped_column(sa.Text)  # 開始時間
    available_until: Mapped[str | None] = mapped_column(sa.Text)  # 終了時間
    available_note: Mapped[str | None] = mapped_column(sa.Text)  # 利用可能日時特記事項
    municipality_code: Mapped[str | None] = mapped_column(sa.Text)  # six digits with the check digit
    licence: Mapped[str | None] = mapped_column(sa.Text)
    as_of: Mapped[dt.date | None] = mapped_column(sa.Date)
    content_hash: Mapped[str] = mapped_column(sa.Text, default="")
    imported_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)  # when published facts last changed
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)  # gone from its source
    # What staff say; no import writes these.
    status: Mapped[str] = mapped_column(sa.Text, default=SiteStatus.UNKNOWN.value)
    crowding: Mapped[str | None] = mapped_column(sa.Text)
    status_note: Mapped[str | None] = mapped_column(sa.Text)
    status_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    status_by: Mapped[str | None] = mapped_column(sa.Text)
    version: Mapped[int] = mapped_column(sa.Integer, default=1)  # rises with every change of the row


class Revision(Base):
    """A counter that rises with every change of a thing, so that every process knows when its copy is old."""

    __tablename__ = "revisions"

    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    version: Mapped[int] = mapped_column(sa.BigInteger)
    changed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)  # None: the writer did not say when


def get(session: Session, site_id: int) -> Site | None:
    """The site, withdrawn ones included (see `withdrawn_at`), or None."""
    return session.get(Site, site_id)


def in_bbox(
    session: Session,
    bbox: tuple[float, float, float, float] | None,
    hazard: Hazard | None = None,
    status: Collection[SiteStatus] = (),
    kinds: Collection[SiteKind] = (),
    after_id: int = 0,
    limit: int = 200,
) -> Sequence[Site]:
    """Present sites inside (south, west, north, east) degrees, edges included, ordered by id.

    `hazard` keeps those designated for it; empty `status` and `kinds` mean all; `after_id`
    is the id the last page ended with.
    """
    wanted = sa.select(Site).where(Site.withdrawn_at.is_(None), Site.id > after_id).order_by(Site.id).limit(limit)
    if bbox is not None:
        south, west, north, east = bbox
        wanted = wanted.where(Site.lat.between(south, north), Site.lon.between(west, east))
    if hazard is not None:
        wanted = wanted.where(Site.hazards.bitwise_and(hazard.bit) != 0)
    if status:
        wanted = wanted.where(Site.status.in_([SiteStatus(one).value for one in status]))
    if kinds:
        wanted = wanted.where(Site.kind.in_([SiteKind(one).value for one in kinds]))
    return session.scalars(wanted).all()


def set_status(
    session: Session,
    site_id: int,
    *,
    status: SiteStatus,
    crowding: Crowding | None,
    note: str | None,
    by: str,
    now: dt.datetime,
    version: int | None = None,
) -> Site:
    """Records what staff say about a place, its age and the speaker, and keeps the word (`geo.statuses`).

    With `version` (`Site.version` as it was looked at) only while that is the newest, else the last word wins.
    Raises `UnknownSite` for a site that does not exist or is withdrawn, `StaleSite` when somebody was faster.
    """
    status, crowding = SiteStatus(status), Crowding(crowding) if crowding is not None else None
    where = [Site.id == site_id, Site.withdrawn_at.is_(None)]
    if version is not None:
        where.append(Site.version == version)
    moved: sa.CursorResult[Any] = session.execute(  # type: ignore[assignment]
        sa.update(Site)
        .where(*where)
        .values(
            status=status.value, crowding=crowding, status_note=note, status_at=now, status_by=by,
            version=Site.version + 1,
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if moved.rowcount != 1:
        present = sa.select(Site.id).where(Site.id == site_id, Site.withdrawn_at.is_(None))
        raise UnknownSite(site_id) if session.scalar(present) is None else StaleSite
    statuses.append(session, site_id, status=status.value, crowding=crowding, note=note, at=now, by=by)
    bump_revision(session, now=now)
    return session.get_one(Site, site_id, populate_existing=True)


def revision(session: Session, name: str = "sites") -> int:
    """How often the named thing has changed; 0 when never."""
    return session.scalar(sa.select(Revision.version).where(Revision.name == name)) or 0


def bump_revision(session: Session, name: str = "sites", now: dt.datetime | None = None) -> None:
    """Says, in the writer's own transaction, that the named thing has changed, and when."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    changed = {"version": Revision.version + 1, "changed_at": now}
    session.execute(
        insert(Revision)
        .values(name=name, version=1, changed_at=now)
        .on_conflict_do_update(index_elements=[Revision.name], set_=changed)
    )


def changed(session: Session, name: str) -> tuple[int, dt.datetime | None]:
    """How often the named thing has changed, and when it last did where that is known."""
    found = session.execute(sa.select(Revision.version, Revision.changed_at).where(Revision.name == name)).one_or_none()
    return (found.version, found.changed_at) if found is not None else (0, None)
