"""The places a device cares about, kept as 125 m grid cells and nothing finer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base, BigId, UtcDateTime
from geo import mesh
from geo.point import Point
from notifications import devices

# A circle of this radius touches some sixty cells: beyond it a position says too little to be worth more rows.
WIDEST_ACCURACY_M = 400.0
# After this a current position is an old one and steps back behind home.
CURRENT_GROWS_OLD = dt.timedelta(hours=12)


class PlaceName(StrEnum):
    """What a place is to its owner; a device with several inside an area is told for the first of these."""

    CURRENT = "current"
    HOME = "home"
    WORK = "work"
    FAMILY = "family"


class Place(Base):
    """One cell of one place: a vague position has several rows with the same origin."""

    __tablename__ = "places"
    # Found by cell, thousands of times an alert, one kind of place after another: these lead the key, and where the
    # table is not kept in the order of its key, all that is asked of a place lies in the key's index.
    __table_args__ = (
        sa.PrimaryKeyConstraint("name", "cell", "device_id", postgresql_include=["origin_cell", "updated_at"]),
        sa.Index(None, "device_id"),
        {"sqlite_with_rowid": False},
    )

    name: Mapped[str] = mapped_column(sa.Text)
    cell: Mapped[int] = mapped_column(sa.BigInteger)
    device_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("devices.id", ondelete="CASCADE"))
    origin_cell: Mapped[int] = mapped_column(sa.BigInteger)
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


def put(session: Session, device_id: int, name: PlaceName, cells: Sequence[int], now: dt.datetime) -> None:
    """Replaces a place by these cells, the first being where it is; no trail of the old one remains."""
    devices.hold(session, device_id)
    remove(session, device_id, name)
    session.execute(
        sa.insert(Place),
        [
            {"cell": cell, "device_id": device_id, "name": name.value, "origin_cell": cells[0], "updated_at": now}
            for cell in dict.fromkeys(cells)
        ],
    )


def cells_of_position(point: Point, accuracy_m: float) -> tuple[int, ...]:
    """The cells a position may be in: its own first, then those its circle of error touches (metres, capped)."""
    return mesh.cells_within(point, min(max(accuracy_m, 0.0), WIDEST_ACCURACY_M))


def remove(session: Session, device_id: int, name: PlaceName) -> bool:
    """Forgets a place; False when there was none."""
    result: sa.CursorResult[tuple[()]] = session.execute(  # type: ignore[assignment]
        sa.delete(Place).where(Place.device_id == device_id, Place.name == name.value)
    )
    return result.rowcount > 0


def of_device(session: Session, device_id: int) -> dict[PlaceName, tuple[int, dt.datetime]]:
    """Each place's own cell and when it was told to us."""
    rows = session.execute(
        sa.select(Place.name, Place.origin_cell, Place.updated_at).where(
            Place.device_id == device_id, Place.cell == Place.origin_cell
        )
    )
    found = {PlaceName(name): (cell, at) for name, cell, at in rows}
    return {name: found[name] for name in PlaceName if name in found}
