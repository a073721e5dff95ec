"""Newcomers: a phone that registers in, or moves its place into, a live danger area is told at that moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from notifications import dangers
from notifications.alerts import Alert, State
from notifications.devices import Device
from notifications.dispatch import planner
from notifications.messages import Message
from notifications.places import PlaceName
from notifications.recipients import Recipient


def greet(session: Session, device: Device, place: PlaceName, cells: Sequence[int], now: dt.datetime) -> int:
    """Tells a device of every alert in force that touches these cells and that it was not told; returns how many.

    In the transaction that stores the place. The alerts are locked against being ended meanwhile,
    so that whoever is told here is also told when the alert is lifted.
    """
    in_force = (
        sa.select(Alert)
        .where(Alert.state == State.LIVE.value, Alert.expires_at > now, Alert.message_id.is_not(None))
        .order_by(Alert.id)
        .with_for_update(read=True)
    )
    told = 0
    for alert in session.scalars(in_force).all():
        area = dangers.cells(session, alert.danger_area_id)
        if not any(area.contains(cell) for cell in cells):
            continue
        recipient = Recipient(
            device_id=device.id,
            language=device.language,
            platform=device.platform,
            can_receive=device.can_receive,
            place=place.value,
            cell=cells[0],
        )
        told += planner.add(session, session.get_one(Message, alert.message_id), [recipient], now)
    return told
